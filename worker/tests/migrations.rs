//! Every upgrade on SQLite: from empty and from each earlier version with rows in it. `tests/tests/migrations.rs` does the
//! same on D1, with the same rows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// Names and statements of a folder's SQL files, in order.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut all: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "sql"))
        .map(|it| (it.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&it).unwrap()))
        .collect();
    all.sort();
    all
}

fn run(db: &Connection, name: &str, sql: &str) {
    db.execute_batch(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// Rows per table, without those that full-text search keeps for itself.
fn counts(db: &Connection) -> BTreeMap<String, u32> {
    let mut tables = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search_%'")
        .unwrap();
    let names: Vec<String> = tables.query_map([], |it| it.get(0)).unwrap().map(Result::unwrap).collect();
    let count = |name: &String| db.query_row(&format!("SELECT COUNT(*) FROM {name}"), [], |it| it.get(0)).unwrap();
    names.iter().map(|it| (it.clone(), count(it))).collect()
}

#[test]
fn each_version_with_rows_becomes_the_newest_and_keeps_them() {
    let (migrations, rows) = (files("migrations"), files("tests/rows"));
    assert!(!rows.is_empty());
    for version in 0..=migrations.len() {
        let db = Connection::open_in_memory().unwrap();
        run(&db, "pragma", "PRAGMA foreign_keys = ON");
        let mut before = BTreeMap::new();
        for (index, (name, sql)) in migrations.iter().enumerate() {
            run(&db, name, sql);
            if index < version
                && let Some((name, sql)) = rows.iter().find(|(it, _)| name.starts_with(it.trim_end_matches(".sql")))
            {
                run(&db, name, sql);
            }
            if index + 1 == version {
                before = counts(&db);
            }
        }
        let after = counts(&db);
        for (table, count) in &before {
            // A table may go when its rows went elsewhere; those that stay lose none.
            assert!(
                after.get(table).is_none_or(|it| it >= count),
                "{table} lost rows on the way from version {version}"
            );
        }
        if version == 1 {
            let empty: Vec<&String> = before.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
            assert!(empty.is_empty(), "no rows to try an upgrade with: {empty:?}");
        }
        let broken: u32 = db.query_row("SELECT COUNT(*) FROM pragma_foreign_key_check", [], |it| it.get(0)).unwrap();
        assert_eq!(broken, 0, "from version {version}");
    }
}
