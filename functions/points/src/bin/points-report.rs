//! The Lambda function `points-report`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_report::FUNCTION)
}
