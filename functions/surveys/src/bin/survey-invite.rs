//! The Lambda function `survey-invite`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_surveys::survey_invite::FUNCTION)
}
