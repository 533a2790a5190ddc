//! The short run of the fuzzers: every target holds of its corpus and of
//! changes of it that follow from a number. `cargo dev fuzz` runs long.
//!
//! The corpus in `fuzz/corpus` is made by the targets themselves and rewritten
//! by `UPDATE=1`; what was found once lies beside it, under a name that begins
//! with `found`.

use std::{
    collections::BTreeSet,
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread,
};

use aftercart_fuzz::{TARGETS, Target, mutate};

/// How many changed inputs a target gets in all, at least one of each of its
/// corpus: as many as take some seconds.
const CHANGED: u64 = 400;

/// What the changes follow from.
const SEED: u64 = 20_261_121;

fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target.name)
}

/// The corpus of a target, by name.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    };
    files.iter().map(read).collect()
}

/// What is wrong with what became of an input; a panic is.
fn finding(target: &Target, input: &[u8]) -> Option<String> {
    let checked = catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    match checked {
        Ok(verdict) => verdict.err().map(|finding| finding.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied());
            Some(format!("it panics: {}", text.unwrap_or("without a word")))
        }
    }
}

/// The findings of a target on a part of its inputs.
fn findings(target: &Target, part: u64, parts: u64) -> Vec<String> {
    let corpus = corpus(target);
    let each = (CHANGED / corpus.len() as u64).max(1);
    let mut found = Vec::new();
    for (place, (name, input)) in corpus.iter().enumerate() {
        if place as u64 % parts != part {
            continue;
        }
        let other = &corpus[(place * 7 + 3) % corpus.len()].1;
        let first = SEED + place as u64 * 1_000_000;
        let changed = (0..each).map(|number| mutate(input, other, first + number));
        for input in [input.clone()].into_iter().chain(changed) {
            if let Some(finding) = finding(target, &input) {
                let input = String::from_utf8_lossy(&input);
                found.push(format!("{}, from {name}: {finding}\n{input}", target.name));
            }
        }
    }
    found
}

#[test]
fn every_target_holds_of_its_corpus_and_of_changes_of_it() {
    let parts = 2;
    let workers: Vec<_> = (0..parts)
        .map(|part| {
            thread::spawn(move || {
                let of = |target: &Target| findings(target, part, parts);
                TARGETS.iter().flat_map(of).collect::<Vec<String>>()
            })
        })
        .collect();
    let found: Vec<String> =
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n\n"));
}

#[test]
fn the_corpus_is_the_one_that_the_targets_make() {
    for target in TARGETS {
        let folder = folder(&target);
        let made = (target.seeds)().unwrap();
        let names: BTreeSet<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), made.len(), "{} has a seed twice", target.name);
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            for (name, input) in &made {
                fs::write(folder.join(name), input).unwrap();
            }
        }
        let kept = corpus(&target);
        for (name, input) in &made {
            let same = kept.iter().any(|(known, bytes)| known == name && bytes == input);
            assert!(
                same,
                "fuzz/corpus/{}/{name} differs from what the target makes; if that is meant, \
                 run UPDATE=1 cargo test -p aftercart-tests",
                target.name
            );
        }
        let others = kept.iter().map(|(name, _)| name.as_str());
        let strange: Vec<&str> = others
            .filter(|name| !names.contains(name) && !name.starts_with("found"))
            .collect();
        assert!(strange.is_empty(), "{} makes no {strange:?} any more", target.name);
    }
}

#[test]
fn every_target_has_its_fuzzer() {
    let fuzzers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(fuzzers.join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let path = format!("fuzz_targets/{}.rs", target.name);
        let fuzzer = fs::read_to_string(fuzzers.join(&path)).unwrap();
        let constant = format!("aftercart_fuzz::{})", target.name.to_ascii_uppercase());
        assert!(fuzzer.contains(&constant), "{path}");
        assert!(manifest.contains(&path), "{path} is no binary");
    }
}
