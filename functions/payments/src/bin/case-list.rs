//! The Lambda function `case-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_payments::case_list::FUNCTION)
}
