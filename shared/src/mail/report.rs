//! Mail about mail: delivery reports (RFC 3464), complaints (RFC 5965, RFC 6591), receipts (RFC 8098), absence notes, and the
//! bounces of systems that follow no RFC. All recipients of a report are read; what is no report is kind `message`.

mod blocks;
mod fields;
mod mbox;
mod prose;
mod words;

use std::collections::HashSet;

use serde::Deserialize;
use serde::Serialize;

use self::blocks::Blocks;
use self::fields::Fields;
use crate::address::EmailAddress;
use crate::mail::automatic;
use crate::mail::automatic::Automatic;
use crate::mail::inbound::Attachment;
use crate::mail::inbound::Head;
use crate::mail::inbound::InboundMail;
use crate::mail::parse;
use crate::mail::rfc_id;
use crate::mail::rfc_id::RfcMessageId;
use crate::outbox::failure;
use crate::outbox::failure::Reason;
use crate::outbox::failure::Said;
use crate::outbox::failure::Stage;
use crate::outbox::reply;

/// What a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Given up.
    Bounce,
    /// Still being tried.
    Delay,
    Delivered,
    Complaint,
    AutoReply,
    /// Read, or deleted unread.
    Receipt,
    /// No report.
    Message,
}

impl Kind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Delay => "delay",
            Self::Delivered => "delivered",
            Self::Complaint => "complaint",
            Self::AutoReply => "auto-reply",
            Self::Receipt => "receipt",
            Self::Message => "message",
        }
    }
}

