//! The Lambda function `ticket-report`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::ticket_report::FUNCTION)
}
