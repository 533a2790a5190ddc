//! The Lambda function `reward-redeem`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::reward_redeem::FUNCTION)
}
