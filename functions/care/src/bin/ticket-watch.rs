//! The Lambda function `ticket-watch`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::ticket_watch::FUNCTION)
}
