//! The Lambda function `order-inspect`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_inspect::FUNCTION)
}
