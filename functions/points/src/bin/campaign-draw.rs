//! The Lambda function `campaign-draw`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_points::campaign_draw::FUNCTION)
}
