//! The Lambda function `tier-grant`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::tier_grant::FUNCTION)
}
