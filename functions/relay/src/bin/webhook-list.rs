//! The Lambda function `webhook-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_relay::webhook_list::FUNCTION)
}
