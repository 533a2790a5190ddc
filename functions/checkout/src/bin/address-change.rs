//! The Lambda function `address-change`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::address_change::FUNCTION)
}
