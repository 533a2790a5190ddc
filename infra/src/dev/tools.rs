//! The Python tools of the local stack, in `.aftercart/venv`, and those whose
//! needs do not go with theirs, each in a folder of its own. Versions are pinned
//! in `infra/local/*.txt`; nothing is installed elsewhere.

use std::{ffi::OsString, fs, iter, path::PathBuf, process::Command};

use super::{
    child::{self, Stop},
    failure::{Failure, Trying},
    place::Place,
    show::Step,
};

/// What the emulator and the deployment need.
const STACK: &str = "infra/local/requirements.txt";

/// What `watch` and `invoke` need.
const CARGO_LAMBDA: &str = "infra/local/cargo-lambda.txt";

/// What `build` needs besides.
const ZIG: &str = "infra/local/zig.txt";

/// What the template's linter needs besides the stack's.
const LINT: &str = "infra/local/lint.txt";

/// What tries the API against its description.
const SCHEMATHESIS: &str = "infra/local/schemathesis.txt";

/// What looks for settings of the template that are not safe.
const CHECKOV: &str = "infra/local/checkov.txt";

/// The folder of the tools of the local stack.
const VENV: &str = "venv";

/// The Python that the tools are known to work with, or a later one.
const PYTHON: &str =
    "import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 10) else 3)";

/// The tools, installed.
pub(super) struct Tools {
    /// In `.aftercart`.
    folder: &'static str,
    bin: PathBuf,
}

impl Tools {
    /// The emulator and the deployment. Installs what is missing: about 110 MB.
    pub(super) fn of_stack(place: &Place, stop: &Stop) -> Result<Self, Failure> {
        let step = Step::begin("Python tools", "looking for .aftercart/venv")?;
        let tools = Self::venv(place, stop, VENV)?;
        if tools.has(place, STACK) {
            step.done("in .aftercart/venv")?;
        } else {
            tools.install(place, stop, &step, STACK)?;
            step.done("installed into .aftercart/venv (130 MB)")?;
        }
        Ok(tools)
    }

    /// The template's linter, beside the stack's tools, of which it uses some.
    pub(super) fn of_lint(place: &Place, stop: &Stop) -> Result<Self, Failure> {
        let tools = Self::of_stack(place, stop)?;
        if !tools.has(place, LINT) {
            let step = Step::begin("cfn-lint", "installing into .aftercart/venv")?;
            tools.install(place, stop, &step, LINT)?;
            step.done("installed into .aftercart/venv (60 MB)")?;
        }
        Ok(tools)
    }

    /// cargo-lambda: 33 MB, and 370 MB for the Zig compiler, which links for other machines.
    pub(super) fn of_lambda(place: &Place, stop: &Stop, zig: bool) -> Result<Self, Failure> {
        let tools = Self::venv(place, stop, VENV)?;
        let lists = if zig { &[CARGO_LAMBDA, ZIG][..] } else { &[CARGO_LAMBDA] };
        for list in lists.iter().filter(|list| !tools.has(place, list)) {
            let step = Step::begin("cargo-lambda", "installing into .aftercart/venv")?;
            tools.install(place, stop, &step, list)?;
            step.done("installed into .aftercart/venv")?;
        }
        Ok(tools)
    }

    /// schemathesis: 95 MB.
    pub(super) fn of_api_check(place: &Place, stop: &Stop) -> Result<Self, Failure> {
        Self::apart(place, stop, "schemathesis", "venv-schemathesis", SCHEMATHESIS)
    }

    /// checkov: 300 MB.
    pub(super) fn of_security_check(place: &Place, stop: &Stop) -> Result<Self, Failure> {
        Self::apart(place, stop, "checkov", "venv-checkov", CHECKOV)
    }

