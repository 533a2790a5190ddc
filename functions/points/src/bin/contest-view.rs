//! The Lambda function `contest-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::contest_view::FUNCTION)
}
