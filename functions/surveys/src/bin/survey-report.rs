//! The Lambda function `survey-report`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_surveys::survey_report::FUNCTION)
}
