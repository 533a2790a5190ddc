//! The Lambda function `points-programme`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_programme::FUNCTION)
}
