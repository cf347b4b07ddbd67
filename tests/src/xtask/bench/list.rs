//! The list of records, with few of them and with many.

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::Figure;
use super::company;
use crate::client::Client;
use crate::stack::{Stack, wrangler};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const CALLS: usize = 100;

pub(super) fn run() -> Result<Vec<Figure>> {
    let (mut stack, api) = company::start("bench-list", false)?;
    let mut figures: Vec<Figure> = Vec::new();
    let mut small = None;
    let mut from = 0;
    for size in SIZES {
        // Nobody else may have the database open meanwhile.
        stack.kill_hard()?;
        fill(&stack, from, size)?;
        from = size;
        stack.restart()?;
        let p50 = p50(&api)?;
        figures.push(Figure {
            name: format!("list of 50 among {size} records, p50"),
            value: p50,
            unit: "ms",
            baseline: small.map(|it| ("among 1000 records".to_owned(), it)),
        });
        small = small.or(Some(p50));
    }
    Ok(figures)
}

fn p50(api: &Client) -> Result<f64> {
    let mut times = Vec::with_capacity(CALLS);
    for n in 0..CALLS + 20 {
        let begin = Instant::now();
        let page = api.get("/api/v1/records?limit=50")?.ok()?;
        let took = begin.elapsed().as_secs_f64() * 1000.0;
        let shown = page.get("items").and_then(|it| it.as_array()).map_or(0, Vec::len);
        if shown != 50 {
            bail!("the list shows {shown} records instead of 50");
        }
        // The first ones warm up.
        if n >= 20 {
            times.push(took);
        }
    }
    Ok(company::quantile(times, 0.5))
}

/// Records `from..to` with a message each, straight into the database: posting 100 000 mails would take an hour.
fn fill(stack: &Stack, from: usize, to: usize) -> Result<()> {
    let mut sql = String::new();
    let mut start = from;
    while start < to {
        let end = (start + 5_000).min(to);
        let numbers =
            format!("WITH RECURSIVE n (i) AS (SELECT {start} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})");
        let at = "1790000000000 + i * 60000";
        writeln!(
            sql,
            "INSERT INTO records (id, type, number, title, stage, email, email_key, last_at, last_author, last_snippet, messages, created) \
             {numbers} SELECT printf('01BENCHR%018d', i), 'ticket', 1000000 + i, 'Chair ' || i, 'New', 'anna' || i || '@sink.test', \
             'anna' || i || '@sink.test', {at}, 'Anna Berg', 'We would like to order forty oak chairs', 1, {at} FROM n;"
        )?;
        writeln!(
            sql,
            "INSERT INTO messages (id, record_id, kind, incoming, author_name, subject, text, at) \
             {numbers} SELECT printf('01BENCHM%018d', i), printf('01BENCHR%018d', i), 'email', 1, 'Anna Berg', 'Chair ' || i, \
             'We would like to order forty oak chairs, delivered by the end of the month.', {at} FROM n;"
        )?;
        start = end;
    }
    let file = stack.state().join("fill.sql");
    fs::write(&file, sql)?;
    let output = wrangler(stack.state())
        .args(["d1", "execute", "DB", "--local", "--yes", "--persist-to"])
        .arg(stack.state().join("wrangler"))
        .arg("--file")
        .arg(&file)
        .output()
        .context("wrangler does not start")?;
    if !output.status.success() {
        bail!(
            "the database could not be filled:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
