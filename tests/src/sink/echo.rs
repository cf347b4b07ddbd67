//! Mail the sink writes by itself, some time after it accepted one: it really comes back through the front door.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::behavior::Behavior;
use crate::journal::Journal;
use crate::report::{Failure, Head, address_of, complaint, delivery_failure, now, out_of_office, unique};
use crate::smtp::{Envelope, client};

const HOST: &str = "mx.sink.test";

pub(super) struct Echo {
    queue: Sender<Mail>,
    /// Milliseconds.
    later: AtomicU64,
}

struct Mail {
    due: Instant,
    from: String,
    to: String,
    raw: Vec<u8>,
}

impl Echo {
    pub(super) fn start(front_door: Option<SocketAddr>, later: Duration, journal: Journal) -> Result<Self> {
        let (queue, mails) = mpsc::channel::<Mail>();
        // Ends by itself when the sender, and with it the sink, is gone.
        thread::Builder::new().name("sink echo".to_owned()).spawn(move || {
            for mail in mails {
                thread::sleep(mail.due.saturating_duration_since(Instant::now()));
                let Some(front_door) = front_door else {
                    journal.note(format!("sink: nothing to send the answer to {} through", mail.to));
                    continue;
                };
                match client::send(front_door, &mail.from, &[&mail.to], &mail.raw) {
                    Ok(()) => journal.note(format!("sink -> {}: answer sent", mail.to)),
                    Err(error) => journal.note(format!("sink -> {}: answer refused: {error:#}", mail.to)),
                }
            }
        })?;
        Ok(Self { queue, later: AtomicU64::new(millis(later)) })
    }

    pub(super) fn set_later(&self, later: Duration) {
        self.later.store(millis(later), Ordering::Relaxed);
    }

    /// A mail that its sender wrote to itself goes in again, as a relay on the way would send it: what came is a canary.
    pub(super) fn pass_on(&self, envelope: &Envelope, to: &str, raw: &[u8]) {
        if Head::of(raw).get("X-Mailroom-Canary").is_none() {
            return;
        }
        let helo = if envelope.helo.is_empty() { "unknown" } else { &envelope.helo };
        let (id, date) = (unique(), now());
        let mut mail = format!(
            "Received: from {helo} ({})\r\n\tby {HOST} with ESMTP id {id}\r\n\tfor <{to}>; {date}\r\n",
            envelope.peer
        )
        .into_bytes();
        mail.extend_from_slice(raw);
        // The receiver lives as long as this half does.
        let _ =
            self.queue.send(Mail { due: Instant::now(), from: envelope.from.clone(), to: to.to_owned(), raw: mail });
    }

    /// Writes what `behavior` asks for. Reports go to the envelope sender, and a null sender gets none (RFC 3464 section 2).
    pub(super) fn after(&self, behavior: Behavior, envelope: &Envelope, to: &str, raw: &[u8]) {
        let sender = envelope.from.as_str();
        let answer = match behavior {
            Behavior::Later if !sender.is_empty() => {
                let failure = Failure {
                    recipient: to,
                    status: "5.1.1",
                    diagnostic: "550 5.1.1 The mailbox was closed after the message had been accepted",
                };
                Some((String::new(), sender.to_owned(), delivery_failure(HOST, sender, &[failure], raw)))
            }
            Behavior::Complain if !sender.is_empty() => {
                Some((format!("feedback@{HOST}"), sender.to_owned(), complaint(HOST, sender, sender, to, raw)))
            }
            Behavior::OutOfOffice => {
                reply_address(raw).map(|it| (String::new(), it.clone(), out_of_office(to, &it, raw)))
            }
            _ => None,
        };
        if let Some((from, to, raw)) = answer {
            // The receiver lives as long as this half does.
            let _ = self.queue.send(Mail {
                due: Instant::now() + Duration::from_millis(self.later.load(Ordering::Relaxed)),
                from,
                to,
                raw,
            });
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Where a person's mail program would send an answer.
fn reply_address(raw: &[u8]) -> Option<String> {
    let head = Head::of(raw);
    if head.get("Auto-Submitted").is_some_and(|it| !it.eq_ignore_ascii_case("no")) {
        return None;
    }
    let field = head.get("Reply-To").or_else(|| head.get("From"))?;
    let address = address_of(&field);
    address.contains('@').then(|| address.to_owned())
}