/// What is said about one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Final-Recipient, the address that failed. Text, since remote systems write what they like.
    pub recipient: Option<String>,
    /// Original-Recipient: the address as we wrote it, when it differs (forwarding).
    pub original_recipient: Option<String>,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded` (RFC 3464 section 2.3.3).
    pub action: Option<String>,
    /// RFC 3463: the most telling one, of the field or of the server's own words.
    pub status: Option<String>,
    /// The Status field as the report states it, when there is one.
    pub stated_status: Option<String>,
    pub reply_code: Option<u16>,
    pub reason: Reason,
    /// The address itself is dead ([`failure::Failure::permanent`]).
    pub permanent: bool,
    /// The words of the server that said no, on one line, at most 2,000 characters.
    pub diagnostic: Option<String>,
}

/// A mail, read as a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub kind: Kind,
    /// Empty for kind `message`.
    pub reports: Vec<Recipient>,
    /// `abuse`, `auth-failure`, `opt-out` … of a complaint (RFC 5965 section 3.1).
    pub feedback_type: Option<String>,
    /// Message-IDs of the message it is about, best first: from the returned message, from fields, from its own references.
    pub original_ids: Vec<RfcMessageId>,
    /// Header section of the returned message, for signed addresses and `X-Mailroom-*` in it.
    pub original: Option<Head>,
}

impl Report {
    fn message() -> Self {
        Self { kind: Kind::Message, reports: Vec::new(), feedback_type: None, original_ids: Vec::new(), original: None }
    }
}

/// More recipients in one report are not read.
const MAX_RECIPIENTS: usize = 1_000;
/// More messages that one report is about are not read.
const MAX_IDS: usize = 20;

/// Reads raw bytes. Ordinary mail is told by its header section alone; of an mbox file (RFC 4155) all messages are read as one.
pub fn read(raw: &[u8]) -> Report {
    let mut parts = mbox::split(raw);
    let mut report = read_one(parts.next().unwrap_or_default());
    for part in parts {
        let next = read_one(part);
        if next.kind == report.kind {
            report.reports.extend(next.reports);
            report.original_ids.extend(next.original_ids);
        }
    }
    report.reports.truncate(MAX_RECIPIENTS);
    report.original_ids.truncate(MAX_IDS);
    report
}

fn read_one(raw: &[u8]) -> Report {
    let opened = parse::open(raw);
    if !prose::may_be_report(&opened.head) && !has_report_part(raw) {
        return Report::message();
    }
    read_mail(&opened.read())
}

/// A report part under a multipart that doesn't say so. Looked for in the first 64 KiB.
fn has_report_part(raw: &[u8]) -> bool {
    let start = raw.get(..raw.len().min(64 * 1024)).unwrap_or(raw);
    let names: [&[u8]; 3] =
        [b"message/feedback-report", b"message/delivery-status", b"message/disposition-notification"];
    let slashes = start.iter().enumerate().filter(|(_, it)| **it == b'/').map(|(at, _)| at);
    slashes
        .filter_map(|at| start.get(at.checked_sub(7)?..))
        .any(|from| names.iter().any(|it| from.get(..it.len()).is_some_and(|found| found.eq_ignore_ascii_case(it))))
}

/// Reads a parsed mail.
pub fn read_mail(mail: &InboundMail) -> Report {
    let head = &mail.head;
    let original = returned_head(mail);
    let by_kind = read_complaint(mail, original.as_ref())
        .or_else(|| read_receipt(mail))
        .or_else(|| prose::read_json(mail))
        .or_else(|| read_delivery_status(mail))
        .or_else(|| read_absence(head))
        .or_else(|| prose::read(mail, original.as_ref()));
    let Some(mut report) = by_kind else { return Report::message() };
    report.reports.truncate(MAX_RECIPIENTS);
    let from_original = original.iter().flat_map(|it| {
        let renamed = it.first("X-Microsoft-Original-Message-ID").map(rfc_id::extract).unwrap_or_default();
        renamed.into_iter().chain(it.message_id.clone())
    });
    let own = head.in_reply_to.iter().chain(head.references.iter().rev()).cloned();
    let ids: Vec<_> = from_original.chain(core::mem::take(&mut report.original_ids)).chain(own).collect();
    for id in ids {
        if !report.original_ids.contains(&id)
            && report.original_ids.len() < MAX_IDS
            && head.message_id.as_ref() != Some(&id)
        {
            report.original_ids.push(id);
        }
    }
    report.original = original;
    report
}

fn by_type<'a>(mail: &'a InboundMail, types: &'a [&'a str]) -> impl Iterator<Item = &'a Attachment> {
    mail.attachments.iter().filter(move |it| types.contains(&it.content_type.as_str()))
}

/// The header section of the message that came back.
fn returned_head(mail: &InboundMail) -> Option<Head> {
    let attached = by_type(
        mail,
        &["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "message/partial"],
    );
    let attached = attached.map(|it| parse::parse_head(&it.bytes)).find(|it| it.headers.len() > 1);
    attached.or_else(|| {
        let (_, original) = prose::split_original(&mail.text);
        // A quoted or indented copy.
        let start = original.trim_start_matches(['\r', '\n']);
        let indent = start.len() - start.trim_start_matches(' ').len();
        let unindented = |it: &'_ str| {
            it.get(indent..).filter(|_| it.starts_with(' ')).unwrap_or(it).trim_start_matches("> ").to_owned()
        };
        let lines = original.lines().take(400).map(unindented).skip_while(|it| {
            it.trim().is_empty() || it.starts_with("From ") || it.starts_with("---") || it.starts_with("===")
        });
        let copy = lines.collect::<Vec<_>>().join("\n");
        let head = parse::parse_head(copy.trim_start().as_bytes());
        Some(head).filter(|it| it.message_id.is_some() || it.headers.len() > 3)
    })
}

/// RFC 3464 section 2: all recipient blocks of all delivery-status parts, wherever a mailer put them.
fn read_delivery_status(mail: &InboundMail) -> Option<Report> {
    let attached = by_type(mail, &["message/delivery-status", "message/global-delivery-status"]);
    let mut groups: Vec<Fields> = attached.flat_map(|it| fields::groups(&String::from_utf8_lossy(&it.bytes))).collect();
    if !groups.iter().any(Fields::is_recipient) {
        // A misplaced status part: in the text, or under another type.
        let texts =
            mail.attachments.iter().filter(|it| it.content_type != "message/rfc822" && it.bytes.len() < 64 * 1024);
        let texts = texts
            .map(|it| String::from_utf8_lossy(&it.bytes))
            .filter(|it| it.contains("-Recipient:") || it.contains("-recipient:"));
        groups.extend(texts.flat_map(|it| fields::groups(&it)));
        // A whole report within the text: what another relay received and passed on.
        if !groups.iter().any(Fields::is_recipient) && mail.text.contains("-Recipient:") {
            groups.extend(fields::groups(&mail.text).into_iter().filter(|it| it.get("action").is_some()));
        }
    }
    if !groups.iter().any(Fields::is_recipient) {
        return None;
    }
    let (text, _) = prose::split_original(&mail.text);
    let blocks = blocks::find(text, &mail.head);
    let gist = &prose::gist(text);
    let reporter = groups.iter().find_map(|it| it.get("reporting-mta"));
    let reports = groups
        .iter()
        .filter(|it| it.is_recipient())
        .take(MAX_RECIPIENTS)
        .map(|it| from_fields(it, reporter, &blocks, gist));
    // Some reports repeat a recipient for every try.
    let mut seen = HashSet::new();
    let key = |it: &Recipient| (it.recipient.as_ref().map(|it| it.to_ascii_lowercase()), it.action.clone());
    let reports: Vec<Recipient> = reports.filter(|it| it.recipient.is_none() || seen.insert(key(it))).collect();
    let kind = kind_of(&reports);
    Some(Report { kind, reports, ..Report::message() })
}

/// One failure is a bounce, whatever became of the others.
fn kind_of(reports: &[Recipient]) -> Kind {
    let has = |action: &str| reports.iter().any(|it| it.action.as_deref() == Some(action));
    if has("failed") {
        Kind::Bounce
    } else if has("delayed") {
        Kind::Delay
    } else if has("delivered") || has("relayed") || has("expanded") {
        Kind::Delivered
    } else {
        Kind::Bounce
    }
}

fn from_fields(fields: &Fields, reporter: Option<&str>, blocks: &Blocks, gist: &str) -> Recipient {
    let recipient = fields.address("final-recipient").or_else(|| fields.address("x-actual-recipient"));
    let recipient = recipient.or_else(|| generated_by(gist));
    let original = fields.address("original-recipient");
    let diagnostic = fields.get("diagnostic-code").map(fields::without_type);
    let status_field =
        fields.get("status").and_then(|it| it.split([' ', '(']).next()).filter(|it| reply::is_status(it));
    let block = recipient.iter().chain(&original).find_map(|it| blocks.about(it));
    // The words of the remote server stand in the field, or only in the text for people.
    let words = match (diagnostic, block) {
        (Some(it), Some(block)) if !says_why(it) && says_why(&block.text) => format!("{it} {}", block.text),
        (Some(it), _) if says_why(it) => it.to_owned(),
        (it, Some(block)) => format!("{} {}", it.unwrap_or_default(), block.text),
        (it, None) => format!("{} {}", it.unwrap_or_default(), gist),
    };
    let (found_code, found_status) = reply::scan(diagnostic.unwrap_or_default());
    // Without a block of its own, as for pipes and files, the words are the transcript's.
    let (block_code, block_status) = match block {
        Some(it) => reply::scan(&it.text),
        None if found_code.is_none() => reply::scan(gist),
        None => (None, None),
    };
    let code = found_code.or(block_code);
    let is_consistent = found_code.is_some_and(|code| {
        found_status.is_some_and(|it| {
            it.starts_with(['0', '1', '2', '3', '4', '5'].get(usize::from(code / 100)).copied().unwrap_or('-'))
        })
    });
    let is_generic = |it: &str| it.ends_with(".0.0");
    let status = match (status_field, found_status.or(block_status)) {
        (Some(field), Some(found)) if is_generic(field) && !is_generic(found) => Some(found),
        // The remote server's own code; a code of the text for people may be of the reporting host.
        (Some(field), Some(found))
            if found_status.is_some() && !is_generic(found) && (field.get(..1) == found.get(..1) || is_consistent) =>
        {
            Some(found)
        }
        (Some(field), _) => Some(field),
        (None, found) => found,
    };
    let action =
        fields.get("action").map(|it| it.split([' ', '(', ';']).next().unwrap_or_default().to_ascii_lowercase());
    // Postfix's answer to a probe.
    let action = action.map(|it| if it == "deliverable" { "delivered".to_owned() } else { it });
    let action = action
        .filter(|it| ["failed", "delayed", "delivered", "relayed", "expanded"].contains(&it.as_str()))
        .or_else(|| {
            let class = status.and_then(|it| it.get(..1));
            class.map(|it| {
                if it == "2" {
                    "delivered"
                } else if it == "4" {
                    "delayed"
                } else {
                    "failed"
                }
                .to_owned()
            })
        });
    let is_success = action.as_deref().is_some_and(|it| it != "failed" && it != "delayed");
    let reported_stage =
        || failure::stage_in(fields.get("status").unwrap_or_default()).or_else(|| failure::stage_in(gist));
    let stage = block.and_then(|it| it.stage.or_else(|| failure::stage_in(&it.text))).or_else(reported_stage);
    let hosts: Vec<&str> = [fields.get("remote-mta"), reporter].into_iter().flatten().map(fields::host).collect();
    let (mut failure, is_certain) = failure::judge(&Said { stage, code, status, hosts: &hosts, text: &words });
    if !is_certain {
        doubt_unknown_user(&mut failure, stage.or_else(|| failure::stage_in(&words)), code, status);
    }
    // The mailbox's own provider explains its reply above it.
    let domain = recipient.as_deref().and_then(|it| it.rsplit_once('@')).map_or("", |(_, it)| it);
    if failure.reason == Reason::UserUnknown
        && reporter.is_some_and(|it| failure::ends_with_domain(fields::host(it), domain))
        && let Some(reason) =
            failure::by_wording(gist).filter(|it| *it == Reason::Suspend || *it == Reason::MailboxFull)
    {
        (failure.reason, failure.permanent) = (reason, false);
    }
    // PowerMTA writes what its own reading of the reply is behind the status.
    let says_disabled = fields.get("status").is_some_and(|it| it.to_ascii_lowercase().contains("mailbox disabled"));
    if says_disabled && matches!(failure.reason, Reason::Filtered | Reason::UserUnknown) {
        (failure.reason, failure.permanent) = (Reason::Suspend, false);
    }
    let is_program = fields.get("diagnostic-code").is_some_and(|it| it.to_ascii_lowercase().starts_with("x-unix"));
    if is_program && matches!(failure.reason, Reason::SystemError | Reason::OnHold | Reason::Undefined) {
        failure.reason = Reason::MailerError;
    }
    let shown = diagnostic.map(str::to_owned).or_else(|| block.map(|it| it.text.clone()));
    Recipient {
        original_recipient: original.clone().filter(|it| Some(it) != recipient.as_ref()),
        recipient: recipient.or(original),
        status: status.map(str::to_owned),
        stated_status: status_field.map(str::to_owned),
        reply_code: code,
        reason: if is_success { Reason::Delivered } else { failure.reason },
        permanent: failure.permanent && !is_success && action.as_deref() != Some("delayed"),
        action,
        diagnostic: shown.map(|it| one_line(&it)).filter(|it| !it.is_empty()),
    }
}

/// `550 No such user` from a system that tells neither the command nor a status of the address class: it may be a filter, so the
/// address is not called dead. An SMTP reply of our own session is another matter: there the command is known.
fn doubt_unknown_user(failure: &mut failure::Failure, stage: Option<Stage>, code: Option<u16>, status: Option<&str>) {
    let is_sure = stage == Some(Stage::Rcpt) || status.is_some_and(|it| matches!(it.get(1..4), Some(".1." | ".4.")));
    if failure.reason == Reason::UserUnknown && !is_sure && (code.is_some() || status.is_some()) {
        failure.reason = Reason::Filtered;
        failure.permanent = false;
    }
}

/// Exim names a file or a pipe as the recipient, and in its text whose mailbox that is.
fn generated_by(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("generated by ")?;
    fields::address_in(rest.lines().next()?)
}

/// A text that the rules can explain.
fn says_why(text: &str) -> bool {
    !matches!(failure::classify(None, None, text).reason, Reason::Undefined | Reason::OnHold)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(2_000).collect()
}

/// RFC 5965: a user pressed *spam*, or a receiver tells that authentication failed (RFC 6591).
fn read_complaint(mail: &InboundMail, original: Option<&Head>) -> Option<Report> {
    let part = by_type(mail, &["message/feedback-report"]).next();
    let Some(part) = part else { return prose::read_unsubscribe(mail) };
    let fields = fields::groups(&String::from_utf8_lossy(&part.bytes));
    let get = |name: &str| fields.iter().find_map(|it| it.get(name));
    let feedback_type = get("feedback-type").unwrap_or("abuse").trim().to_ascii_lowercase();
    let mut recipients: Vec<String> = Vec::new();
    for name in ["original-rcpt-to", "removal-recipient"] {
        for value in fields.iter().flat_map(|it| it.all(name)) {
            recipients.extend(fields::address_in(value).filter(|it| !recipients.contains(it)));
        }
    }
    if recipients.is_empty() {
        recipients.extend(original.iter().flat_map(|it| &it.to).map(|it| it.address.as_str().to_owned()).take(1));
    }
    let item = |recipient: Option<String>| Recipient {
        recipient,
        original_recipient: None,
        action: None,
        status: None,
        stated_status: None,
        reply_code: None,
        reason: Reason::Feedback,
        permanent: false,
        diagnostic: Some(one_line(&mail.text)).filter(|it| !it.is_empty()),
    };
    let reports = if recipients.is_empty() {
        vec![item(None)]
    } else {
        recipients.into_iter().map(|it| item(Some(it))).collect()
    };
    let original_ids = get("original-message-id").map(rfc_id::extract).unwrap_or_default();
    Some(Report { kind: Kind::Complaint, reports, feedback_type: Some(feedback_type), original_ids, original: None })
}

/// RFC 8098.
fn read_receipt(mail: &InboundMail) -> Option<Report> {
    let part =
        by_type(mail, &["message/disposition-notification", "message/global-disposition-notification"]).next()?;
    let fields = fields::groups(&String::from_utf8_lossy(&part.bytes));
    let get = |name: &str| fields.iter().find_map(|it| it.get(name));
    let address = |name: &str| fields.iter().find_map(|it| it.address(name));
    let disposition = get("disposition").and_then(|it| it.split(';').nth(1)).unwrap_or_default();
    if disposition.trim().eq_ignore_ascii_case("deleted") && says_rejected(mail) {
        let recipient = address("final-recipient")?;
        let report = from_words(recipient, None, &mail.text, &mail.text, false);
        let original_ids = get("original-message-id").map(rfc_id::extract).unwrap_or_default();
        return Some(Report { kind: Kind::Bounce, reports: vec![report], original_ids, ..Report::message() });
    }
    let report = Recipient {
        recipient: address("final-recipient").or_else(|| mail.head.sender().map(|it| it.address.as_str().to_owned())),
        original_recipient: address("original-recipient"),
        action: Some(disposition.split('/').next().unwrap_or_default().trim().to_ascii_lowercase())
            .filter(|it| !it.is_empty()),
        status: None,
        stated_status: None,
        reply_code: None,
        reason: Reason::Delivered,
        permanent: false,
        diagnostic: Some(one_line(&mail.text)).filter(|it| !it.is_empty()),
    };
    let original_ids = get("original-message-id").map(rfc_id::extract).unwrap_or_default();
    Some(Report { kind: Kind::Receipt, reports: vec![report], original_ids, ..Report::message() })
}

/// RFC 5429 section 2.2: a mailbox's filter refuses by a receipt that says `deleted`; so do mailers whose owner never looked.
fn says_rejected(mail: &InboundMail) -> bool {
    let how = mail.head.first("Auto-Submitted").unwrap_or_default();
    [how, &mail.head.subject].into_iter().any(|it| it.to_ascii_lowercase().contains("reject"))
}

/// RFC 3834: an absence note.
fn read_absence(head: &Head) -> Option<Report> {
    if automatic::classify(head, false) != Some(Automatic::AutoReply) || prose::is_surely_bounce(head) {
        return None;
    }
    let report = Recipient {
        recipient: head.sender().map(|it| it.address.as_str().to_owned()),
        original_recipient: None,
        action: None,
        status: None,
        stated_status: None,
        reply_code: None,
        reason: Reason::Vacation,
        permanent: false,
        diagnostic: Some(head.subject.clone()).filter(|it| !it.is_empty()),
    };
    Some(Report { kind: Kind::AutoReply, reports: vec![report], ..Report::message() })
}

/// The report of one recipient that is known from words only.
fn from_words(recipient: String, stage: Option<Stage>, words: &str, shown: &str, is_delay: bool) -> Recipient {
    let (code, status) = reply::scan(words);
    let domain = recipient.rsplit_once('@').map_or("", |(_, it)| it);
    let (mut failure, is_certain) = failure::judge(&Said { stage, code, status, hosts: &[domain], text: words });
    if !is_certain {
        doubt_unknown_user(&mut failure, stage.or_else(|| failure::stage_in(words)), code, status);
    }
    if failure.reason == Reason::Undefined && !shown.trim().is_empty() {
        failure.reason = Reason::OnHold;
    }
    Recipient {
        recipient: Some(recipient),
        original_recipient: None,
        action: Some(if is_delay { "delayed" } else { "failed" }.to_owned()),
        status: status.map(str::to_owned),
        stated_status: None,
        reply_code: code,
        reason: failure.reason,
        permanent: failure.permanent && !is_delay,
        diagnostic: Some(one_line(shown)).filter(|it| !it.is_empty()),
    }
}

/// What the spellings of an address have in common.
fn address_key(address: &str) -> String {
    EmailAddress::parse(address).map_or_else(|_| address.to_lowercase(), |it| it.key())
}

fn same_address(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || matches!((EmailAddress::parse(a), EmailAddress::parse(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests;
