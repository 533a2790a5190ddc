//! The Lambda function `order-expire`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_expire::FUNCTION)
}
