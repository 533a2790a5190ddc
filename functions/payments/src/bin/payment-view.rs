//! The Lambda function `payment-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::payment_view::FUNCTION)
}
