//! The Lambda function `stock-move`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::stock_move::FUNCTION)
}
