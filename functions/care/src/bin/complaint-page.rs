//! The Lambda function `complaint-page`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_care::complaint_page::FUNCTION)
}
