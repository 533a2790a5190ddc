//! The Lambda function `order-follow`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_follow::FUNCTION)
}
