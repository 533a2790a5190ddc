//! The Lambda function `points-audit`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_audit::FUNCTION)
}
