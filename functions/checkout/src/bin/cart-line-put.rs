//! The Lambda function `cart-line-put`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::cart_line_put::FUNCTION)
}