    /// A tool in a folder of its own.
    fn apart(
        place: &Place,
        stop: &Stop,
        name: &'static str,
        folder: &'static str,
        list: &str,
    ) -> Result<Self, Failure> {
        let step = Step::begin(name, &format!("looking for .aftercart/{folder}"))?;
        let tools = Self::venv(place, stop, folder)?;
        if !tools.has(place, list) {
            tools.install(place, stop, &step, list)?;
        }
        step.done(&format!("in .aftercart/{folder}"))?;
        Ok(tools)
    }

    /// A program of the tools, which finds the others.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        if let Some(path) = self.path() {
            command.env("PATH", path);
        }
        command
    }

    /// The search path with the tools before everything else.
    pub(super) fn path(&self) -> Option<OsString> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(iter::once(self.bin.clone()).chain(std::env::split_paths(&path))).ok()
    }

    fn venv(place: &Place, stop: &Stop, name: &'static str) -> Result<Self, Failure> {
        let folder = place.local(name)?;
        let tools = Self { folder: name, bin: folder.join("bin") };
        let works =
            |program| child::run(tools.command("python").args(["-c", program]), stop, |_| ());
        if tools.bin.join("python").exists() && works("import pip").is_ok_and(|said| said.ok) {
            return Ok(tools);
        }
        let python = python(stop)?;
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .trying(format_args!("remove the unusable .aftercart/{name}"))?;
        }
        let said =
            child::run(Command::new(python).args(["-m", "venv"]).arg(&folder), stop, |_| ())?;
        if said.ok {
            return Ok(tools);
        }
        Err(Failure::new(format!(
            "Python could not make {}:\n{}",
            folder.display(),
            said.last_words(5)
        )))
    }

    fn install(&self, place: &Place, stop: &Stop, step: &Step, list: &str) -> Result<(), Failure> {
        step.announce(&format!("installing what {list} names into .aftercart/{}", self.folder))?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--no-input",
            "--disable-pip-version-check",
            "-q",
        ];
        let mut command = self.command("python");
        let said = child::run(command.args(pip).arg("-r").arg(place.of(list)), stop, |_| ())?;
        if !said.ok {
            return Err(Failure::new(format!("pip could not install {list}:\n{}", said.last_words(8)))
                .remedy("It needs a connection to the Python package index. Run the command again when there is one."));
        }
        fs::copy(place.of(list), self.stamp(place, list)?).trying("note what is installed")?;
        Ok(())
    }

    /// The copy of a list that says that it is installed.
    fn stamp(&self, place: &Place, list: &str) -> Result<PathBuf, Failure> {
        let name = list.rsplit('/').next().unwrap_or(list);
        place.local(&format!("{}/installed-{name}", self.folder))
    }

    fn has(&self, place: &Place, list: &str) -> bool {
        let wanted = fs::read(place.of(list)).ok();
        let installed = self.stamp(place, list).ok().and_then(|stamp| fs::read(stamp).ok());
        wanted.is_some() && wanted == installed
    }
}

/// The machine's Python, if it is one that serves.
fn python(stop: &Stop) -> Result<&'static str, Failure> {
    let mut trouble = Failure::new("There is no Python on this machine (no python3 in PATH).")
        .remedy("Install Python 3.10 or later, with venv: on Debian and Ubuntu `sudo apt-get install python3 python3-venv`, on macOS `brew install python`.");
    for name in ["python3", "python"] {
        match child::run(Command::new(name).args(["-c", PYTHON]), stop, |_| ()) {
            Ok(said) if said.ok => return Ok(name),
            Ok(said) if said.err.contains("ModuleNotFoundError") => {
                trouble = Failure::new(format!("{name} is there, but without venv, which installs tools into a folder of their own."))
                    .remedy("Install it: on Debian and Ubuntu `sudo apt-get install python3-venv`.");
            }
            Ok(_) => {
                trouble = Failure::new(format!("{name} is older than Python 3.10."))
                    .remedy("Install Python 3.10 or later and put it first in PATH.");
            }
            Err(Failure::Stopped) => return Err(Failure::Stopped),
            Err(_) => {}
        }
    }
    Err(trouble)
}
