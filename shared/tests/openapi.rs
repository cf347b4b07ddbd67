//! The committed OpenAPI document is the one the operation types make, and leaves none of them out.

#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::fs;
use std::path::Path;

use mailroom_shared::api::openapi;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `(operationId, METHOD, route)` of everything in a document.
fn operations(document: &Value) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    for (route, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            out.push((operation["operationId"].as_str().unwrap().to_owned(), method.to_uppercase(), route.clone()));
        }
    }
    out
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let committed = fs::read_to_string(root().join("../worker/openapi.json")).unwrap();
    let committed: Value = serde_json::from_str(&committed).unwrap();
    assert!(committed == openapi::document(), "worker/openapi.json is out of date: run `cargo xtask openapi`");
}

#[test]
fn every_operation_type_is_described() {
    let described = operations(&openapi::document());
    let mut found = 0;
    for file in fs::read_dir(root().join("src/api")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        // `    Name: Method "/route" "about" …`
        for line in text.lines() {
            let Some((name, rest)) = line.trim().split_once(": ") else { continue };
            let Some((method, rest)) = rest.split_once(" \"/api/") else { continue };
            let route = format!("/api/{}", rest.split('"').next().unwrap());
            let wanted = (name.to_owned(), method.to_uppercase(), route);
            assert!(
                described.contains(&wanted),
                "{wanted:?} is not in the document: list its module in api/openapi.rs"
            );
            found += 1;
        }
    }
    assert!(found > 20, "only {found} operations were found");
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, inner)| match inner {
                Value::String(to) if key == "$ref" => {
                    assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to} is not there");
                }
                inner => check(document, inner),
            }),
            Value::Array(list) => list.iter().for_each(|it| check(document, it)),
            _ => {}
        }
    }
    let document = openapi::document();
    check(&document, &document);
    // Each parameter of a path is named, and no name is taken twice.
    let mut names: Vec<String> = operations(&document).into_iter().map(|it| it.0).collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
