//! The front door: real SMTP in, one hand-over to the Worker for each recipient, the Worker's answer out.
//!
//! It stands for Cloudflare Email Routing in development: it adds what a receiving host adds (Received and
//! Authentication-Results) and answers the SMTP peer 250, 550 with the Worker's reason, or 451 when the Worker failed, so
//! that the peer tries again. Repeating a hand-over is safe: the Worker takes the same mail only once.

mod hand_over;
mod trace;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;

use crate::journal::Journal;
use crate::report::{Failure, delivery_failure, domain_of};
use crate::smtp::{Answer, Envelope, Reply, Server, Service, client};

pub use hand_over::{Outcome, Poster};

/// What Email Routing takes.
pub const MAX_SIZE: usize = 26_214_400;

const HOST: &str = "mx.cloudflare.net";

pub struct FrontDoorOptions {
    pub listen: SocketAddr,
    /// The Worker's development address, `http://127.0.0.1:8787`.
    pub worker: String,
    /// Senders under `sink.test` are told here when some of a mail's recipients were refused.
    pub sink: Option<SocketAddr>,
    pub journal: Journal,
}

pub struct FrontDoor {
    server: Server,
}

impl FrontDoor {
    pub fn start(options: FrontDoorOptions) -> Result<Self> {
        let service =
            Arc::new(Door { poster: Poster::new(&options.worker), sink: options.sink, journal: options.journal });
        Ok(Self { server: Server::start(options.listen, service)? })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

struct Door {
    poster: Poster,
    sink: Option<SocketAddr>,
    journal: Journal,
}

impl Service for Door {
    fn name(&self) -> &'static str {
        HOST
    }

    fn max_size(&self) -> usize {
        MAX_SIZE
    }

    fn message(&self, envelope: Envelope, raw: Vec<u8>) -> Answer {
        let mut refused: Vec<(String, String)> = Vec::new();
        let mut fault = None;
        for to in &envelope.to {
            let mail = trace::as_received(HOST, &envelope, to, &raw);
            let outcome = self.poster.post(&envelope.from, to, &mail);
            self.journal.note(format!("front door {to} <- {}: {outcome}", shown(&envelope.from)));
            match outcome {
                Outcome::Accepted => {}
                Outcome::Rejected(reason) => refused.push((to.clone(), reason)),
                Outcome::Failed(why) => fault = Some(why),
            }
        }
        if let Some(why) = fault {
            return Answer::Reply(Reply::new(
                451,
                "4.3.0",
                format!("The Worker could not take the mail, try again later ({why})"),
            ));
        }
        if refused.is_empty() {
            return Answer::Reply(Reply::new(250, "2.0.0", "Ok: handed to the Worker"));
        }
        if refused.len() == envelope.to.len() {
            let reasons: Vec<&str> = refused.iter().map(|(_, reason)| reason.as_str()).collect();
            return Answer::Reply(Reply::new(550, "5.1.1", reasons.join("\n")));
        }
        // SMTP has one answer for all recipients after DATA, so the refused ones are told of by a report, as a relay would.
        self.report(&envelope, &refused, &raw);
        let names: Vec<&str> = refused.iter().map(|(to, _)| to.as_str()).collect();
        Answer::Reply(Reply::new(
            250,
            "2.0.0",
            format!("Ok: handed to the Worker, but refused for {}", names.join(", ")),
        ))
    }
}

impl Door {
    fn report(&self, envelope: &Envelope, refused: &[(String, String)], raw: &[u8]) {
        let sender = envelope.from.as_str();
        let domain = domain_of(sender).to_ascii_lowercase();
        let local = domain == "sink.test" || domain.ends_with(".sink.test");
        let Some(sink) = self.sink.filter(|_| local) else {
            self.journal.note(format!(
                "front door: no report to {} about {} refused recipients",
                shown(sender),
                refused.len()
            ));
            return;
        };
        let texts: Vec<String> =
            refused.iter().map(|(_, reason)| format!("550 5.1.1 {}", reason.replace(['\r', '\n'], " "))).collect();
        let failures: Vec<Failure<'_>> = refused
            .iter()
            .zip(&texts)
            .map(|((recipient, _), diagnostic)| Failure { recipient, status: "5.1.1", diagnostic })
            .collect();
        let report = delivery_failure(HOST, sender, &failures, raw);
        if let Err(error) = client::send(sink, "", &[sender], &report) {
            self.journal.note(format!("front door: report to {sender} failed: {error:#}"));
        }
    }
}

fn shown(sender: &str) -> &str {
    if sender.is_empty() { "<>" } else { sender }
}
