//! The Lambda function `webhook-sweep`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_relay::webhook_sweep::FUNCTION)
}
