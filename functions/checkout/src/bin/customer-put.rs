//! The Lambda function `customer-put`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::customer_put::FUNCTION)
}
