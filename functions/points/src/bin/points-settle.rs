//! The Lambda function `points-settle`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_settle::FUNCTION)
}
