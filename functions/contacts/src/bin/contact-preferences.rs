//! The Lambda function `contact-preferences`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_contacts::contact_preferences::FUNCTION)
}
