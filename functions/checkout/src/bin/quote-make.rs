//! The Lambda function `quote-make`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::quote_make::FUNCTION)
}
