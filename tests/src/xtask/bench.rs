//! Benchmarks, each with a baseline of the same run: machines differ, ratios stay.

mod accept;
mod burst;
mod campaign;
mod classify;
mod company;
mod decide;
mod drain;
mod list;
mod load;
mod process;

use anyhow::{Result, bail};
use serde_json::json;

/// One line of output.
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// Name and value of what it is measured against: another product, or the budget.
    pub(super) baseline: Option<(String, f64)>,
}

impl Figure {
    fn print(&self) {
        let (baseline_name, baseline_value) = match &self.baseline {
            Some((name, value)) => (json!(name), json!(round(*value))),
            None => (json!(null), json!(null)),
        };
        let ratio = self.baseline.as_ref().filter(|(_, it)| *it > 0.0).map(|(_, it)| round(self.value / it));
        let line = json!({
            "name": self.name,
            "value": round(self.value),
            "unit": self.unit,
            "baseline_name": baseline_name,
            "baseline_value": baseline_value,
            "ratio": ratio,
        });
        println!("{line}");
    }
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

type Bench = fn() -> Result<Vec<Figure>>;

const BENCHES: [(&str, Bench); 8] = [
    ("load", load::run),
    ("classify", classify::run),
    ("decide", decide::run),
    ("accept", accept::run),
    ("burst", burst::run),
    ("drain", drain::run),
    ("list", list::run),
    ("campaign", campaign::run),
];

/// Programs that run without the Worker.
const NATIVE: [&str; 2] = ["classify", "decide"];

/// All, or those named. What is said besides the figures goes to standard error.
pub(super) fn run(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !BENCHES.iter().any(|(it, _)| it == *name)) {
        let known: Vec<&str> = BENCHES.iter().map(|(it, _)| *it).collect();
        bail!("no benchmark {unknown}; there are: {}", known.join(", "));
    }
    super::setup::build_tools()?;
    let is_asked = |name: &str| names.is_empty() || names.iter().any(|it| it == name);
    if BENCHES.iter().any(|(name, _)| !NATIVE.contains(name) && is_asked(name)) {
        super::build::worker(super::build::Mode::Release)?;
    }
    // Only one looks at the page; the stack serves whichever is there.
    if is_asked("load") || !crate::paths::root().join("app/dist/index.html").exists() {
        super::build::page(super::build::Mode::Release)?;
    }
    for (name, bench) in BENCHES {
        if is_asked(name) {
            eprintln!("benchmark {name} ...");
            bench()?.iter().for_each(Figure::print);
        }
    }
    Ok(())
}
