//! The Lambda function `feedback-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_surveys::feedback_list::FUNCTION)
}
