//! Taking one mail of 20 KB, against a Worker that takes it and does nothing, in the same workerd.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail};
use serde_json::json;

use super::Figure;
use crate::front_door::{Outcome, Poster};
use crate::mail::Mail;
use crate::stack::{Stack, StackOptions};

const WARM_UP: usize = 50;
const MAILS: usize = 400;
const TO: &str = "sales@haldenmoss.example";

pub(super) fn run() -> Result<Vec<Figure>> {
    let mut options = StackOptions::test("bench-accept");
    options.null_worker = true;
    let stack = Stack::start(options)?;
    stack.set_up(&json!({
        "company": "Haldenmoss", "name": "Mai Lindqvist", "email": "admin@haldenmoss.example", "password": "mailroom-dev",
        "domain": "haldenmoss.example", "language": "en",
        "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
    }))?;
    let poster = stack.poster();
    for target in ["", "null"] {
        measure(&poster, target, WARM_UP, 1)?;
    }
    let null = measure(&poster, "null", MAILS, 1)?;
    let ours = measure(&poster, "", MAILS, 1)?;
    let null_busy = measure(&poster, "null", MAILS, 8)?;
    let ours_busy = measure(&poster, "", MAILS, 8)?;
    let figure = |name: &str, value: f64, unit: &'static str, baseline: f64| Figure {
        name: format!("accept 20 KB, {name}"),
        value,
        unit,
        baseline: Some(("null Worker".to_owned(), baseline)),
    };
    Ok(vec![
        figure("p50", ours.at(0.5), "ms", null.at(0.5)),
        figure("p99", ours.at(0.99), "ms", null.at(0.99)),
        figure("8 in flight, rate", ours_busy.rate, "mails/s", null_busy.rate),
        figure("8 in flight, p99", ours_busy.at(0.99), "ms", null_busy.at(0.99)),
    ])
}

struct Times {
    /// Sorted, in milliseconds.
    each: Vec<f64>,
    rate: f64,
}

impl Times {
    fn at(&self, part: f64) -> f64 {
        let at = ((self.each.len() as f64 * part) as usize).min(self.each.len().saturating_sub(1));
        self.each.get(at).copied().unwrap_or_default()
    }
}

fn measure(poster: &Poster, target: &str, mails: usize, in_flight: usize) -> Result<Times> {
    let mails_to_send = (0..mails).map(mail).collect::<Result<Vec<_>>>()?;
    let next = AtomicUsize::new(0);
    let each = Mutex::new(Vec::with_capacity(mails));
    let failed = Mutex::new(None);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..in_flight {
            scope.spawn(|| {
                while let Some((from, raw)) = mails_to_send.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begin = Instant::now();
                    let query = [("from", from.as_str()), ("to", TO), ("target", target)];
                    let outcome = poster.post_to(&query, raw);
                    let took = begin.elapsed().as_secs_f64() * 1000.0;
                    if outcome != Outcome::Accepted {
                        *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                        return;
                    }
                    each.lock().unwrap_or_else(PoisonError::into_inner).push(took);
                }
            });
        }
    });
    let took = start.elapsed().as_secs_f64();
    if let Some(outcome) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        bail!("a mail to {TO} was {outcome}; the benchmark needs an alias that takes it");
    }
    let mut each = each.into_inner().unwrap_or_else(PoisonError::into_inner);
    each.sort_by(f64::total_cmp);
    Ok(Times { rate: mails as f64 / took, each })
}

/// Sender and text, 20 KB as customers send them: some words, one attachment. Each from somebody else, since a hundred mails
/// from one person in a minute are a mail loop to Mailroom.
fn mail(n: usize) -> Result<(String, Vec<u8>)> {
    let from = format!("ok.anna{n}@sink.test");
    let text = "We would like to order forty oak chairs, delivered by the end of the month.\n".repeat(40);
    let noise: Vec<u8> = (0..11_500_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let raw = Mail::new(&format!("Anna Berg <{from}>"), TO, &format!("Order {n}"), &text)
        .attach("application/pdf", "order.pdf", &noise)
        .raw()?;
    Ok((from, raw))
}
