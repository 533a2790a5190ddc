//! The Lambda function `order-note`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_note::FUNCTION)
}
