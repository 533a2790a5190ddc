//! The Lambda function `redemption-change`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::redemption_change::FUNCTION)
}
