//! The Lambda function `shipment-watch`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::shipment_watch::FUNCTION)
}
