//! The Lambda function `membership-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::membership_view::FUNCTION)
}
