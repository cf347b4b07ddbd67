//! How long a decision takes for a mail with 500 recipients and 200 references among 2 000 aliases. Prints one JSON object
//! `{"name","value","unit"}`: nanoseconds per decision, the best of several rounds.
#![expect(clippy::print_stdout, reason = "a command line tool")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use mailroom_shared::gateway::arrival::Arrival;
use mailroom_shared::gateway::decide::decide;
use mailroom_shared::gateway::inquire::inquire;
use mailroom_shared::gateway::world::World;
use serde_json::Value;
use serde_json::json;

const RECIPIENTS: usize = 500;
const REFERENCES: usize = 200;
const ALIASES: usize = 2_000;
const ROUNDS: usize = 20;
const PER_ROUND: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let aliases: Vec<Value> = (0..ALIASES)
        .map(|i| json!({"address": format!("desk-{i}@corp.test"), "any_domain": i % 10 == 0, "target": {"new": "ticket"}}))
        .collect();
    let messages: Vec<Value> = (0..REFERENCES)
        .map(|i| {
            json!({"id": format!("m{i}"), "message_id": format!("<r{i}@corp.test>"), "direction": "out",
                   "recipients": ["ann@customer.test"]})
        })
        .collect();
    let world = World::read(&json!({
        "now": "2026-03-02T10:00:00Z",
        "secret": "s",
        "envelope": {"mail_from": "ann@customer.test", "rcpt_to": "desk-1999@corp.test"},
        "domains": [{"name": "corp.test"}, {"name": "corp-service.test"}],
        "aliases": aliases,
        "contacts": [{"id": "c-ann", "name": "Ann", "emails": ["ann@customer.test"]}],
        "records": [{"id": "ticket/1", "title": "One", "messages": messages}],
    }))?;
    let mut mail = String::from("From: Ann <ann@customer.test>\r\nTo: ");
    for i in 0..RECIPIENTS {
        write!(mail, "{}Person {i} <p{i}@else.test>", if i > 0 { ",\r\n " } else { "" })?;
    }
    mail.push_str("\r\nReferences:");
    for i in 0..REFERENCES {
        write!(mail, "\r\n <r{i}@corp.test>")?;
    }
    mail.push_str("\r\nSubject: Re: One\r\nMessage-ID: <1@customer.test>\r\n\r\nHello\r\n");
    let arrival = Arrival::read(world.envelope()?, mail.as_bytes(), &world.receiving_host);
    let facts = world.facts(&inquire(&arrival, &world.context.secret));
    let mut best = u128::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..PER_ROUND {
            black_box(decide(black_box(&arrival), black_box(&facts), &world.context, world.now));
        }
        best = best.min(start.elapsed().as_nanos() / PER_ROUND as u128);
    }
    println!("{}", json!({"name": "decide", "value": best as u64, "unit": "ns"}));
    Ok(())
}
