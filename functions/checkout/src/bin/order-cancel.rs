//! The Lambda function `order-cancel`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_cancel::FUNCTION)
}
