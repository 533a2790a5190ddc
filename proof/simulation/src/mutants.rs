//! Broken variants of the suite, which the simulation has to notice: it would
//! be worth nothing if it could not fail.

use std::{
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use aftercart_infra::world::Mutant;

use crate::run::{Plan, SimulationError, run};

/// What came of looking for a mutant.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Which one.
    pub mutant: &'static Mutant,
    /// The first seed that noticed it, and what it said.
    pub caught: Option<(u64, String)>,
    /// How many seeds were tried.
    pub tried: u64,
}

/// Runs short plans with a mutant, from this seed on, until one notices it.
///
/// # Errors
/// [`SimulationError`].
pub fn try_mutant(
    mutant: &'static Mutant,
    first: u64,
    most: u64,
) -> Result<Trial, SimulationError> {
    for seed in first..first.saturating_add(most) {
        let plan = Plan { mutant: Some(mutant), ..Plan::short(seed) };
        if let Some(what) = run(&plan, &mut |_| ())?.broken {
            return Ok(Trial { mutant, caught: Some((seed, what)), tried: seed - first + 1 });
        }
    }
    Ok(Trial { mutant, caught: None, tried: most })
}

/// Tries every mutant with at most so many seeds each, and tells of each.
///
/// # Errors
/// [`SimulationError`].
pub fn try_mutants(
    jobs: usize,
    most: u64,
    told: impl Fn(&Trial) + Sync,
) -> Result<Vec<Trial>, SimulationError> {
    let next = AtomicUsize::new(0);
    let trials = Mutex::new(Vec::new());
    let work = || -> Result<(), SimulationError> {
        while let Some(mutant) = Mutant::all().get(next.fetch_add(1, Ordering::Relaxed)) {
            let trial = try_mutant(mutant, 0, most)?;
            told(&trial);
            trials.lock().unwrap_or_else(PoisonError::into_inner).push(trial);
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
    let mut trials = trials.into_inner().unwrap_or_else(PoisonError::into_inner);
    let place = |trial: &Trial| Mutant::all().iter().position(|it| it.name == trial.mutant.name);
    trials.sort_by_key(place);
    Ok(trials)
}

/// The table of mutants for the documentation.
#[must_use]
pub fn table(trials: &[Trial]) -> String {
    let mut text =
        String::from("| mutant | what is broken | seed | what noticed it |\n|---|---|---|---|\n");
    for Trial { mutant, caught, tried } in trials {
        let (seed, what) = match caught {
            Some((seed, what)) => (seed.to_string(), readable(what)),
            None => ("none".to_owned(), format!("nothing in {tried} seeds")),
        };
        // Writing to a text does not fail.
        writeln!(text, "| `{}` | {} | {seed} | {what} |", mutant.name, mutant.about).ok();
    }
    text
}

/// How many characters of a finding a table shows.
const SHOWN: usize = 110;

/// A finding without its identities, in one cell.
fn readable(what: &str) -> String {
    let words = what.split(' ').map(|word| {
        let at = word.char_indices().filter(|(_, it)| *it == '_').find_map(|(at, _)| {
            let rest = word.get(at + 1..)?;
            let id = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
            (id >= 26).then_some((at, at + 1 + id))
        });
        match at {
            Some((from, to)) => format!(
                "{}…{}",
                word.get(..=from).unwrap_or_default(),
                word.get(to..).unwrap_or_default()
            ),
            None => word.to_owned(),
        }
    });
    let text = words.collect::<Vec<_>>().join(" ").replace(['|', '\n'], " ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_left_out_and_bars_do_not_break_the_table() {
        let what = "ord_aaaaaaaaaaaaaaaaaaaaaaaaaa is a|b (ent_bbbbbbbbbbbbbbbbbbbbbbbbbb)";
        assert_eq!(readable(what), "ord_… is a b (ent_…)");
    }
}
