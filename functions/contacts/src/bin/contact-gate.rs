//! The Lambda function `contact-gate`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_contacts::contact_gate::FUNCTION)
}
