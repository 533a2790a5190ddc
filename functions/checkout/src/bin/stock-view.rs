//! The Lambda function `stock-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::stock_view::FUNCTION)
}
