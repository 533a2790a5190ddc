//! The Lambda function `points-view`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_view::FUNCTION)
}
