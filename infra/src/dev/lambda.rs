//! cargo-lambda: writing one function against the running stack, and building
//! all of them for AWS.

use std::{
    fmt::Write,
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    binaries,
    child::{self, Stop},
    failure::{Failure, Trying},
    place::Place,
    running::Running,
    show::{self, bold},
    stack::Stack,
    tools::Tools,
};

/// Where `cargo lambda watch` listens.
const PORT: u16 = 9000;

/// A program that cargo runs a function with: it gives it its environment.
const RUNNER: &str = "#!/bin/sh
# Gives a function the environment that it has in the local stack.
. \"$(dirname \"$0\")/$(basename \"$1\").env\"
exec \"$@\"
";

/// `cargo dev watch`.
pub(super) fn watch(place: &Place, stop: &Stop) -> Result<(), Failure> {
    let (_, stack) = Running::stack(place)?;
    if TcpStream::connect(("127.0.0.1", PORT)).is_ok() {
        return Err(Failure::new(format!("Port {PORT} is taken: perhaps another watch runs."))
            .remedy("Close it first; `cargo dev invoke` reaches it there."));
    }
    let tools = Tools::of_lambda(place, stop, false)?;
    let runner = runner(place, &stack)?;
    show::line(format!("\n{}", bold("Every function, rebuilt when its code changes.")))?;
    show::line("They use the tables, queues and secrets of the running stack.")?;
    show::line(format!(
        "  routes   http://127.0.0.1:{PORT}/orders and so on; without a login, so those of shoppers answer 401"
    ))?;
    show::line(
        "  one call cargo dev invoke order-place        with tests/events/order-place.json\n",
    )?;
    let mut command = cargo_lambda(place, &tools);
    command
        .args(["lambda", "watch", "--invoke-address", "127.0.0.1"])
        .env(runner_variable()?, runner)
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    match child::hand_over(&mut command, stop) {
        Err(Failure::Stopped) => Ok(()),
        other => other,
    }
}

/// `cargo dev invoke <function>`.
pub(super) fn invoke(
    place: &Place,
    stop: &Stop,
    function: &str,
    data_file: Option<&Path>,
) -> Result<(), Failure> {
    if TcpStream::connect(("127.0.0.1", PORT)).is_err() {
        return Err(Failure::new("No function is being watched.")
            .remedy("Start `cargo dev watch` in another terminal; it waits for calls."));
    }
    let event = data_file.map_or_else(
        || place.of(&format!("tests/events/{function}.json")),
        |file| std::env::current_dir().unwrap_or_default().join(file),
    );
    if !event.is_file() {
        return Err(Failure::new(format!("There is no {}.", place.shown(&event)))
            .remedy("Name a file that holds the event with `--data-file`. Those of the project are in tests/events."));
    }
    let tools = Tools::of_lambda(place, stop, false)?;
    let mut command = cargo_lambda(place, &tools);
    command
        .args(["lambda", "invoke", function, "--invoke-address", "127.0.0.1", "--data-file"])
        .arg(event);
    child::hand_over(&mut command, stop)
}

/// `cargo dev build`: every function for AWS, and how large it is.
pub(super) fn build(place: &Place, stop: &Stop) -> Result<(), Failure> {
    let tools = Tools::of_lambda(place, stop, true)?;
    let mut command = cargo_lambda(place, &tools);
    command.args(["lambda", "build", "--release", "--arm64", "--workspace"]);
    for ours in ["infra", "tests", "simulation", "bench", "fuzz"] {
        command.args(["--exclude", &format!("aftercart-{ours}")]);
    }
    child::hand_over(&mut command, stop)?;
    show::line("")?;
    let mut sizes = tools.command("python");
    sizes.arg(place.of("infra/local/sizes.py")).arg(place.of("target/lambda"));
    child::hand_over(&mut sizes, stop)?;
    show::line(
        "\nThe binaries are in target/lambda, where template.yaml expects them: `sam deploy --guided` is next.",
    )
}

/// Cargo, with cargo-lambda where it finds it.
fn cargo_lambda(place: &Place, tools: &Tools) -> Command {
    let mut command = binaries::cargo(place);
    if let Some(path) = tools.path() {
        command.env("PATH", path);
    }
    command
}

/// Writes the runner and, beside it, the environment of each function.
fn runner(place: &Place, stack: &Stack) -> Result<PathBuf, Failure> {
    let runner = place.local("watch/run")?;
    let tried = "write the environments of the functions";
    fs::write(&runner, RUNNER).trying(tried)?;
    fs::set_permissions(&runner, fs::Permissions::from_mode(0o755)).trying(tried)?;
    for (name, function) in &stack.functions {
        let mut lines = format!(
            "export AWS_ENDPOINT_URL='{}' AWS_REGION='{}' AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\n",
            stack.endpoint, stack.region
        );
        for (variable, value) in &function.environment {
            writeln!(lines, "export {variable}='{}'", value.replace('\'', "'\\''"))
                .trying(tried)?;
        }
        fs::write(place.local(&format!("watch/{name}.env"))?, lines).trying(tried)?;
    }
    Ok(runner)
}

/// The variable that names the runner for programs of this machine.
fn runner_variable() -> Result<String, Failure> {
    let said = Command::new("rustc").arg("-vV").output().trying("ask rustc about this machine")?;
    let about = String::from_utf8_lossy(&said.stdout).into_owned();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).ok_or_else(|| {
        Failure::new("rustc does not say what machine this is.").remedy("Try `rustc -vV`.")
    })?;
    Ok(format!("CARGO_TARGET_{}_RUNNER", host.to_uppercase().replace('-', "_")))
}
