//! The Lambda function `points-post`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_post::FUNCTION)
}
