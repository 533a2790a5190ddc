//! Programs that the dev command runs, and the wish to stop.
//!
//! Each runs in a process group of its own: Ctrl-C reaches the dev command
//! alone, which then ends the whole group, so that none is left behind.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::{consts, flag};

use super::failure::{Failure, Trying};

/// How often something awaited is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Set once the developer wants the end.
#[derive(Debug, Clone)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for Ctrl-C, the end of the terminal and a request to terminate.
    /// A second one ends the dev command at once; what it started ends by itself.
    pub(super) fn listen() -> Result<Self, Failure> {
        let wanted = Arc::new(AtomicBool::new(false));
        for signal in [consts::SIGINT, consts::SIGTERM, consts::SIGHUP] {
            flag::register_conditional_shutdown(signal, 130, Arc::clone(&wanted))
                .and_then(|_| flag::register(signal, Arc::clone(&wanted)))
                .trying("listen for Ctrl-C")?;
        }
        Ok(Self(wanted))
    }

    /// Asks for the end from within.
    pub(super) fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    pub(super) fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Goes on, unless the end was asked for.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.requested() { Err(Failure::Stopped) } else { Ok(()) }
    }

    /// Waits, unless the end is asked for meanwhile.
    pub(super) fn pause(&self, time: Duration) -> Result<(), Failure> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.check()?;
            thread::sleep(GLANCE.min(time));
        }
        self.check()
    }
}

/// What a program said, once it has ended.
pub(super) struct Said {
    /// Whether it reports success.
    pub(super) ok: bool,
    /// What it wrote to stdout.
    pub(super) out: String,
    /// What it wrote to stderr.
    pub(super) err: String,
}

impl Said {
    /// Its last words, for a message about its failure.
    pub(super) fn last_words(&self, lines: usize) -> String {
        let said = if self.err.trim().is_empty() { &self.out } else { &self.err };
        let all: Vec<&str> = said.trim().lines().collect();
        all.get(all.len().saturating_sub(lines)..).unwrap_or(&all).join("\n")
    }
}

/// Runs a program to its end. `hear` gets each line of its stdout at once.
///
/// # Errors
/// When it cannot be started, and [`Failure::Stopped`] when the end was asked for.
pub(super) fn run(
    command: &mut Command,
    stop: &Stop,
    hear: impl Fn(&str) + Send + 'static,
) -> Result<Said, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .trying(format_args!("run {name}"))?;
    let out = child.stdout.take().map(|out| thread::spawn(move || listen(out, hear)));
    let err = child.stderr.take().map(|err| thread::spawn(move || listen(err, |_| ())));
    let status = wait(&mut child, stop);
    if status.is_err() {
        end(&mut child, Signal::TERM);
    }
    let text = |reader: Option<thread::JoinHandle<String>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    let (out, err) = (text(out), text(err));
    Ok(Said { ok: status?.success(), out, err })
}

fn listen(pipe: impl Read, hear: impl Fn(&str)) -> String {
    let mut all = String::new();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        hear(&line);
        all.push_str(&line);
        all.push('\n');
    }
    all
}

/// Runs a program that talks to the developer itself, in our own terminal.
///
/// # Errors
/// When it cannot be started, or reports failure.
pub(super) fn hand_over(command: &mut Command, stop: &Stop) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().trying(format_args!("run {name}"))?;
    // Ctrl-C has reached the program too; a request to terminate has not.
    let status = wait(&mut child, stop).or_else(|_| {
        if let Some(id) = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default()) {
            rustix::process::kill_process(id, Signal::TERM).ok();
        }
        child.wait().trying("wait for it")
    })?;
    stop.check()?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{name} reports failure."))) }
}

fn wait(child: &mut Child, stop: &Stop) -> Result<ExitStatus, Failure> {
    loop {
        if let Some(status) = child.try_wait().trying("wait for a program")? {
            return Ok(status);
        }
        stop.pause(GLANCE)?;
    }
}

/// Ends a program that leads a process group, and all that it started. The
/// leader has a grace to tidy up; when it is gone, the others are gone at once.
pub(super) fn end(child: &mut Child, signal: Signal) {
    let group = Pid::from_child(child);
    kill_process_group(group, signal).ok();
    let until = Instant::now() + GRACE;
    while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(GLANCE);
    }
    kill_process_group(group, Signal::KILL).ok();
    child.wait().ok();
}
