//! The list of records, and the queue of emails, with few of them and with many.

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
    let (mut small, mut small_queue, mut small_counts) = (None, None, None);
    let mut from = 0;
    for size in SIZES {
        // Nobody else may have the database open meanwhile.
        stack.kill_hard()?;
        fill(&stack, from, size)?;
        from = size;
        stack.restart()?;
        for (what, path, small) in [
            ("list of 50 among RECORDS records", "/api/v1/records?limit=50", &mut small),
            ("queue, 50 of RECORDS emails", "/api/v1/emails?filter=all&limit=50", &mut small_queue),
            ("queue, counts of RECORDS emails", "/api/v1/emails/counts", &mut small_counts),
        ] {
            let p50 = p50(&api, path)?;
            figures.push(Figure {
                name: format!("{}, p50", what.replace("RECORDS", &size.to_string())),
                value: p50,
                unit: "ms",
                baseline: small.map(|it| ("with 1000".to_owned(), it)),
            });
            *small = small.or(Some(p50));
        }
    }
    Ok(figures)
}

fn p50(api: &Client, path: &str) -> Result<f64> {
    let mut times = Vec::with_capacity(CALLS);
    for n in 0..CALLS + 20 {
        let begin = Instant::now();
        let page = api.get(path)?.ok()?;
        let took = begin.elapsed().as_secs_f64() * 1000.0;
        let shown = page.get("items").and_then(|it| it.as_array()).map(Vec::len);
        if shown.is_some_and(|it| it != 50) {
            bail!("{path} shows {shown:?} rows instead of 50");
        }
        // The first ones warm up.
        if n >= 20 {
            times.push(took);
        }
    }
    Ok(company::quantile(times, 0.5))
}

/// Records `from..to` with a message and an email each, straight into the database: posting 100 000 mails would take an hour.
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
        writeln!(
            sql,
            "INSERT INTO emails (id, message_id, record_id, lane, sender, domain, subject, refs, created) \
             {numbers} SELECT printf('01BENCHE%018d', i), printf('01BENCHM%018d', i), printf('01BENCHR%018d', i), 'urgent', \
             '{{\"name\":\"Mai\",\"address\":\"mai@haldenmoss.example\"}}', 'haldenmoss.example', 'Chair ' || i, '[]', {at} FROM n;"
        )?;
        // Most left long ago; some wait, some failed.
        writeln!(
            sql,
            "INSERT INTO deliveries (id, email_id, message_id, record_id, name, address, address_key, field, lane, state, \
             state_at, due, first_due, created) \
             {numbers} SELECT printf('01BENCHD%018d', i), printf('01BENCHE%018d', i), printf('01BENCHM%018d', i), \
             printf('01BENCHR%018d', i), 'Anna Berg', 'anna' || i || '@sink.test', 'anna' || i || '@sink.test', 'to', 'urgent', \
             CASE WHEN i % 50 = 0 THEN 'failed' WHEN i % 50 = 1 THEN 'deferred' ELSE 'sent' END, {at}, 4000000000000, {at}, {at} FROM n;"
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
