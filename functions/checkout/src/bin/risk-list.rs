//! The Lambda function `risk-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::risk_list::FUNCTION)
}
