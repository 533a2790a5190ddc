//! The Lambda function `order-search`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_search::FUNCTION)
}
