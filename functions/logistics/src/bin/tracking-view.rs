//! The Lambda function `tracking-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::tracking_view::FUNCTION)
}
