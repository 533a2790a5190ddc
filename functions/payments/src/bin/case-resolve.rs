//! The Lambda function `case-resolve`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::case_resolve::FUNCTION)
}
