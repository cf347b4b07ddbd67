//! Taking one mail of 20 KB, against a Worker that takes it and does nothing, in the same workerd.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::Figure;
use super::company::{self, Sent, Taken};
use super::process;
use crate::front_door::Poster;
use crate::stack::Stack;

const WARM_UP: usize = 50;
const MAILS: usize = 400;
/// Both Workers in turn, so that a machine that is busy for a while is busy for both.
const ROUNDS: usize = 4;

pub(super) fn run() -> Result<Vec<Figure>> {
    let (stack, api) = company::start("bench-accept", true)?;
    let poster = stack.poster();
    let mut next = 0;
    for target in ["null", ""] {
        measure(&stack, &poster, target, &mut next, WARM_UP, 1)?;
    }
    let mut figures = Vec::new();
    for in_flight in [1, 8] {
        let (mut null, mut ours) = (Times::default(), Times::default());
        for _ in 0..ROUNDS {
            null.add(&measure(&stack, &poster, "null", &mut next, MAILS / ROUNDS, in_flight)?);
            ours.add(&measure(&stack, &poster, "", &mut next, MAILS / ROUNDS, in_flight)?);
        }
        let figure = |name: &str, value: f64, unit: &'static str, baseline: f64| Figure {
            name: format!("accept 20 KB, {name}"),
            value,
            unit,
            baseline: Some(("null Worker".to_owned(), baseline)),
        };
        if in_flight == 1 {
            figures.push(figure("p50", ours.at(0.5), "ms", null.at(0.5)));
            figures.push(figure("p99", ours.at(0.99), "ms", null.at(0.99)));
            let each = |it: &Times| it.cpu / it.each.len() as f64;
            figures.push(figure("processor time of workerd, writing it included", each(&ours), "ms", each(&null)));
            // Without nudges nothing is written after the answer.
            api.post("/api/dev/switches", &json!({ "jobs": true }))?.ok()?;
            let mut answered = Times::default();
            answered.add(&measure(&stack, &poster, "", &mut next, MAILS / ROUNDS, 1)?);
            api.post("/api/dev/switches", &json!({ "jobs": false }))?.ok()?;
            figures.push(figure("processor time of workerd, until the answer", each(&answered), "ms", each(&null)));
        } else {
            figures.push(figure("8 in flight, rate", ours.rate(), "mails/s", null.rate()));
            figures.push(figure("8 in flight, p99", ours.at(0.99), "ms", null.at(0.99)));
        }
    }
    Ok(figures)
}

struct Run {
    taken: Vec<Taken>,
    seconds: f64,
    /// Milliseconds of workerd's processor time.
    cpu: f64,
}

#[derive(Default)]
struct Times {
    each: Vec<f64>,
    seconds: f64,
    cpu: f64,
}

impl Times {
    fn add(&mut self, run: &Run) {
        self.each.extend(run.taken.iter().map(|it| it.took));
        self.seconds += run.seconds;
        self.cpu += run.cpu;
    }

    fn at(&self, part: f64) -> f64 {
        company::quantile(self.each.iter().copied(), part)
    }

    fn rate(&self) -> f64 {
        self.each.len() as f64 / self.seconds
    }
}

/// Writing a mail goes on after its 250; it is part of what a mail costs.
const AFTERWARDS: Duration = Duration::from_secs(2);

fn measure(
    stack: &Stack,
    poster: &Poster,
    target: &str,
    next: &mut usize,
    mails: usize,
    in_flight: usize,
) -> Result<Run> {
    let mails = (*next..*next + mails).map(|n| company::mail("Order", n)).collect::<Result<Vec<Sent>>>()?;
    *next += mails.len();
    let before = process::workerd(stack)?.cpu;
    let start = Instant::now();
    let taken = company::hand_over(poster, target, &mails, in_flight)?;
    let seconds = start.elapsed().as_secs_f64();
    thread::sleep(AFTERWARDS);
    Ok(Run { taken, seconds, cpu: process::workerd(stack)?.cpu - before })
}
