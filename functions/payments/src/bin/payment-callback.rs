//! The Lambda function `payment-callback`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::payment_callback::FUNCTION)
}
