//! The Lambda function `alert-resolve`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::alert_resolve::FUNCTION)
}
