//! The Lambda function `ticket-change`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::ticket_change::FUNCTION)
}
