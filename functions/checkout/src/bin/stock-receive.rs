//! The Lambda function `stock-receive`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::stock_receive::FUNCTION)
}
