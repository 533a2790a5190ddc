//! The Lambda function `member-code`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::member_code::FUNCTION)
}
