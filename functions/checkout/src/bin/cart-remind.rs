//! The Lambda function `cart-remind`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::cart_remind::FUNCTION)
}
