//! The Lambda function `payment-start`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::payment_start::FUNCTION)
}
