//! The Lambda function `survey-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_surveys::survey_view::FUNCTION)
}
