//! The functions' binaries, built for this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::UNIX_EPOCH,
};

use serde_json::Value;

use super::{
    child::{self, Said, Stop},
    failure::{Failure, Trying},
    place::Place,
    show::Step,
};

/// Builds every function and gives the folder that holds one binary of each,
/// named `<function>@<edition>`: another edition after each change, and the
/// same while nothing changes. A running stack keeps the editions it has.
pub(super) fn build(place: &Place, stop: &Stop) -> Result<PathBuf, Failure> {
    let step = Step::begin("Functions", "building")?;
    let built = Arc::new(AtomicUsize::new(0));
    let (counter, teller) = (Arc::clone(&built), step.teller());
    // The same packages as those of the dev command, so that what it shares
    // with the functions is not compiled again with fewer features.
    let mut cargo = cargo(place);
    cargo.args(["build", "--bins", "--workspace", "--exclude", "aftercart-tests"]);
    cargo.arg("--message-format=json-render-diagnostics");
    let said = child::run(&mut cargo, stop, move |message| {
        if message.contains(r#""executable":"/"#) {
            let count = counter.fetch_add(1, Ordering::Relaxed) + 1;
            teller.set_message(format!("building, {count} ready"));
        }
    })?;
    if !said.ok {
        return Err(unbuilt(&said));
    }
    let folder = place.local("bin")?;
    let functions = said.out.lines().filter_map(function).collect::<Vec<_>>();
    offer(&functions, &folder)?;
    step.done(&format!("{} built", functions.len()))?;
    Ok(folder)
}

/// Cargo, in the project.
pub(super) fn cargo(place: &Place) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo.current_dir(place.of(""));
    cargo
}

/// The name and the path of a function, when the message of cargo is of one.
fn function(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let path = PathBuf::from(message.get("executable")?.as_str()?);
    let name = message.pointer("/target/name")?.as_str()?.to_owned();
    let source = message.pointer("/target/src_path")?.as_str()?;
    source.contains("/functions/").then_some((name, path))
}

/// Links each binary into the folder under its edition, and removes the others.
fn offer(functions: &[(String, PathBuf)], folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).trying("make the folder of the binaries")?;
    let mut current = Vec::new();
    for (name, path) in functions {
        let about = fs::metadata(path).trying(format_args!("find the binary {name}"))?;
        let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let edition = changed.unwrap_or_default().as_millis();
        let offered = folder.join(format!("{name}@{edition}"));
        if !offered.exists() {
            fs::hard_link(path, &offered)
                .or_else(|_| fs::copy(path, &offered).map(drop))
                .trying(format_args!("put {name} into .aftercart/bin"))?;
        }
        current.push(offered);
    }
    let entries = fs::read_dir(folder).trying("list the binaries")?;
    for entry in entries.flatten().filter(|entry| !current.contains(&entry.path())) {
        fs::remove_file(entry.path()).trying("remove an old binary")?;
    }
    Ok(())
}

fn unbuilt(said: &Said) -> Failure {
    if said.err.contains("linker `cc` not found") || said.err.contains("failed to find tool \"cc\"")
    {
        return Failure::new("There is no C compiler on this machine (no cc in PATH); Rust links with it.")
            .remedy("Install one: on Debian and Ubuntu `sudo apt-get install build-essential`, on macOS `xcode-select --install`.");
    }
    Failure::new(format!("The functions do not build:\n\n{}", said.last_words(40)))
        .remedy("`cargo check --workspace` shows all that the compiler has to say.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_binaries_of_functions_count() {
        let message = |name: &str, source: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"{name}","src_path":"{source}"}},"executable":"/t/debug/{name}"}}"#
            )
        };
        let of_function = message("relay", "/p/functions/relay/src/bin/relay.rs");
        assert_eq!(function(&of_function), Some(("relay".to_owned(), "/t/debug/relay".into())));
        assert_eq!(function(&message("dev", "/p/infra/src/bin/dev.rs")), None);
        assert_eq!(
            function(r#"{"reason":"compiler-artifact","target":{"name":"x"},"executable":null}"#),
            None
        );
        assert_eq!(function("Compiling"), None);
    }
}
