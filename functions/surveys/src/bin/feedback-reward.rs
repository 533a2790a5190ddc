//! The Lambda function `feedback-reward`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_surveys::feedback_reward::FUNCTION)
}
