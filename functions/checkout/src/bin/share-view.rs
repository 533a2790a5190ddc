//! The Lambda function `share-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::share_view::FUNCTION)
}
