//! The Lambda function `points-page`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::points_page::FUNCTION)
}
