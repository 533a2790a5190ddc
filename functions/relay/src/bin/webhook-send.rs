//! The Lambda function `webhook-send`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_relay::webhook_send::FUNCTION)
}
