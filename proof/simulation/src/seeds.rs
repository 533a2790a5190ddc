//! Many short runs, on all cores.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use crate::run::{Outcome, Plan, SimulationError, run};

/// The most broken runs that are kept.
const BROKEN_MAX: usize = 20;

/// What came of many runs.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// How many there were.
    pub runs: u64,
    /// How many things people and the outside did.
    pub errands: u64,
    /// How many orders were placed.
    pub orders: u64,
    /// All digests together, in no order.
    pub digest: u64,
    /// How often what was answered how.
    pub answers: BTreeMap<(&'static str, u16), u64>,
    /// The runs in which an invariant did not hold, at most twenty.
    pub broken: Vec<Outcome>,
}

impl Summary {
    fn add(&mut self, outcome: Outcome) {
        self.runs += 1;
        self.errands += outcome.errands;
        self.orders += outcome.orders;
        self.digest ^= outcome.digest.rotate_left((outcome.seed % 64) as u32);
        for (key, times) in &outcome.answers {
            *self.answers.entry(*key).or_default() += u64::from(*times);
        }
        if outcome.broken.is_some() && self.broken.len() < BROKEN_MAX {
            self.broken.push(outcome);
        }
    }
}

/// Runs the plans of these seeds, as many side by side as there are jobs, and
/// tells of each how many are done. Stops early when twenty are broken.
///
/// # Errors
/// [`SimulationError`] of the first run that says nothing about the suite.
pub fn many(
    seeds: Range<u64>,
    jobs: usize,
    plan: impl Fn(u64) -> Plan + Sync,
    told: impl Fn(&Summary) + Sync,
) -> Result<Summary, SimulationError> {
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let summary = Mutex::new(Summary::default());
    let work = || -> Result<(), SimulationError> {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let outcome = run(&plan(seed), &mut |_| ()).inspect_err(|_| {
                stop.store(true, Ordering::Relaxed);
            })?;
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            summary.add(outcome);
            told(&summary);
            if summary.broken.len() == BROKEN_MAX {
                stop.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().map_err(|_| SimulationError::Thread)??;
        }
        Ok::<(), SimulationError>(())
    })?;
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.broken.sort_by_key(|it| it.seed);
    Ok(summary)
}
