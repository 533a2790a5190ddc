//! The Lambda function `contact-page`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_contacts::contact_page::FUNCTION)
}
