//! The Lambda function `carrier-event`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::carrier_event::FUNCTION)
}
