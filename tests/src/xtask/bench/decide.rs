//! One decision for a mail with 500 recipients and 200 references among 2,000 aliases, against what it may take.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Figure;
use crate::paths;
use crate::xtask::run::{cargo, shown};

/// Milliseconds: each recipient of a mail waits for his own decision.
const BUDGET: f64 = 2.0;

pub(super) fn run() -> Result<Vec<Figure>> {
    shown(cargo().args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "mailroom-shared",
        "--example",
        "bench_decide",
    ]))?;
    let output = Command::new(paths::target().join("release/examples/bench_decide"))
        .output()
        .context("bench_decide does not start")?;
    let found: Value = serde_json::from_slice(&output.stdout).context("bench_decide gave no figure")?;
    let value = found.get("value").and_then(Value::as_f64).context("bench_decide gave no number")? / 1e6;
    if value > BUDGET {
        bail!("a decision took {value:.3} ms; the budget is {BUDGET} ms");
    }
    Ok(vec![Figure { name: "decide".to_owned(), value, unit: "ms", baseline: Some(("budget".to_owned(), BUDGET)) }])
}
