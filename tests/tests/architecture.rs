//! The rules of ARCHITECTURE.md that a reader of files can check.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files below a folder of the project, with their texts.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.to_str().unwrap().replace('\\', "/"), text));
            }
        }
    }
    assert!(!files.is_empty(), "{folder}");
    files
}

/// What the code says, without comments and tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn none_of(files: &[(String, String)], words: &[&str], why: &str) {
    for (path, text) in files {
        let text = code(text);
        for word in words {
            assert!(!text.contains(word), "{path} has `{word}`: {why}");
        }
    }
}

/// What each crate may use of the project.
#[test]
fn crates_depend_one_way() {
    let mut allowed: BTreeMap<String, Vec<&str>> = BTreeMap::from([
        ("shared".to_owned(), vec![]),
        ("pricing".to_owned(), vec!["aftercart"]),
        ("insight".to_owned(), vec!["aftercart"]),
        ("infra".to_owned(), vec!["aftercart", "aftercart-*"]),
        ("tests".to_owned(), vec!["aftercart", "aftercart-*"]),
    ]);
    for entry in fs::read_dir(root().join("functions")).unwrap() {
        let name = entry.unwrap().file_name();
        let uses = vec!["aftercart", "aftercart-pricing", "aftercart-insight"];
        allowed.insert(format!("functions/{}", name.to_str().unwrap()), uses);
    }
    for (folder, allowed) in allowed {
        let manifest = fs::read_to_string(root().join(&folder).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("dependencies]").skip(1).flat_map(str::lines);
        let ours = dependencies.filter(|line| line.starts_with("aftercart"));
        for line in ours {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            let known = allowed.contains(&name)
                || (name.starts_with("aftercart-") && allowed.contains(&"aftercart-*"));
            assert!(known, "{folder} may not use {name}");
        }
    }
}

#[test]
fn modules_of_the_common_crate_depend_one_way() {
    let model = sources("shared/src/model");
    let above = &["crate::messages", "crate::aws", "crate::store", "crate::run"];
    none_of(&model, above, "the model is the base");
    let messages = vec![(
        "shared/src/messages.rs".to_owned(),
        fs::read_to_string(root().join("shared/src/messages.rs")).unwrap(),
    )];
    none_of(&messages, &["crate::store", "crate::run"], "messages know the model only");
    none_of(&sources("shared/src/store"), &["crate::run"], "the store knows no Lambda");
    let mut aws = sources("shared/src/aws");
    let whole = root().join("shared/src/aws.rs");
    aws.push(("shared/src/aws.rs".to_owned(), fs::read_to_string(whole).unwrap()));
    let ours = &["crate::model", "crate::messages", "crate::store", "crate::run"];
    none_of(&aws, ours, "a call of AWS knows nothing of a shop");
}

const IMPURE: &[&str] = &[
    "crate::aws",
    "aftercart::aws",
    "tokio",
    "async ",
    ".await",
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "fastrand",
    "println!",
];

/// Where rules, verifiers and the readers of others' formats are.
const PURE: &[&str] = &["/rules/", "/providers/", "/carriers/"];

#[test]
fn rules_and_the_model_are_pure() {
    let why = "a rule is a function of its arguments";
    none_of(&sources("shared/src/model"), IMPURE, why);
    none_of(&sources("pricing/src"), IMPURE, why);
    none_of(&sources("insight/src"), IMPURE, why);
    let mut rules: Vec<(String, String)> = Vec::new();
    for domain in
        ["checkout", "payments", "logistics", "points", "surveys", "contacts", "care", "relay"]
    {
        rules.extend(
            sources(&format!("functions/{domain}/src"))
                .into_iter()
                .filter(|(path, _)| PURE.iter().any(|part| path.contains(part)))
                // Calls Stripe, which a rule could not.
                .filter(|(path, _)| !path.ends_with("/stripe/intent.rs")),
        );
    }
    assert!(rules.len() > 8);
    none_of(&rules, IMPURE, why);
    let shared = &["aftercart::store", "store::", "aftercart::run::App", "Clock"];
    let decisions: Vec<_> =
        rules.into_iter().filter(|(path, _)| path.contains("/rules/")).collect();
    none_of(&decisions, shared, "a rule knows neither the store nor the clock");
}

#[test]
fn only_the_store_knows_dynamodb() {
    let mut others = sources("functions");
    others.extend(sources("shared/src/model"));
    let why = "tables, keys and attributes are the store's";
    none_of(
        &others,
        &["aftercart::aws", "AttributeValue", "serde_dynamo", "\"pk\"", "\"sk\""],
        why,
    );
    let glue: Vec<_> = sources("shared/src/run")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("run/config.rs") && !path.ends_with("run/lambda.rs"))
        .collect();
    none_of(&glue, &["serde_dynamo"], why);
}

