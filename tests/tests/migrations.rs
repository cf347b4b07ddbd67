//! Every upgrade on D1, applied the way `cargo xtask migrate` and a deployment apply it; SQLite is tried natively
//! (`worker/tests/migrations.rs`) with the same rows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::fs;
use std::path::PathBuf;

use mailroom_tests::paths;
use mailroom_tests::stack::Stack;
use mailroom_tests::stack::StackOptions;
use mailroom_tests::stack::execute;
use mailroom_tests::stack::migrate_with;
use mailroom_tests::story::*;

/// SQL files of a folder, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(paths::root().join(folder)).unwrap().map(|it| it.unwrap().path());
    let mut all: Vec<PathBuf> = files.filter(|it| it.extension().is_some_and(|it| it == "sql")).collect();
    all.sort();
    all
}

fn name(path: &std::path::Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Brings a database to the newest version with the rows of each version on the way, one release after the other or all
/// later ones at once, and uses it. (From empty is how every other story starts.)
fn check(state: &str, step_by_step: bool) {
    let mut options = StackOptions::test(state);
    options.fresh = false;
    let _ = fs::remove_dir_all(&options.state);
    let known = options.state.join("known");
    fs::create_dir_all(&known).unwrap();
    let rows = files("worker/tests/rows");
    for migration in files("worker/migrations") {
        let Some(rows) = rows.iter().find(|it| name(&migration).starts_with(name(it).trim_end_matches(".sql"))) else {
            if step_by_step {
                fs::copy(&migration, known.join(name(&migration))).unwrap();
                migrate_with(&options.state, &known).unwrap();
            }
            continue;
        };
        if step_by_step || name(&migration).starts_with("0001") {
            fs::copy(&migration, known.join(name(&migration))).unwrap();
            migrate_with(&options.state, &known).unwrap();
            execute(&options.state, rows).unwrap();
        }
    }
    // The start applies what is left.
    let stack = Stack::start(options).unwrap();
    let health = get(&stack.client(), "/api/health");
    assert_eq!(health["migration"], health["migration_expected"], "{health}");
    let api = stack.client();
    api.login(AGENT, PASSWORD).unwrap();
    let all = records(&api);
    let titles: Vec<&str> = all.iter().map(|it| it["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Leaking hatch", "Chair no. 7"]);
    let record = id(&all[0]);
    let chatter = messages(&api, &record);
    assert_eq!(chatter.len(), 3);
    assert_eq!(chatter[0]["attachments"][0]["name"], "hatch.jpg");
    assert_eq!(chatter[2]["held"], "stranger");
    let dialog = deliveries(&api, &id(&chatter[1]));
    assert_eq!(dialog["deliveries"].as_array().unwrap().len(), 3);
    assert_eq!(dialog["envelope"]["state"], "failing");
    for path in
        ["/api/v1/emails?filter=all", "/api/v1/aliases", "/api/v1/contacts", "/api/v1/incoming", "/api/v1/shell"]
    {
        get(&api, path);
    }
    let found = get(&api, "/api/v1/records?q=leaks");
    assert_eq!(found["items"][0]["id"], record.as_str(), "{found}");
}

#[test]
fn one_release_after_the_other() {
    check("migrate-each", true);
}

#[test]
fn from_the_first_version_to_the_newest_at_once() {
    check("migrate-jump", false);
}
