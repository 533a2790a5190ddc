//! The suite in a storm: a thousand seeds of it, that it is the same for the
//! same seed, and that it notices what is broken on purpose.

use std::{collections::BTreeMap, fs, path::Path, thread};

use aftercart_infra::world::Mutant;
use aftercart_simulation::{Plan, Summary, many, run, try_mutant};

/// How many seeds behind the one of the table a mutant may live, after a change
/// of the suite threw the dice anew.
const SEEDS_MORE: u64 = 100;

fn cores() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

/// A row of the table of mutants: its name, what is broken, and the seed.
fn rows() -> BTreeMap<String, (String, u64)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulation.md");
    let page = fs::read_to_string(path).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let (name, about, seed) = (cells.next()?, cells.next()?, cells.next()?);
        Some((name.trim_end_matches('`').to_owned(), (about.to_owned(), seed.parse().ok()?)))
    });
    rows.collect()
}

#[test]
fn a_thousand_seeds_are_clean() {
    let summary: Summary = many(0..1_000, cores(), Plan::tiny, |_| ()).unwrap();
    for outcome in &summary.broken {
        println!("seed {}: {}", outcome.seed, outcome.broken.as_deref().unwrap_or_default());
    }
    let Summary { runs, orders, errands, broken, .. } = summary;
    assert_eq!((runs, broken.len()), (1_000, 0));
    assert!(orders > 1_000 && errands > 10_000, "{orders} orders, {errands} errands");
}

#[test]
fn the_same_seed_is_the_same_run_and_another_one_is_another() {
    let digest = |seed| run(&Plan::short(seed), &mut |_| ()).unwrap().digest;
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(11), "both draw the same kind of shop");
}

#[test]
fn the_table_of_mutants_is_complete() {
    let rows = rows();
    let names: Vec<&str> = rows.keys().map(String::as_str).collect();
    let mut all: Vec<&str> = Mutant::all().iter().map(|it| it.name).collect();
    all.sort_unstable();
    assert_eq!(names, all, "`cargo dev simulate --mutants` prints the table of docs/simulation.md");
    for mutant in Mutant::all() {
        assert_eq!(rows[mutant.name].0, mutant.about, "{}", mutant.name);
    }
}

/// The seed of the table, or one soon after it, notices each mutant.
#[test]
fn every_mutant_is_noticed() {
    let rows = rows();
    let mutants: Vec<&'static Mutant> = Mutant::all().iter().collect();
    let of_core = |core: usize| {
        let missed = mutants.iter().skip(core).step_by(cores()).filter(|mutant| {
            let first = rows.get(mutant.name).map_or(0, |it| it.1);
            try_mutant(mutant, first, SEEDS_MORE).unwrap().caught.is_none()
        });
        missed.map(|mutant| mutant.name).collect::<Vec<_>>()
    };
    let of_core = &of_core;
    let missed: Vec<&str> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores()).map(|core| scope.spawn(move || of_core(core))).collect();
        threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(missed, Vec::<&str>::new(), "nothing noticed them");
}
