//! The Lambda function `redemption-list`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::redemption_list::FUNCTION)
}
