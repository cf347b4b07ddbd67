//! Every route that is mounted is in the OpenAPI document, open where the route is open.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use serde_json::Value;

const DOCUMENT: &str = include_str!("../openapi.json");
const ROUTES: &str = include_str!("../src/http.rs");
const FILES: &str = include_str!("../src/http/files.rs");

fn operations(document: &Value) -> Vec<(&str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.values().flat_map(|it| it.as_object().unwrap().values());
    all.map(|it| (it["operationId"].as_str().unwrap(), it)).collect()
}

#[test]
fn every_mounted_operation_is_described() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let operations = operations(&document);
    let mut found = 0;
    // `mount::<api::module::Name, _, _>(r, Access, handler)`
    for mounted in ROUTES.split("mount::<api::").skip(1) {
        let name = mounted.split(',').next().unwrap().rsplit("::").next().unwrap();
        let access = mounted.split("(r, ").nth(1).unwrap().split(',').next().unwrap();
        let Some((_, operation)) = operations.iter().find(|(it, _)| *it == name) else {
            panic!("{name} is mounted and not described: run `cargo xtask openapi`");
        };
        let is_open = operation["security"]
            .as_array()
            .is_some_and(|it| it.iter().all(|it| it.get("session").is_none() && it.get("token").is_none()));
        assert_eq!(is_open, access == "Anyone", "{name} is mounted for {access}");
        found += 1;
    }
    assert!(found > 20, "only {found} mounted operations were found");
    // Routes made by hand are written as they stand.
    for text in [ROUTES, FILES] {
        for route in text.split('"').filter(|it| it.starts_with("/api/v1/") || *it == "/api/openapi.json") {
            if route != "/api/v1/session" {
                assert!(document["paths"].get(route).is_some(), "{route} is not described");
            }
        }
    }
}
