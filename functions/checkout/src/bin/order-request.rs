//! The Lambda function `order-request`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_request::FUNCTION)
}
