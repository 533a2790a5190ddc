//! The Lambda function `settlement-import`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::settlement_import::FUNCTION)
}
