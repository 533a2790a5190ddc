//! The Lambda function `voucher-grant`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::voucher_grant::FUNCTION)
}
