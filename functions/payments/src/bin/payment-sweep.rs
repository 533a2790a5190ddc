//! The Lambda function `payment-sweep`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::payment_sweep::FUNCTION)
}
