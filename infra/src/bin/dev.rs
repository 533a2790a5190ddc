//! `cargo dev`: the suite on one machine. See [`aftercart_infra::dev`].

fn main() -> std::process::ExitCode {
    aftercart_infra::dev::main()
}
