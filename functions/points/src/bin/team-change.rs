//! The Lambda function `team-change`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::team_change::FUNCTION)
}
