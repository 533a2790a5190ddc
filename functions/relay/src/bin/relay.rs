//! The Lambda function `relay`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_relay::relay::FUNCTION)
}
