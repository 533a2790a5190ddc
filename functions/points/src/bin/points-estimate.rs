//! The Lambda function `points-estimate`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_estimate::FUNCTION)
}
