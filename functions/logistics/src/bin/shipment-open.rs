//! The Lambda function `shipment-open`.

fn main() -> std::process::ExitCode {
    aftercart::run::start(&aftercart_logistics::shipment_open::FUNCTION)
}
