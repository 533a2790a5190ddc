//! The Lambda function `order-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::order_list::FUNCTION)
}
