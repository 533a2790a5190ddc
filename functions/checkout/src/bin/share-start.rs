//! The Lambda function `share-start`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::share_start::FUNCTION)
}
