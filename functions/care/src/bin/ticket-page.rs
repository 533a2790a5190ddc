//! The Lambda function `ticket-page`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::ticket_page::FUNCTION)
}
