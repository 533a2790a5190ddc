//! The Lambda function `carrier-poll`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::carrier_poll::FUNCTION)
}
