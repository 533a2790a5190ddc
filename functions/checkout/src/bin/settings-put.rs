//! The Lambda function `settings-put`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::settings_put::FUNCTION)
}
