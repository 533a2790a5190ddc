//! The Lambda function `contest-end`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::contest_end::FUNCTION)
}
