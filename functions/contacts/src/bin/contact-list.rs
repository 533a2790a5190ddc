//! The Lambda function `contact-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_contacts::contact_list::FUNCTION)
}
