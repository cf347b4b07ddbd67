//! A campaign for many: how quickly its recipients become deliveries, and whether the ledger is exact.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Figure;
use super::{company, process};
use crate::client::Client;

/// Recipients.
const MANY: usize = 100_000;
/// Of one imported file: what a request takes.
const FILE: usize = 40_000;
/// Recipients a second that are promised.
const BUDGET: f64 = 5_000.0;
const PATIENCE: Duration = Duration::from_mins(5);

pub(super) fn run() -> Result<Vec<Figure>> {
    let (stack, api) = company::start("bench-campaign", false)?;
    // Nothing leaves meanwhile: measured is how they get into the queue.
    let servers = api.get("/api/v1/servers")?.ok()?;
    let server = servers.get(0).context("a company has a server")?;
    let mut settings = server.get("settings").cloned().context("a server has settings")?;
    if let Some(settings) = settings.as_object_mut() {
        settings.insert("bulk".to_owned(), true.into());
        settings.insert("daily_limit".to_owned(), 1.into());
    }
    api.patch(&format!("/api/v1/servers/{}", text(server, "id")?), &settings)?.ok()?;
    let list = api.post("/api/v1/mailing-lists", &json!({ "name": "All" }))?.ok()?;
    let list = text(&list, "id")?;
    let start = Instant::now();
    for from in (0..MANY).step_by(FILE) {
        let lines: Vec<String> =
            (from..MANY.min(from + FILE)).map(|i| format!("ok.p{i:06}@sink.test,Person {i}\n")).collect();
        api.post(&format!("/api/v1/mailing-lists/{list}/import"), &json!({ "csv": lines.concat() }))?.ok()?;
    }
    let imported = MANY as f64 / start.elapsed().as_secs_f64();
    let made = api.post("/api/v1/campaigns", &json!({ "name": "Bench" }))?.ok()?;
    let id = text(made.get("row").context("a campaign has a row")?, "id")?;
    let mut settings = made.get("settings").cloned().context("a campaign has settings")?;
    if let Some(settings) = settings.as_object_mut() {
        settings.insert("subject".to_owned(), "Bench".into());
        settings.insert("audience".to_owned(), json!({ "lists": [list] }));
        let blocks = json!([{ "kind": "text", "text": "Hello to all of you" }, { "kind": "footer", "text": "Corp" }]);
        settings.insert("content".to_owned(), json!({ "blocks": blocks }));
    }
    api.patch(&format!("/api/v1/campaigns/{id}"), &settings)?.ok()?;
    let start = Instant::now();
    api.post(&format!("/api/v1/campaigns/{id}/acts"), &json!({ "act": "send" }))?.ok()?;
    let view = expanded(&api, &id)?;
    let rate = MANY as f64 / start.elapsed().as_secs_f64();
    let ledger = view.get("ledger").cloned().unwrap_or_default();
    let listed = ledger.get("listed").and_then(Value::as_u64);
    ensure!(listed == Some(MANY as u64), "the ledger is exact: {ledger}");
    Ok(vec![
        Figure {
            name: format!("campaign of {MANY} into the queue"),
            value: rate,
            unit: "recipients/s",
            baseline: Some(("budget".to_owned(), BUDGET)),
        },
        Figure { name: format!("import of {MANY} members"), value: imported, unit: "members/s", baseline: None },
        Figure {
            name: "campaign, memory of workerd".to_owned(),
            value: process::workerd(&stack)?.memory,
            unit: "MiB",
            baseline: None,
        },
    ])
}

fn text(value: &Value, name: &str) -> Result<String> {
    Ok(value.get(name).and_then(Value::as_str).with_context(|| format!("{name} in {value}"))?.to_owned())
}

/// Waits until all are in the queue.
fn expanded(api: &Client, id: &str) -> Result<Value> {
    let end = Instant::now() + PATIENCE;
    loop {
        let view = api.get(&format!("/api/v1/campaigns/{id}"))?.ok()?;
        let is_begun = view.pointer("/row/started").is_some_and(|it| !it.is_null());
        if is_begun && view.get("is_expanding") == Some(&Value::Bool(false)) {
            return Ok(view);
        }
        ensure!(Instant::now() < end, "not in the queue after {} s: {view}", PATIENCE.as_secs());
        thread::sleep(Duration::from_millis(50));
    }
}
