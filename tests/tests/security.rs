//! `SECURITY.md` tells of tests that are there, and every exception of the
//! checks has its reason.

use std::{fs, path::PathBuf};

fn read(path: &str) -> Option<String> {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).ok()
}

#[test]
fn every_test_that_is_named_is_there() {
    let page = read("SECURITY.md").unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| API")).collect();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let quoted = row.split('`').skip(1).step_by(2);
        let named: Vec<_> = quoted.filter_map(|text| text.split_once("::")).collect();
        assert!(named.len() > 1, "{row}");
        for (file, test) in named {
            let text = read(file).unwrap_or_else(|| panic!("SECURITY.md: there is no {file}"));
            let mark = format!("fn {test}()");
            let at =
                text.find(&mark).unwrap_or_else(|| panic!("SECURITY.md: {file} has no {test}"));
            let before = text[..at].trim_end().trim_end_matches("async").trim_end();
            assert!(before.ends_with("test]"), "{file}: {test} is no test");
        }
    }
}

#[test]
fn every_exception_has_its_reason() {
    let text = read("infra/local/checkov.yaml").unwrap();
    let (_, skipped) = text.split_once("skip-check:").unwrap();
    let mut reason = false;
    let mut exceptions = 0;
    for line in skipped.lines().filter(|line| !line.is_empty()) {
        match line.trim_start() {
            line if line.starts_with("# ") => reason = true,
            line => {
                assert!(reason && line.starts_with("- CKV_"), "no reason stands above {line}");
                exceptions += 1;
            }
        }
    }
    assert!(exceptions > 0);
    let deny = read("deny.toml").unwrap();
    let entries = deny.lines().filter(|line| line.trim_start().starts_with("{ crate"));
    for entry in entries {
        assert!(entry.contains("reason = \""), "deny.toml: {entry}");
    }
}
