//! The Lambda function `order-retake`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_retake::FUNCTION)
}
