//! Kills functions at work, by their process.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::dev::{child::Stop, failure::Failure, place::Place};

/// Between two looks at what processes do: a function at work is switched to
/// and from several times in it, one that waits for its next call is not.
const LOOK: Duration = Duration::from_millis(4);

/// How long it waits after each, at the least and at the most.
const WAIT_MS: std::ops::Range<u64> = 100..600;

/// Kills children of one process, and counts whom.
pub(super) struct Killer {
    /// The emulator; 0 is nobody.
    parent: AtomicU32,
    ended: AtomicBool,
    binaries: PathBuf,
    dice: Mutex<fastrand::Rng>,
    killed: Mutex<BTreeMap<String, u32>>,
}

/// A function's process.
struct Victim {
    pid: u32,
    name: String,
    switches: u64,
}

impl Killer {
    /// One that aims at nobody.
    pub(super) fn new(place: &Place, seed: u64) -> Result<Self, Failure> {
        if !fs::exists("/proc/self/stat").unwrap_or(false) {
            return Err(Failure::new("There is no /proc here: processes cannot be found.")
                .remedy("Run it on Linux."));
        }
        Ok(Self {
            parent: AtomicU32::new(0),
            ended: AtomicBool::new(false),
            binaries: place.local("bin")?,
            dice: Mutex::new(fastrand::Rng::with_seed(seed)),
            killed: Mutex::default(),
        })
    }

    /// Aims at the functions of this emulator.
    pub(super) fn aim(&self, parent: Option<u32>) {
        self.parent.store(parent.unwrap_or(0), Ordering::Relaxed);
    }

    /// Kills nobody any more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Kills one after the other until the end.
    pub(super) fn run(&self, stop: &Stop) {
        while !self.ended.load(Ordering::Relaxed) && !stop.requested() {
            self.kill_one();
            let wait = self.roll(|dice| dice.u64(WAIT_MS));
            thread::sleep(Duration::from_millis(wait));
        }
    }

    /// How many were killed, and who most often.
    pub(super) fn report(&self) -> String {
        let killed = self.killed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut most: Vec<(&String, &u32)> = killed.iter().collect();
        most.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        let named = most.iter().take(6).map(|(name, count)| format!("{name} {count}"));
        let named: Vec<String> = named.collect();
        let all: u32 = killed.values().sum();
        format!("{all} processes of {} functions at work: {}, ...", killed.len(), named.join(", "))
    }

    fn kill_one(&self) {
        let before = self.children();
        thread::sleep(LOOK);
        let mut at_work = self.children();
        at_work
            .retain(|it| before.iter().any(|was| was.pid == it.pid && was.switches < it.switches));
        if at_work.is_empty() {
            return;
        }
        let chosen = self.roll(|dice| dice.usize(..at_work.len()));
        let Some(victim) = at_work.get(chosen) else { return };
        let pid = i32::try_from(victim.pid).ok().and_then(Pid::from_raw);
        if pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok()) {
            let mut killed = self.killed.lock().unwrap_or_else(PoisonError::into_inner);
            *killed.entry(victim.name.clone()).or_default() += 1;
        }
    }

    /// The functions that the emulator runs: its children, of our binaries.
    fn children(&self) -> Vec<Victim> {
        let parent = self.parent.load(Ordering::Relaxed);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| parent != 0 && parent_of(*pid) == Some(parent))
            .filter_map(|pid| {
                let binary = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
                let file = binary.strip_prefix(&self.binaries).ok()?.to_str()?;
                let name = file.split('@').next()?.to_owned();
                Some(Victim { pid, name, switches: switches(pid) })
            })
            .collect()
    }

    fn roll<T>(&self, how: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        how(&mut self.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The parent, of `/proc/<pid>/stat`: the second word after the name, which is
/// in brackets and may hold any character.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

/// How often its threads were switched from.
fn switches(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_task = |task: fs::DirEntry| {
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        let lines = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        Some(lines.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum::<u64>())
    };
    tasks.filter_map(of_task).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_found_by_their_parent() {
        let ours = std::process::id();
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let found = parent_of(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found, Some(ours));
        assert!(switches(ours) > 0);
        assert_eq!(parent_of(u32::MAX), None);
    }
}
