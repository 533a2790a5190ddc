//! The Lambda function `survey-answer`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_surveys::survey_answer::FUNCTION)
}
