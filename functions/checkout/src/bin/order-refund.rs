//! The Lambda function `order-refund`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_refund::FUNCTION)
}
