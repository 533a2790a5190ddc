//! The Lambda function `order-hold`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_hold::FUNCTION)
}
