//! The Lambda function `contact-release`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_contacts::contact_release::FUNCTION)
}
