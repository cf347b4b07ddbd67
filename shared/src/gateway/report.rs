//! Reports about our own messages: which deliveries they are about, and what they say.

use serde::Deserialize;
use serde::Serialize;

use crate::address::EmailAddress;
use crate::mail;
use crate::mail::automatic::Automatic;
use crate::mail::rfc_id::RfcMessageId;

use super::case::Case;
use super::facts::DeliveryFact;
use super::inquire;
use super::verdict::Mark;
use super::verdict::MarkState;
use super::verdict::ReportVerdict;

/// More recipients of one report are not read.
const MAX_BLOCKS: usize = 1_000;

/// What a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    Bounce,
    Delay,
    Delivered,
    Complaint,
    /// A read receipt (RFC 8098).
    Receipt,
}

impl ReportKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Delay => "delay",
            Self::Delivered => "delivered",
            Self::Complaint => "complaint",
            Self::Receipt => "receipt",
        }
    }
}

/// What a report says about one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportItem {
    /// The address that failed; text, since remote systems write what they like.
    pub recipient: Option<String>,
    /// As we wrote it, when it was forwarded.
    pub original_recipient: Option<String>,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded` (RFC 3464 section 2.3.3).
    pub action: Option<String>,
    /// RFC 3463.
    pub status: Option<String>,
    pub reply_code: Option<u16>,
    pub reason: Option<String>,
    pub permanent: Option<bool>,
    pub feedback_type: Option<String>,
    /// The words of the server that said no.
    pub diagnostic: Option<String>,
}

/// A report as read from a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub kind: ReportKind,
    pub items: Vec<ReportItem>,
    /// Message-IDs of the message it is about, best first.
    pub original_ids: Vec<RfcMessageId>,
}

/// A report that can't be placed.
pub(super) fn unplaced() -> ReportVerdict {
    ReportVerdict { kind: ReportKind::Bounce, reports: Vec::new(), marks: Vec::new() }
}

impl ReportItem {
    /// What it says about a delivery; a report without an action says what its kind says.
    fn state(&self, kind: ReportKind) -> MarkState {
        match (kind, self.action.as_deref()) {
            // Whatever a complaint or a receipt says besides.
            (ReportKind::Complaint | ReportKind::Receipt, _) => kind.state(),
            (_, Some("failed")) => MarkState::Bounced,
            (_, Some("delayed")) => MarkState::Deferred,
            (_, Some("delivered" | "relayed" | "expanded")) => MarkState::Delivered,
            _ => kind.state(),
        }
    }

    fn is_about(&self, delivery: &DeliveryFact) -> bool {
        let named = self.original_recipient.iter().chain(&self.recipient);
        named.filter_map(|it| EmailAddress::parse(it).ok()).any(|it| it == delivery.recipient)
    }
}

impl ReportKind {
    fn state(self) -> MarkState {
        match self {
            Self::Bounce => MarkState::Bounced,
            Self::Delay => MarkState::Deferred,
            Self::Delivered | Self::Receipt => MarkState::Delivered,
            Self::Complaint => MarkState::Complained,
        }
    }
}

impl Case<'_> {
    /// A report, whoever it was sent to (RT-4), with the deliveries it is about: the one whose bounce address it came to,
    /// else those of the original message, by recipient; a message with one recipient needs no further proof (BN-9).
    pub(super) fn report(&mut self) -> Option<ReportVerdict> {
        let rcpt = &self.arrival.envelope.rcpt_to;
        let signed = inquire::bounce_id(&self.context.secret, rcpt);
        let delivery = signed.and_then(|id| self.facts.deliveries.iter().find(|it| it.id == id));
        let guess = Reported { kind: ReportKind::Bounce, items: Vec::new(), original_ids: Vec::new() };
        let is_bare = delivery.is_some() && self.arrival.automatic == Some(Automatic::BounceLike);
        let report = match &self.arrival.report {
            Some(it) => it.clone(),
            // The null sender wrote to a signed bounce address: a bounce in a form we don't know.
            None if is_bare => guess,
            None => return None,
        };
        self.because("report", &format!("report.{}", report.kind.as_str()), &[]);
        let mut marks: Vec<Mark> = Vec::new();
        if let Some(delivery) = delivery {
            let args = [("recipient", delivery.recipient.as_str()), ("message", delivery.message.as_str())];
            self.because("bounce_address", "bounce.delivery", &args);
            let item = report.items.iter().position(|it| it.is_about(delivery)).or(Some(0));
            push(&mut marks, delivery, &report, item.filter(|i| *i < report.items.len()));
        }
        let is_original =
            |it: &&DeliveryFact| it.message_id.as_ref().is_some_and(|id| report.original_ids.contains(id));
        let candidates: Vec<&DeliveryFact> = self.facts.deliveries.iter().filter(is_original).collect();
        for (i, item) in report.items.iter().enumerate() {
            candidates.iter().filter(|it| item.is_about(it)).for_each(|it| push(&mut marks, it, &report, Some(i)));
        }
        if marks.is_empty() {
            match candidates.as_slice() {
                [only] => push(&mut marks, only, &report, Some(0).filter(|_| !report.items.is_empty())),
                [] => self.because("report", "report.foreign", &[]),
                _ => self.because("report", "report.nobody", &[]),
            }
        }
        for mark in &marks {
            let key = format!("mark.{}", mark.state.state().as_str());
            self.because("mark", &key, &[("recipient", &mark.recipient), ("message", mark.message.as_str())]);
        }
        Some(ReportVerdict { kind: report.kind, reports: report.items, marks })
    }
}

fn push(marks: &mut Vec<Mark>, delivery: &DeliveryFact, report: &Reported, item: Option<usize>) {
    if marks.iter().any(|it| it.delivery == delivery.id) {
        return;
    }
    marks.push(Mark {
        message: delivery.message.clone(),
        recipient: delivery.recipient.as_str().to_owned(),
        state: item.and_then(|i| report.items.get(i)).map_or(report.kind.state(), |it| it.state(report.kind)),
        delivery: delivery.id.clone(),
        report: item,
    });
}

/// Reads a report from a mail; `None` for everything else, absence notes included.
pub(super) fn read(raw: &[u8]) -> Option<Reported> {
    let found = mail::report::read(raw);
    let kind = match found.kind {
        mail::report::Kind::Bounce => ReportKind::Bounce,
        mail::report::Kind::Delay => ReportKind::Delay,
        mail::report::Kind::Delivered => ReportKind::Delivered,
        mail::report::Kind::Complaint => ReportKind::Complaint,
        mail::report::Kind::Receipt => ReportKind::Receipt,
        mail::report::Kind::AutoReply | mail::report::Kind::Message => return None,
    };
    let fields = if found.reports.is_empty() { Vec::new() } else { status_fields(raw) };
    let field = |wanted: &Option<String>| {
        let key = |text: &str| EmailAddress::parse(text).ok().map(|it| it.key());
        let wanted = wanted.as_deref().and_then(key)?;
        fields.iter().find(|(address, _)| key(address).as_ref() == Some(&wanted)).map(|(_, status)| status.clone())
    };
    let item = |it: mail::report::Recipient| ReportItem {
        status: field(&it.recipient).or(it.status),
        recipient: it.recipient,
        original_recipient: it.original_recipient,
        action: it.action,
        reply_code: it.reply_code,
        reason: Some(it.reason.as_str().to_owned()),
        permanent: Some(it.permanent),
        feedback_type: found.feedback_type.clone(),
        diagnostic: it.diagnostic,
    };
    Some(Reported { kind, items: found.reports.into_iter().map(item).collect(), original_ids: found.original_ids })
}

/// Final-Recipient and Status of each block as the reporting host wrote them (RFC 3464 section 2.3): the reader prefers
/// a more telling code of the remote server, the journal shows what was said.
fn status_fields(raw: &[u8]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for file in mail::parse::parse(raw).attachments {
        if !file.content_type.ends_with("/delivery-status") && !file.content_type.ends_with("/global-delivery-status") {
            continue;
        }
        let text = String::from_utf8_lossy(&file.bytes).replace("\r\n", "\n");
        for block in text.split("\n\n").take(MAX_BLOCKS) {
            let field = |name: &str| {
                block.lines().find_map(|line| {
                    let (found, value) = line.split_once(':')?;
                    found.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
                })
            };
            let Some(recipient) = field("Final-Recipient") else { continue };
            let recipient = recipient.rsplit(';').next().unwrap_or_default().trim().trim_matches(['<', '>']).to_owned();
            let status = field("Status").and_then(|it| it.split([' ', '(', ';']).next().map(str::to_owned));
            out.extend(status.filter(|it| is_status(it)).map(|it| (recipient, it)));
        }
    }
    out
}

/// `5.1.1` (RFC 3463 section 2).
fn is_status(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|it| (1..=3).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit()))
}
