//! Emptying the outgoing queue into the sink, against Postfix with the same mails and the same sink.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lettre::address::Envelope;
use lettre::{Address, SmtpTransport, Transport};
use serde_json::json;

use super::Figure;
use super::{company, process};
use crate::client::Client;
use crate::postfix::{Postfix, Routes};
use crate::sink::Received;
use crate::stack::Stack;

/// Messages of one round, and recipients of each: every recipient is an envelope of its own.
const MESSAGES: usize = 20;
const RECIPIENTS: usize = 25;
const MAILS: usize = MESSAGES * RECIPIENTS;
const PATIENCE: Duration = Duration::from_mins(3);
/// Past the undo window.
const LATER: u64 = 60_000;

pub(super) fn run() -> Result<Vec<Figure>> {
    let (stack, api) = company::start("bench-drain", false)?;
    let mut rates = Vec::new();
    let mut memory = Vec::new();
    // The first round warms up, and is what memory is compared with.
    for round in 0..3 {
        queue(&api, round)?;
        rates.push(drain(&stack, &api, round)?);
        memory.push(process::workerd(&stack)?.memory);
    }
    let ours = rates.iter().skip(1).copied().fold(0.0, f64::max);
    let mails = stack.sink().store().find(None);
    let postfix = if Postfix::is_possible()? {
        Some(relay(&stack, mails.get(mails.len().saturating_sub(MAILS)..).unwrap_or_default())?)
    } else {
        eprintln!("no baseline: only root may start Postfix");
        None
    };
    let [first, .., last] = memory.as_slice() else { bail!("no round was run") };
    Ok(vec![
        Figure {
            name: format!("drain of {MAILS} mails to the sink"),
            value: ours,
            unit: "mails/s",
            baseline: postfix.map(|it| ("Postfix".to_owned(), it)),
        },
        Figure {
            name: "drain, memory of workerd after the last round".to_owned(),
            value: *last,
            unit: "MiB",
            baseline: Some(("after the first round".to_owned(), *first)),
        },
    ])
}

/// Posts what is to leave. It does not leave yet: a message can be taken back for some seconds.
fn queue(api: &Client, round: usize) -> Result<()> {
    let record = api
        .post("/api/v1/records", &json!({ "type": "ticket", "title": format!("Round {round}") }))?
        .ok()?
        .get("id")
        .and_then(|it| it.as_str())
        .context("a record has an id")?
        .to_owned();
    let text = "Your forty oak chairs leave on Monday. The carrier calls an hour before.\n".repeat(25);
    for n in 0..MESSAGES {
        let to: Vec<_> = (0..RECIPIENTS).map(|it| format!("ok.r{round}m{n}p{it}@sink.test")).collect();
        let message = json!({ "mode": "message", "text": text, "to": to });
        api.post(&format!("/api/v1/records/{record}/messages"), &message)?.ok()?;
    }
    Ok(())
}

/// Mails per second from the trigger to the last mail in the sink.
fn drain(stack: &Stack, api: &Client, round: usize) -> Result<f64> {
    let before = stack.sink().store().total();
    let ahead = LATER * (round as u64 + 1);
    api.post("/api/dev/switches", &json!({ "clock_offset": ahead }))?.ok()?;
    let start = Instant::now();
    thread::scope(|scope| {
        let trigger = scope.spawn(|| stack.cron(None));
        let arrived = wait(stack, before);
        trigger.join().map_err(|_| anyhow::anyhow!("the trigger panicked"))??;
        arrived
    })
    .map(|end| MAILS as f64 / end.duration_since(start).as_secs_f64())
}

fn wait(stack: &Stack, before: u64) -> Result<Instant> {
    let end = Instant::now() + PATIENCE;
    loop {
        let arrived = stack.sink().store().total() - before;
        if arrived >= MAILS as u64 {
            return Ok(Instant::now());
        }
        if Instant::now() > end {
            bail!("{arrived} of {MAILS} mails are in the sink after {} s\n{}", PATIENCE.as_secs(), stack.log_tail(20));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// The same mails through Postfix: all of them wait in its queue before it may start, as they do with us.
fn relay(stack: &Stack, mails: &[Received]) -> Result<f64> {
    let sink = stack.sink().address();
    let postfix = Postfix::start(&Routes { domains: &[("sink.test", sink)], others: sink })?;
    postfix.set("defer_transports", "smtp")?;
    submit(postfix.address(), mails)?;
    let end = Instant::now() + PATIENCE;
    while postfix.queue()?.iter().filter(|it| it.get("queue_name").is_some_and(|it| it == "deferred")).count() < MAILS {
        if Instant::now() > end {
            bail!("Postfix did not keep all mails\n{}", postfix.log());
        }
        thread::sleep(Duration::from_millis(100));
    }
    let before = stack.sink().store().total();
    postfix.set("defer_transports", "")?;
    let start = Instant::now();
    postfix.flush()?;
    let end = wait(stack, before)?;
    Ok(MAILS as f64 / end.duration_since(start).as_secs_f64())
}

fn submit(to: SocketAddr, mails: &[Received]) -> Result<()> {
    let client = SmtpTransport::builder_dangerous(to.ip().to_string()).port(to.port()).build();
    for mail in mails {
        let recipients = mail.to.iter().map(|it| it.parse::<Address>()).collect::<Result<Vec<_>, _>>()?;
        let from = mail.from.parse::<Address>().ok();
        client.send_raw(&Envelope::new(from, recipients)?, &mail.bytes)?;
    }
    Ok(())
}
