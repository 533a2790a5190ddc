//! The Lambda function `ticket-follow`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::ticket_follow::FUNCTION)
}
