//! The Lambda function `tracking-fold`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::tracking_fold::FUNCTION)
}
