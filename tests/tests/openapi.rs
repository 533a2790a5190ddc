//! The API's description is that of the code, and complete.

use std::{env, fs, path::Path};

use aftercart::run::Trigger;
use aftercart_infra::openapi;
use serde_json::Value;

#[test]
fn the_description_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/openapi.json");
    let made = format!("{:#}\n", openapi::document());
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "infra/openapi.json is out of date: run UPDATE=1 cargo test -p aftercart-tests"
    );
}

#[test]
fn every_route_is_described_with_what_it_answers() {
    let document = openapi::document();
    let mut described = 0;
    for function in aftercart_infra::functions() {
        let Trigger::Http(routes) = function.trigger else { continue };
        for route in routes {
            let operation = &document["paths"][route.path][route.method.to_ascii_lowercase()];
            let responses = operation["responses"].as_object().unwrap();
            let success = responses.keys().any(|status| status.starts_with(['2', '3']));
            assert!(success, "{} {} has no answer but problems", route.method, route.path);
            described += 1;
        }
    }
    let paths = document["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, described);
}

/// A name that two types have gets a number in its second place.
#[test]
fn domains_share_no_name() {
    let document = openapi::document();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        let shared = name.trim_end_matches(|c: char| c.is_ascii_digit());
        // Texts of several lengths are several types.
        let known = shared == "Text";
        assert!(known || shared == name, "{name}: rename one of the types");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = openapi::document();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<&str> =
        operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn every_reference_leads_somewhere() {
    let document = openapi::document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
