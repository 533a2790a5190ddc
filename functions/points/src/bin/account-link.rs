//! The Lambda function `account-link`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::account_link::FUNCTION)
}
