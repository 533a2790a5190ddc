//! The Lambda function `reward-catalogue`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::reward_catalogue::FUNCTION)
}
