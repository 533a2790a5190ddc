//! The Lambda function `ticket-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::ticket_list::FUNCTION)
}
