//! The Lambda function `units-cancel`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::units_cancel::FUNCTION)
}
