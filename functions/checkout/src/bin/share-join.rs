//! The Lambda function `share-join`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::share_join::FUNCTION)
}
