//! Walks `fixtures/gateway`: every scenario is a world, a mail and what is expected of the answer
//! (the matcher of `contracts/route.md`). Names carry the statement they are about.

mod ask;

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

/// The areas of the behavior catalogue and how many numbered statements each has.
const AREAS: [(&str, u32); 6] = [("PAR", 38), ("RT", 49), ("TH", 18), ("AL", 25), ("CS", 12), ("LP", 17)];

/// Statements that no decision is about, and where they are covered.
const ELSEWHERE: [(&str, &str); 8] = [
    ("PAR-35", "every mail is kept as it came by the Worker, whatever becomes of it"),
    ("AL-07", "aliases are not copied here"),
    ("AL-12", "an alias always has a name, and records have no optional alias of their own"),
    ("AL-13", "there is one company; domains are added one by one"),
    ("AL-14", "there is one company"),
    ("AL-19", "there is one company"),
    ("AL-20", "there is one company"),
    ("AL-21", "From of outgoing mail is the business of outgoing servers"),
];

/// The world of a scenario file.
pub(super) fn world(path: &Path) -> World {
    World::read(&Value::Object(read(path))).unwrap_or_else(|it| panic!("{}: {it}", path.display()))
}

/// Names of scenarios, and those that do not hold with the difference.
fn walk(dir: &Path) -> (Vec<String>, Vec<String>) {
    let mut worlds: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|it| it.unwrap().path()).collect();
    worlds.retain(|it| it.extension().is_some_and(|it| it == "json"));
    worlds.sort();
    let (mut names, mut bad) = (Vec::new(), Vec::new());
    for path in &worlds {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let scenario = read(path);
        let expect = scenario.get("expect").unwrap_or_else(|| panic!("{name} expects nothing"));
        assert!(scenario.get("about").is_some_and(Value::is_string), "{name} is about nothing");
        let world = World::read(&Value::Object(scenario.clone())).unwrap_or_else(|it| panic!("{name}: {it}"));
        let got = if let Some(question) = scenario.get("ask") {
            ask::ask(&world, question)
        } else {
            let raw = fs::read(path.with_extension("eml")).unwrap_or_else(|it| panic!("{name}.eml: {it}"));
            let answer = world.route(&raw).unwrap_or_else(|it| panic!("{name}: {it}"));
            let again = world.route(&raw).unwrap();
            assert_eq!(answer, again, "{name}: the same facts give the same verdict");
            serde_json::to_value(&answer).unwrap()
        };
        bad.extend(differs(expect, &got, "").map(|it| format!("{name}{it}")));
        names.push(name);
    }
    (names, bad)
}

#[test]
fn every_scenario_holds() {
    let (names, bad) = walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gateway"));
    println!("{} routing scenarios ran, {} hold", names.len(), names.len() - bad.len());
    assert!(!names.is_empty(), "no scenario was found");
    assert!(bad.is_empty(), "{} of {} do not hold:\n{}", bad.len(), names.len(), bad.join("\n"));
    let ids = AREAS.into_iter().flat_map(|(area, n)| (1..=n).map(move |i| format!("{area}-{i:02}")));
    let has = |id: &String| names.iter().any(|it| it.starts_with(&format!("{id}-")));
    let is_elsewhere = |id: &String| ELSEWHERE.iter().any(|(it, _)| it == id);
    let missing: Vec<String> = ids.clone().filter(|it| !has(it) && !is_elsewhere(it)).collect();
    assert!(missing.is_empty(), "statements without a scenario: {missing:?}");
    let stale: Vec<&str> = ELSEWHERE.iter().map(|(it, _)| *it).filter(|it| has(&(*it).to_owned())).collect();
    assert!(stale.is_empty(), "covered here after all: {stale:?}");
    // An id nobody wrote down is a typing error.
    let in_area = |name: &&String| AREAS.iter().any(|(area, _)| name.starts_with(&format!("{area}-")));
    let unknown: Vec<&String> =
        names.iter().filter(in_area).filter(|it| !ids.clone().any(|id| it.starts_with(&format!("{id}-")))).collect();
    assert!(unknown.is_empty(), "no such statement: {unknown:?}");
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
