//! The Lambda function `points-gift`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_gift::FUNCTION)
}
