//! The Lambda function `points-action`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_action::FUNCTION)
}
