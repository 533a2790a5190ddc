//! The Lambda function `points-mature`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_mature::FUNCTION)
}
