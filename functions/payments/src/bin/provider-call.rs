//! The Lambda function `provider-call`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::provider_call::FUNCTION)
}
