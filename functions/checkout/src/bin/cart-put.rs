//! The Lambda function `cart-put`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::cart_put::FUNCTION)
}
