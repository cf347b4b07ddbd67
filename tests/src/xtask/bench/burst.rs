//! 600 mails at once: when each is seen in the list, and what becomes of them when they come again.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Figure;
use super::company::{self, Sent};
use crate::client::Client;

const MAILS: usize = 600;
const IN_FLIGHT: usize = 8;
/// How often somebody looks; a time to be seen is at most this much too long.
const LOOK: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_mins(2);

pub(super) fn run() -> Result<Vec<Figure>> {
    let (stack, api) = company::start("bench-burst", false)?;
    let poster = stack.poster();
    let mails = (0..MAILS).map(|n| company::mail("Burst", n)).collect::<Result<Vec<Sent>>>()?;
    let (taken, seen) = thread::scope(|scope| {
        let eye = scope.spawn(|| watch(&api));
        let taken = company::hand_over(&poster, "", &mails, IN_FLIGHT);
        (taken, eye.join())
    });
    let taken = taken?;
    let seen = seen.map_err(|_| anyhow::anyhow!("the watcher panicked"))??;
    let mut waits = Vec::with_capacity(MAILS);
    for (n, taken) in taken.iter().enumerate() {
        let at = seen.get(&format!("Burst {n}")).with_context(|| format!("mail {n} was never seen"))?;
        waits.push(at.saturating_duration_since(taken.at).as_secs_f64() * 1000.0);
    }
    let last = taken.iter().zip(&waits).max_by_key(|(it, _)| it.at).map_or(0.0, |(_, wait)| *wait);

    // The same bytes again: the peer did not hear our 250.
    company::hand_over(&poster, "", &mails, IN_FLIGHT)?;
    let before = records(&api)?;
    stack.cron(None)?;
    thread::sleep(Duration::from_secs(1));
    let records = records(&api)?.max(before);
    let budget = |value| Some(("budget".to_owned(), value));
    Ok(vec![
        Figure {
            name: format!("burst of {MAILS}, p50 until seen"),
            value: company::quantile(waits.iter().copied(), 0.5),
            unit: "ms",
            baseline: budget(1000.0),
        },
        Figure {
            name: format!("burst of {MAILS}, slowest until seen"),
            value: company::quantile(waits, 1.0),
            unit: "ms",
            baseline: budget(1000.0),
        },
        Figure {
            name: format!("burst of {MAILS}, last until seen"),
            value: last,
            unit: "ms",
            baseline: budget(1000.0),
        },
        Figure {
            name: format!("burst of {MAILS} again, duplicates"),
            value: records as f64 - MAILS as f64,
            unit: "records",
            baseline: budget(0.0),
        },
    ])
}

/// When each title was seen first. The list shows what moved last, so one page is enough for what is new.
fn watch(api: &Client) -> Result<HashMap<String, Instant>> {
    let end = Instant::now() + PATIENCE;
    let mut seen = HashMap::new();
    while seen.len() < MAILS {
        if Instant::now() > end {
            bail!("after {} s only {} of {MAILS} mails are in the list", PATIENCE.as_secs(), seen.len());
        }
        let page = api.get("/api/v1/records?limit=200")?.ok()?;
        let now = Instant::now();
        for item in page.get("items").and_then(|it| it.as_array()).into_iter().flatten() {
            if let Some(title) = item.get("title").and_then(|it| it.as_str()) {
                seen.entry(title.to_owned()).or_insert(now);
            }
        }
        thread::sleep(LOOK);
    }
    Ok(seen)
}

/// How many records there are, page by page.
fn records(api: &Client) -> Result<usize> {
    let mut count = 0;
    let mut path = "/api/v1/records?limit=200".to_owned();
    loop {
        let page = api.get(&path)?.ok()?;
        count += page.get("items").and_then(|it| it.as_array()).map_or(0, Vec::len);
        match page.get("next").and_then(|it| it.as_str()) {
            Some(next) => path = format!("/api/v1/records?limit=200&cursor={next}"),
            None => return Ok(count),
        }
    }
}
