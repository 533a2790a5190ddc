//! The Lambda function `stock-watch`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::stock_watch::FUNCTION)
}
