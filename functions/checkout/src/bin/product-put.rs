//! The Lambda function `product-put`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::product_put::FUNCTION)
}
