//! The Lambda function `customer-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::customer_view::FUNCTION)
}
