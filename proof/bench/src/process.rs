//! Processes of a measurement, and what the system says that they used.

use std::{
    collections::BTreeMap,
    fs,
    future::Future,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
};

use serde::Serialize;

use crate::{
    BenchError,
    failure::{Trying as _, trouble},
};

/// Ticks of the system's clock for CPU time, in a second: what Linux counts in
/// for its users, on every machine.
const TICKS_PER_SECOND: u64 = 100;

/// A process that ends with this value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Closing it tells a part of ours to end.
    _input: Option<ChildStdin>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended: std::io::Result<()> = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Process {
    /// Starts a part of a path, which is this program once more, and reads the
    /// line in which it tells how it is reached.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn part(name: &str, settings: &impl Serialize) -> Result<(Self, String), BenchError> {
        let settings = serde_json::to_string(settings).trying("write down settings")?;
        let program = std::env::current_exe().trying("find this program")?;
        let mut command = Command::new(program);
        command.args([name, &settings]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().trying(format!("start the {name}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let process = Self { child, _input: input };
        let mut line = String::new();
        let output = output.ok_or_else(|| trouble("read", "there is no output"))?;
        BufReader::new(output).read_line(&mut line).trying(format!("hear of the {name}"))?;
        if line.is_empty() {
            return Err(trouble(format!("start the {name}"), "it ended at once"));
        }
        Ok((process, line))
    }

    /// Starts a binary with nothing but these variables. What it logs goes to
    /// a file.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn binary(
        path: &Path,
        environment: &BTreeMap<String, String>,
        log: &Path,
    ) -> Result<Self, BenchError> {
        let file = fs::OpenOptions::new().create(true).append(true).open(log);
        let file = file.trying(format!("open {}", log.display()))?;
        let errors = file.try_clone().trying("open a log twice")?;
        let mut command = Command::new(path);
        command.env_clear().envs(environment);
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let child = command.spawn().trying(format!("start {}", path.display()))?;
        Ok(Self { child, _input: None })
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it used until now.
    ///
    /// # Errors
    /// When the system does not say, because it has ended.
    pub fn usage(&self) -> Result<Usage, BenchError> {
        Usage::of(&self.child.id().to_string())
    }
}

/// What a process used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Milliseconds of CPU, its own and the system's for it.
    pub cpu_ms: u64,
    /// Memory that it holds, in kibibytes.
    pub rss_kib: u64,
    /// The most that it held.
    pub peak_kib: u64,
}

impl Usage {
    /// Of this process.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn own() -> Result<Self, BenchError> {
        Self::of("self")
    }

    fn of(process: &str) -> Result<Self, BenchError> {
        let read = |name: &str| {
            let path = format!("/proc/{process}/{name}");
            fs::read_to_string(&path).trying(format!("read {path}"))
        };
        let (stat, status) = (read("stat")?, read("status")?);
        let ticks = ticks(&stat).ok_or_else(|| trouble("read a process's time", &stat))?;
        Ok(Self {
            cpu_ms: ticks * 1_000 / TICKS_PER_SECOND,
            rss_kib: kibibytes(&status, "VmRSS:"),
            peak_kib: kibibytes(&status, "VmHWM:"),
        })
    }
}

/// The 14th and the 15th field, counted behind the name, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn kibibytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Runs a part of a path until it ends, or whoever started it has gone away:
/// its standard input is closed then.
///
/// # Errors
/// What the part fails with.
pub fn part(work: impl Future<Output = Result<(), BenchError>>) -> Result<(), BenchError> {
    let (gone, alone) = tokio::sync::oneshot::channel();
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            // Nothing is ever written to it: it ends, or fails.
            let _end = std::io::stdin().read(&mut [0]);
            let _over: Result<(), ()> = gone.send(());
        })
        .trying("start a thread")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.trying("start a runtime")?.block_on(async {
        tokio::select! {
            ended = work => ended,
            _ = alone => Ok(()),
        }
    })
}

/// Tells how a part is reached, in one line.
///
/// # Errors
/// When nobody listens.
pub fn tell(how: &impl Serialize) -> Result<(), BenchError> {
    let line = serde_json::to_string(how).trying("write an address")?;
    let mut output = std::io::stdout();
    writeln!(output, "{line}").and_then(|()| output.flush()).trying("tell an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_with_an_odd_name_is_read() {
        let stat = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(175));
        assert_eq!(ticks("42"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        let usage = Usage::own().unwrap();
        assert!(usage.rss_kib > 0 && usage.peak_kib >= usage.rss_kib);
    }
}
