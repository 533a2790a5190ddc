//! The Lambda function `feedback-fold`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_surveys::feedback_fold::FUNCTION)
}
