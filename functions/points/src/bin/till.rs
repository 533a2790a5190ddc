//! The Lambda function `till`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::till::FUNCTION)
}
