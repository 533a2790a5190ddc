//! The Lambda function `points-tally`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_tally::FUNCTION)
}
