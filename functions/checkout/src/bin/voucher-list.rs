//! The Lambda function `voucher-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_checkout::voucher_list::FUNCTION)
}
