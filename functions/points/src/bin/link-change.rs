//! The Lambda function `link-change`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::link_change::FUNCTION)
}
