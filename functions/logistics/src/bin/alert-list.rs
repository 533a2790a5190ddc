//! The Lambda function `alert-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::alert_list::FUNCTION)
}
