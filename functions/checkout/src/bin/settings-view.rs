//! The Lambda function `settings-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::settings_view::FUNCTION)
}
