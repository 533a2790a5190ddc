//! The Lambda function `cart-merge`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::cart_merge::FUNCTION)
}
