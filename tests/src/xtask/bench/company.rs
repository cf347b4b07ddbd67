//! The company that benchmarks happen to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail};
use serde_json::json;

use crate::client::Client;
use crate::front_door::{Outcome, Poster};
use crate::mail::Mail;
use crate::stack::{Stack, StackOptions};

/// An alias that makes a record of every mail.
pub(super) const TO: &str = "sales@haldenmoss.example";

const EMAIL: &str = "admin@haldenmoss.example";
const PASSWORD: &str = "mailroom-dev";

/// A stack with an empty database, set up, and its administrator logged in.
pub(super) fn start(name: &str, null_worker: bool) -> Result<(Stack, Client)> {
    let mut options = StackOptions::test(name);
    options.null_worker = null_worker;
    let stack = Stack::start(options)?;
    stack.set_up(&json!({
        "company": "Haldenmoss", "name": "Mai Lindqvist", "email": EMAIL, "password": PASSWORD,
        "domain": "haldenmoss.example", "language": "en",
        "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
    }))?;
    let api = stack.client();
    api.login(EMAIL, PASSWORD)?;
    Ok((stack, api))
}

/// A mail as it is handed over.
pub(super) struct Sent {
    pub(super) from: String,
    pub(super) raw: Vec<u8>,
}

/// 20 KB as customers send them: some words, one attachment. Each from somebody else, since a hundred mails from one person
/// in a minute are a mail loop to Mailroom.
pub(super) fn mail(subject: &str, n: usize) -> Result<Sent> {
    let from = format!("ok.anna{n}@sink.test");
    let text = "We would like to order forty oak chairs, delivered by the end of the month.\n".repeat(40);
    let noise: Vec<u8> = (0..11_500_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let raw = Mail::new(&format!("Anna Berg <{from}>"), TO, &format!("{subject} {n}"), &text)
        .attach("application/pdf", "order.pdf", &noise)
        .raw()?;
    Ok(Sent { from, raw })
}

/// When each mail got its 250, in the order of the mails, and how long it took in milliseconds.
pub(super) struct Taken {
    pub(super) at: Instant,
    pub(super) took: f64,
}

/// Hands all of them over, so many at once; each must be taken.
pub(super) fn hand_over(poster: &Poster, target: &str, mails: &[Sent], in_flight: usize) -> Result<Vec<Taken>> {
    let next = AtomicUsize::new(0);
    let taken: Vec<Mutex<Option<Taken>>> = mails.iter().map(|_| Mutex::new(None)).collect();
    let failed = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..in_flight {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(mail), Some(place)) = (mails.get(n), taken.get(n)) else { return };
                    let begin = Instant::now();
                    let outcome =
                        poster.post_to(&[("from", mail.from.as_str()), ("to", TO), ("target", target)], &mail.raw);
                    if outcome != Outcome::Accepted {
                        *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                        return;
                    }
                    let took = begin.elapsed().as_secs_f64() * 1000.0;
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Taken { at: Instant::now(), took });
                }
            });
        }
    });
    if let Some(outcome) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        bail!("a mail to {TO} was {outcome}; the benchmark needs an alias that takes it");
    }
    Ok(taken.into_iter().filter_map(|it| it.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
}

/// The value below which this part of all values lies.
pub(super) fn quantile(values: impl IntoIterator<Item = f64>, part: f64) -> f64 {
    let mut all: Vec<f64> = values.into_iter().collect();
    all.sort_by(f64::total_cmp);
    let at = ((all.len() as f64 * part) as usize).min(all.len().saturating_sub(1));
    all.get(at).copied().unwrap_or_default()
}
