//! The Lambda function `delivery-report`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::delivery_report::FUNCTION)
}
