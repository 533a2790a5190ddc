//! The Lambda function `product-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::product_view::FUNCTION)
}
