//! The Lambda function `payment-fold`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::payment_fold::FUNCTION)
}
