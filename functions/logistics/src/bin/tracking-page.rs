//! The Lambda function `tracking-page`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::tracking_page::FUNCTION)
}
