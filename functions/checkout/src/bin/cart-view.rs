//! The Lambda function `cart-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::cart_view::FUNCTION)
}
