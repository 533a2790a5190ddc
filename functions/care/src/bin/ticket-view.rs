//! The Lambda function `ticket-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::ticket_view::FUNCTION)
}
