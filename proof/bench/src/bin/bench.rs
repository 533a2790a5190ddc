//! `cargo dev bench`: see [`aftercart_bench`].

fn main() -> std::process::ExitCode {
    aftercart_bench::main()
}
