//! The Lambda function `order-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_view::FUNCTION)
}
