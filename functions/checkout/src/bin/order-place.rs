//! The Lambda function `order-place`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_place::FUNCTION)
}
