//! The Lambda function `label-attach`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::label_attach::FUNCTION)
}
