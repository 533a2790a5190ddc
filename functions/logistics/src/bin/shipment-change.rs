//! The Lambda function `shipment-change`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::shipment_change::FUNCTION)
}
