//! The answer of the routing dry run: the verdict and the mail as it was read. The example `route`, the test box and
//! `POST /api/v1/route` give the same.

use serde::Serialize;

use crate::address::Mailbox;
use crate::mail::html;
use crate::mail::inbound::InboundMail;
use crate::mail::inbound::ParseIssue;
use crate::time::Timestamp;

use super::arrival::Arrival;
use super::decide::decide;
use super::facts::Context;
use super::facts::Facts;
use super::otherwise::Otherwise;
use super::otherwise::otherwise;
use super::plan::IngestPlan;
use super::plan::plan;
use super::verdict::Verdict;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// Of the scenario, in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(flatten)]
    pub verdict: Verdict,
    pub parsed: Parsed,
    /// What would be written, with made-up ids.
    pub plan: IngestPlan,
    /// What would have to change for another outcome.
    pub otherwise: Vec<Otherwise>,
}

/// The mail as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parsed {
    pub subject: String,
    pub from: Vec<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub reply_to: Vec<String>,
    /// The time of arrival stands in for a missing or unreadable Date (PAR-10).
    pub date: String,
    pub message_id: Option<String>,
    pub text: String,
    /// Made safe to show.
    pub html: Option<String>,
    pub attachments: Vec<ParsedAttachment>,
    pub issues: Vec<ParseIssue>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParsedAttachment {
    pub name: String,
    pub r#type: String,
    pub size: usize,
    pub sha256: String,
    pub inline: bool,
    pub cid: Option<String>,
}

impl Answer {
    /// Decides about an arrival and says what follows from it; nothing is kept. `now` is when the mail came.
    pub fn new(arrival: &Arrival, mail: &InboundMail, facts: &Facts, context: &Context, now: Timestamp) -> Self {
        let verdict = decide(arrival, facts, context, now);
        let mut n = 0;
        let mut ids = || {
            n += 1;
            format!("new-{n}")
        };
        Self {
            name: None,
            parsed: Parsed::new(mail, now),
            plan: plan(mail, arrival, &verdict, facts, context, &mut ids, now),
            otherwise: otherwise(arrival, facts, context, now, &verdict),
            verdict,
        }
    }
}

impl Parsed {
    fn new(mail: &InboundMail, now: Timestamp) -> Self {
        let head = &mail.head;
        let list = |boxes: &[Mailbox]| boxes.iter().map(Mailbox::display).collect();
        let mut from: Vec<String> = list(&head.from);
        if from.is_empty() && !head.from_raw.trim().is_empty() {
            from.push(head.from_raw.trim().to_owned());
        }
        Self {
            subject: head.subject.clone(),
            from,
            to: list(&head.to),
            cc: list(&head.cc),
            reply_to: list(&head.reply_to),
            date: head.date.unwrap_or(now).to_rfc3339(),
            message_id: head.message_id.as_ref().map(|it| it.as_str().to_owned()),
            text: mail.text.clone(),
            html: mail.html.as_deref().map(html::sanitise),
            attachments: mail
                .attachments
                .iter()
                .map(|it| ParsedAttachment {
                    name: it.name.clone(),
                    r#type: it.content_type.clone(),
                    size: it.bytes.len(),
                    sha256: it.sha256.clone(),
                    inline: it.inline,
                    cid: it.cid.clone(),
                })
                .collect(),
            issues: head.issues.clone(),
        }
    }
}