#[test]
fn a_binary_only_starts_its_function() {
    let mut binaries = 0;
    for (path, text) in sources("functions") {
        if path.contains("/src/bin/") {
            binaries += 1;
            assert!(text.lines().count() <= 15, "{path} is longer than 15 lines");
            assert!(text.contains("aftercart::run::start("), "{path}");
        }
    }
    assert_eq!(binaries, aftercart_infra::functions().len());
}

#[test]
fn every_function_has_the_name_of_its_binary_and_says_what_it_does() {
    let mut names = Vec::new();
    for function in aftercart_infra::functions() {
        let file = format!("/src/bin/{}.rs", function.name);
        let found = sources("functions").into_iter().any(|(path, _)| path.ends_with(&file));
        assert!(found, "{file}");
        assert!(function.about.ends_with('.') && function.about.len() > 20, "{}", function.name);
        names.push(function.name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), aftercart_infra::functions().len());
}

#[test]
fn lints_hold_everywhere() {
    for folder in [
        "shared",
        "pricing",
        "infra",
        "tests",
        "functions/checkout",
        "functions/payments",
        "functions/logistics",
        "functions/points",
        "functions/surveys",
        "functions/relay",
    ] {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{folder}");
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    for folder in ["shared/src", "pricing/src", "functions", "infra/src"] {
        for (path, text) in sources(folder) {
            assert!(!code(&text).contains("#[allow("), "{path}: use #[expect] with a reason");
        }
    }
}

/// The problems that a file of code answers with, each with its status where
/// that is named beside it: what is quoted in the making of one.
fn problems(text: &str) -> Vec<(String, Option<String>)> {
    let code = code(text);
    let mut problems = Vec::new();
    for made in ["Problem::new(", "Self::new(", "impossible(", "not_now("] {
        for rest in code.split(made).skip(1) {
            let arguments = rest.trim_start();
            let quoted = arguments.trim_start_matches(|c: char| c.is_ascii_digit());
            let status = &arguments[..arguments.len() - quoted.len()];
            let status = (!status.is_empty()).then(|| status.to_owned());
            let quoted = quoted.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
            let word = quoted.strip_prefix('"').and_then(|word| word.split('"').next());
            let word = word.filter(|word| word.contains(|c: char| c.is_ascii_lowercase()));
            problems.extend(word.map(|word| (word.to_owned(), status)));
        }
    }
    problems
}

#[test]
fn every_problem_is_explained() {
    let page = fs::read_to_string(root().join("docs/problems.md")).unwrap();
    let mut told: BTreeMap<&str, &str> = BTreeMap::new();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, words, status, when, remedy, _] = cells[..] else { panic!("{row}") };
        assert!(!when.is_empty() && !remedy.is_empty(), "docs/problems.md: {words}");
        told.extend(words.split('`').skip(1).step_by(2).map(|word| (word, status)));
    }
    let mut answered: BTreeSet<String> = BTreeSet::new();
    for (_, text) in sources("functions").into_iter().chain(sources("shared/src/run/http")) {
        for (word, status) in problems(&text) {
            let told = told.get(word.as_str());
            let told = told.unwrap_or_else(|| panic!("docs/problems.md does not explain `{word}`"));
            if let Some(status) = &status {
                assert_eq!(told, status, "docs/problems.md: the status of `{word}`");
            }
            answered.insert(word);
        }
    }
    assert!(answered.len() > 30, "{answered:?}");
    for word in told.keys() {
        assert!(answered.contains(*word), "docs/problems.md: nothing answers `{word}`");
    }
}
