//! The Lambda function `ticket-open`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::ticket_open::FUNCTION)
}
