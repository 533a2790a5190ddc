//! The Lambda function `payment-methods`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::payment_methods::FUNCTION)
}
