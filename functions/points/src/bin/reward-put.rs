//! The Lambda function `reward-put`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::reward_put::FUNCTION)
}
