//! The Lambda function `points-adjust`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_adjust::FUNCTION)
}
