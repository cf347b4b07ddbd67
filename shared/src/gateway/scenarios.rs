//! Walks `fixtures/gateway`: every scenario is a world, a mail and what is expected of the answer
//! (the matcher of `contracts/route.md`). Names carry the statement they are about.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Map;
use serde_json::Value;

use super::world::World;

const OPERATORS: [&str; 7] = ["any_of", "not", "contains", "lacks", "starts", "none", "unordered"];
/// Their order means nothing.
const SETS: [&str; 3] = ["notify", "copied", "marks"];

/// `None` if `got` holds all that `want` asks for, else a line that says where not.
fn differs(want: &Value, got: &Value, at: &str) -> Option<String> {
    match want {
        Value::Object(keys) if !keys.is_empty() && keys.keys().all(|it| OPERATORS.contains(&it.as_str())) => {
            keys.iter().find_map(|(name, want)| operator(name, want, got, at))
        }
        Value::Object(keys) => {
            let Value::Object(found) = got else { return Some(format!("{at}: {got} instead of {want}")) };
            keys.iter()
                .find_map(|(key, want)| differs(want, found.get(key).unwrap_or(&Value::Null), &format!("{at}.{key}")))
        }
        Value::Array(_) if SETS.iter().any(|it| at.ends_with(&format!(".{it}"))) => {
            operator("unordered", want, got, at)
        }
        Value::Array(items) => match got {
            Value::Array(found) if found.len() == items.len() => items
                .iter()
                .zip(found)
                .enumerate()
                .find_map(|(i, (want, got))| differs(want, got, &format!("{at}[{i}]"))),
            _ => Some(format!("{at}: {got} instead of {want}")),
        },
        _ if want == got => None,
        _ => Some(format!("{at}: {got} instead of {want}")),
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn operator(name: &str, want: &Value, got: &Value, at: &str) -> Option<String> {
    let holds = |want: &Value, got: &Value| differs(want, got, at).is_none();
    let text = got.as_str();
    let items = got.as_array().cloned().unwrap_or_default();
    let has = |want: &Value| match text {
        Some(text) => want.as_str().is_some_and(|it| text.contains(it)),
        None => items.iter().any(|got| holds(want, got)),
    };
    let ok = match name {
        "any_of" => list(want).iter().any(|want| holds(want, got)),
        "not" => !holds(want, got),
        "starts" => text.zip(want.as_str()).is_some_and(|(text, start)| text.starts_with(start)),
        "contains" => list(want).iter().all(has),
        "lacks" => !list(want).iter().any(has),
        "none" => !items.iter().any(|got| holds(want, got)),
        "unordered" => got.is_array() && assign(&list(want), &items, at),
        _ => false,
    };
    (!ok).then(|| format!("{at}: {got} is not: {name} {want}"))
}

/// Every wanted item matches another item found.
fn assign(want: &[Value], free: &[Value], at: &str) -> bool {
    let Some((first, rest)) = want.split_first() else { return free.is_empty() };
    want.len() == free.len()
        && (0..free.len()).any(|i| {
            let mut left = free.to_vec();
            let taken = left.remove(i);
            differs(first, &taken, at).is_none() && assign(rest, &left, at)
        })
}

fn read(path: &Path) -> Map<String, Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
    let own: Map<String, Value> = serde_json::from_str(&text).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
    let base = own.get("base").and_then(Value::as_str).map(|it| read(&path.with_file_name("").join(it)));
    let mut all = base.unwrap_or_default();
    all.extend(own);
    all
}

/// Names of scenarios that do not hold, with the difference.
fn walk(dir: &Path) -> (usize, Vec<String>) {
    let mut worlds: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|it| it.unwrap().path()).collect();
    worlds.retain(|it| it.extension().is_some_and(|it| it == "json"));
    worlds.sort();
    let mut bad = Vec::new();
    for path in &worlds {
        let name = path.file_stem().unwrap().to_string_lossy();
        let scenario = read(path);
        let expect = scenario.get("expect").unwrap_or_else(|| panic!("{name} expects nothing"));
        let raw = fs::read(path.with_extension("eml")).unwrap_or_else(|it| panic!("{name}.eml: {it}"));
        let world = World::read(&Value::Object(scenario.clone())).unwrap_or_else(|it| panic!("{name}: {it}"));
        let answer = world.route(&raw).unwrap_or_else(|it| panic!("{name}: {it}"));
        let again = world.route(&raw).unwrap();
        assert_eq!(answer, again, "{name}: the same facts give the same verdict");
        let got = serde_json::to_value(&answer).unwrap();
        bad.extend(differs(expect, &got, "").map(|it| format!("{name}{it}")));
    }
    (worlds.len(), bad)
}

#[test]
fn every_scenario_holds() {
    let (n_ran, bad) = walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gateway"));
    println!("{n_ran} routing scenarios ran, {} hold", n_ran - bad.len());
    assert!(n_ran > 0, "no scenario was found");
    assert!(bad.is_empty(), "{} of {n_ran} do not hold:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn the_matcher_tells_apart() {
    let check = |want: &str, got: &str, holds: bool| {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let differs = differs(&parse(want), &parse(got), "");
        assert_eq!(differs.is_none(), holds, "{want} against {got}: {differs:?}");
    };
    check(r#"{"a": null}"#, r"{}", true);
    check(r#"{"a": [1, 2]}"#, r#"{"a": [2, 1]}"#, false);
    check(r#"{"notify": [1, 2]}"#, r#"{"notify": [2, 1]}"#, true);
    check(r#"{"notify": [1, 1]}"#, r#"{"notify": [1, 2]}"#, false);
    check(r#"{"a": {"starts": "5."}}"#, r#"{"a": "5.1.1"}"#, true);
    check(r#"{"a": {"contains": ["x", "y"]}}"#, r#"{"a": "xz"}"#, false);
    check(r#"{"a": {"none": {"b": 1}}}"#, r#"{"a": [{"b": 2}]}"#, true);
    check(r#"{"a": {"not": []}}"#, r#"{"a": []}"#, false);
    check(r#"{"a": {"any_of": [1, null]}}"#, r"{}", true);
    check(r#"{"a": {"lacks": "x"}}"#, r"{}", true);
}
