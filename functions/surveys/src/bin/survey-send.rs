//! The Lambda function `survey-send`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_surveys::survey_send::FUNCTION)
}
