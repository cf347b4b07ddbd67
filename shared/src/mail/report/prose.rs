//! Bounces without RFC 3464: is it one, where does the returned message start, whom and what is it about.

use super::Kind;
use super::Recipient;
use super::Report;
use super::blocks;
use super::from_words;
use super::one_line;
use super::same_address;
use super::words::FAILURES;
use super::words::SENDERS;
use super::words::SEPARATORS;
use super::words::SUBJECTS;
use crate::mail::inbound::Head;
use crate::mail::inbound::InboundMail;
use crate::mail::rfc_id;
use crate::outbox::failure;
use crate::outbox::failure::Reason;
use crate::outbox::reply;

/// Can this be a report at all? Only the header section is looked at; everything else is mail from people.
pub(super) fn may_be_report(head: &Head) -> bool {
    let content_type = head.first("Content-Type").unwrap_or_default().to_ascii_lowercase();
    content_type.contains("report")
        || content_type.contains("delivery-status")
        || is_bounce_like(head)
        || head.first("Auto-Submitted").is_some()
        || crate::mail::automatic::classify(head, false).is_some()
        || head.subject.to_lowercase().contains("unsubscribe")
        || head.sender().is_some_and(|it| it.address.domain().ends_with("amazonaws.com"))
        || head.first("Content-Type").is_none_or(|it| it.to_ascii_lowercase().starts_with("multipart/"))
            && has_bounce_subject(head)
}

/// The sender, the subject or a header say that a mail system speaks.
pub(super) fn is_bounce_like(head: &Head) -> bool {
    is_surely_bounce(head) || is_from_system(head)
}

/// As [`is_bounce_like`], without the null sender, which absence notes have too.
pub(super) fn is_surely_bounce(head: &Head) -> bool {
    head.first("X-Failed-Recipients").is_some() || has_bounce_subject(head)
}

fn is_from_system(head: &Head) -> bool {
    let sender = head.sender().map(|it| {
        let local = it.address.local().to_lowercase();
        format!("{local} {}", it.name.as_deref().unwrap_or_default().to_lowercase())
    });
    let sender = sender.unwrap_or_else(|| head.from_raw.to_lowercase());
    SENDERS.iter().any(|it| sender.contains(it)) || head.first("Return-Path").is_some_and(|it| it.trim() == "<>")
}

/// A sender that writes nothing but reports: no administrator answers from there, as from `postmaster`.
fn is_from_daemon(head: &Head) -> bool {
    head.sender().is_some_and(|it| {
        let local = it.address.local().to_lowercase();
        let name = it.name.as_deref().unwrap_or_default().to_lowercase();
        ["mailer-daemon", "mailerdaemon", "mail-daemon", "maildaemon", "mdaemon"].contains(&local.as_str())
            || local.starts_with("microsoftexchange")
            || name == "microsoft outlook"
    })
}

fn is_postmaster(head: &Head) -> bool {
    head.sender().is_some_and(|it| it.address.local().eq_ignore_ascii_case("postmaster"))
}

/// The words say what is wrong with a mailbox or with the way to it.
fn names_trouble(text: &str) -> bool {
    matches!(
        failure::classify(None, None, text).reason,
        Reason::UserUnknown | Reason::HostUnknown | Reason::MailboxFull | Reason::Suspend | Reason::NoRelaying
    )
}

fn has_bounce_subject(head: &Head) -> bool {
    let subject = head.subject.to_lowercase();
    SUBJECTS.iter().any(|it| subject.contains(it))
}

/// The words of the report, and the message that came back below them.
pub(super) fn split_original(text: &str) -> (&str, &str) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower =
            line.trim().trim_start_matches("> ").get(..line.trim().len().min(60)).unwrap_or_default().to_lowercase();
        let is_separator = SEPARATORS.iter().any(|it| lower.starts_with(it))
            && !lower.starts_with("the original message was received");
        if is_separator && at > 0 {
            // A header line belongs to the copy, a line of dashes doesn't.
            let is_header = lower.starts_with("received:") || lower.starts_with("return-path:");
            let end = if is_header { at } else { at + line.len() };
            return (text.get(..at).unwrap_or(text), text.get(end..).unwrap_or_default());
        }
        at += line.len();
    }
    (text, "")
}

/// The start of a report text, for rules that need some words; without the successes of a transcript (`Out: 250-STARTTLS`).
pub(super) fn gist(text: &str) -> String {
    let mut res = String::new();
    for line in text.lines() {
        let said = line.trim();
        let said = said.strip_prefix("Out:").or_else(|| said.strip_prefix("<<<")).unwrap_or(said).trim_start();
        let is_success = said.get(..4).is_some_and(|it| {
            it.starts_with(['2', '3']) && it.ends_with(['-', ' ']) && it.bytes().take(3).all(|b| b.is_ascii_digit())
        });
        if !is_success && !line.trim_start().starts_with("In:") {
            res.push_str(line);
            res.push('\n');
        }
        if res.len() > 2_500 {
            break;
        }
    }
    res
}

/// A bounce or delay in words.
pub(super) fn read(mail: &InboundMail, original: Option<&Head>) -> Option<Report> {
    let head = &mail.head;
    if !is_bounce_like(head) {
        return None;
    }
    // A bounce that was forwarded with quotation marks.
    let unquoted: String;
    let all = if mail.text.lines().filter(|it| it.starts_with('>')).count() * 2 > mail.text.lines().count() {
        unquoted = mail
            .text
            .lines()
            .map(|it| it.strip_prefix("> ").or_else(|| it.strip_prefix('>')).unwrap_or(it))
            .collect::<Vec<_>>()
            .join("\n");
        unquoted.as_str()
    } else {
        mail.text.as_str()
    };
    let (text, returned) = split_original(all);
    let lower = text.to_lowercase();
    let says_failure = FAILURES.iter().any(|it| lower.contains(it));
    let (code, status) = reply::scan(text);
    // A mail system that returns a message, or its headers, in whatever language.
    let returns = is_from_system(head) && original.is_some();
    let blocks = blocks::find(text, head);
    // A daemon that begins a line with somebody's address, in a language that nobody here reads.
    let lists = is_from_daemon(head) && !blocks.all.is_empty();
    let is_certain = head.first("X-Failed-Recipients").is_some()
        || is_from_system(head) && has_bounce_subject(head)
        || returns
        || lists;
    // A postmaster who names somebody beside words that the rules can explain.
    let explains = || is_postmaster(head) && !blocks.all.is_empty() && names_trouble(&gist(text));
    if !says_failure && code.is_none() && status.is_none() && !is_certain && !explains() {
        return None;
    }
    // A person can write `undeliverable` in a subject: then the text must be unmistakable, and not what is quoted.
    let own_words: String = text.split_inclusive('\n').filter(|it| !it.trim_start().starts_with('>')).collect();
    let (own_code, own_status) = reply::scan(&own_words);
    let says_itself = || {
        let lower = own_words.to_lowercase();
        FAILURES.iter().any(|it| lower.contains(it))
    };
    if !is_from_system(head)
        && head.first("X-Failed-Recipients").is_none()
        && !(says_failure
            && says_itself()
            && (own_code.is_some() || own_status.is_some() || original.is_some() || lists_recipients(&own_words)))
    {
        return None;
    }
    let is_delay = is_delay(head, &lower);
    let failed = head.all("X-Failed-Recipients").flat_map(|it| blocks::addresses(it).collect::<Vec<_>>());
    let mut recipients: Vec<String> = blocks.all.iter().map(|it| it.address.clone()).collect();
    for address in failed {
        if !recipients.iter().any(|it| same_address(it, &address)) {
            recipients.push(address);
        }
    }
    if recipients.is_empty() {
        recipients = named(text, returned, head, original);
    }
    if recipients.is_empty() && !says_failure || recipients.is_empty() && !is_certain && code.is_none() {
        return None;
    }
    let gist = &gist(text);
    let reports: Vec<Recipient> = recipients
        .into_iter()
        .map(|address| {
            let block = blocks.about(&address);
            let own = block.map(|it| it.text.as_str()).unwrap_or_default();
            let explains = !matches!(failure::classify(None, None, own).reason, Reason::Undefined | Reason::OnHold);
            let has_code = reply::scan(own) != (None, None);
            let words = if explains || has_code { own } else { gist };
            let mut report = from_words(
                address,
                block.and_then(|it| it.stage),
                words,
                if own.is_empty() { gist } else { own },
                is_delay,
            );
            if matches!(report.reason, Reason::Undefined | Reason::OnHold) {
                let whole = failure::classify(None, None, &format!("{} {gist}", head.subject));
                let hints_only = matches!(whole.reason, Reason::Filtered | Reason::Undefined);
                if !hints_only {
                    report.reason = whole.reason;
                    report.permanent = whole.permanent && !is_delay;
                }
            }
            report
        })
        .collect();
    let kind = if is_delay { Kind::Delay } else { Kind::Bounce };
    Some(Report { kind, reports, ..Report::message() })
}

/// An address alone on its line below a line that tells of a failure.
fn lists_recipients(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|it| !it.is_empty()).take(40);
    let mut tells = false;
    lines.any(|line| {
        let is_address =
            !line.contains(' ') && blocks::addresses(line).next().is_some_and(|it| it.len() + 2 >= line.len());
        if !is_address {
            let lower = line.to_lowercase();
            tells = FAILURES.iter().any(|it| lower.contains(it));
        }
        is_address && tells
    })
}

fn is_delay(head: &Head, lower: &str) -> bool {
    let subject = head.subject.to_lowercase();
    let gave_up = ["given up", "giving up", "permanent", "could not be delivered for", "failed after"]
        .iter()
        .any(|it| lower.contains(it));
    let warns: &[&str] = &[
        "warning message only",
        "do not need to resend",
        "has been delayed",
        "is delayed",
        "will be retried",
        "will continue to try",
        "still being retried",
        "still trying",
        "not yet been delivered",
        "will keep trying",
        "will continue to be made",
        "this is a warning only",
        "it will be retried until",
        "attempts will continue",
        "temporarily unable to deliver",
        "wird weiter versucht",
        "noch nicht zugestellt",
    ];
    let goes_on = ["attempts will continue", "will continue to be made"].iter().any(|it| lower.contains(it));
    goes_on
        || subject.contains("delay") && !gave_up
        || warns.iter().any(|it| lower.contains(it)) && !subject.contains("fail")
}

/// Addresses that a text names somewhere, else the recipient of the returned message.
fn named(text: &str, returned: &str, head: &Head, original: Option<&Head>) -> Vec<String> {
    const CUES: [&str; 8] =
        ["rcpt to:", "delivering your mail to", "recipient", "delivered to", "deliver to", "address", "user", "failed"];
    let is_sender = |it: &str| head.from.iter().chain(&head.to).any(|own| same_address(own.address.as_str(), it));
    let mut all: Vec<(bool, Vec<String>)> = Vec::new();
    let mut n_found = 0;
    for line in text.lines().take(500) {
        let found: Vec<String> = blocks::addresses(line).filter(|it| !is_sender(it)).collect();
        if !found.is_empty() {
            n_found += found.len();
            let lower = line.to_lowercase();
            all.push((CUES.iter().any(|it| lower.contains(it)), found));
        }
        if n_found > 50 {
            break;
        }
    }
    // One that the returned message was sent to leaves no doubt.
    let head_text = returned.get(..floor_char_boundary(returned, 8_000)).unwrap_or_default().to_ascii_lowercase();
    let was_sent_to = |address: &str| {
        let is_in_head = original
            .iter()
            .flat_map(|it| it.to.iter().chain(&it.cc))
            .any(|it| same_address(it.address.as_str(), address));
        is_in_head || head_text.contains(&format!("for <{}>", address.to_ascii_lowercase()))
    };
    if let Some(sure) = all.iter().flat_map(|(_, it)| it).find(|it| was_sent_to(it)) {
        return vec![sure.clone()];
    }
    let cued = all.iter().find(|(is_cued, _)| *is_cued).or(all.first());
    let mut res: Vec<String> = Vec::new();
    match cued {
        Some((is_cued, found)) => {
            for it in found.iter().take(if *is_cued { found.len() } else { 1 }) {
                if !res.iter().any(|known| same_address(known, it)) {
                    res.push(it.clone());
                }
            }
        }
        None => res.extend(original.iter().flat_map(|it| &it.to).map(|it| it.address.as_str().to_owned()).take(1)),
    }
    res
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(0)
}

/// Amazon SES through SNS: a JSON object as the body.
pub(super) fn read_json(mail: &InboundMail) -> Option<Report> {
    let start =
        mail.text.find('{').filter(|_| mail.text.contains("notificationType") || mail.text.contains("eventType"))?;
    // Mailers break its long line anywhere.
    let text = mail.text.get(start..)?.replace(['\n', '\r'], "");
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>();
    let value = values.next()?.ok()?;
    let get = |value: &serde_json::Value, name: &str| value.get(name).and_then(|it| it.as_str()).map(str::to_owned);
    let kind_name = get(&value, "notificationType").or_else(|| get(&value, "eventType"))?;
    let (kind, object, list) = match kind_name.as_str() {
        "Bounce" => (Kind::Bounce, "bounce", "bouncedRecipients"),
        "Complaint" => (Kind::Complaint, "complaint", "complainedRecipients"),
        "Delivery" => (Kind::Delivered, "delivery", "recipients"),
        "DeliveryDelay" => (Kind::Delay, "deliveryDelay", "delayedRecipients"),
        _ => return None,
    };
    let object = value.get(object)?;
    let mut reports = Vec::new();
    for item in object.get(list).and_then(|it| it.as_array()).into_iter().flatten().take(super::MAX_RECIPIENTS) {
        let Some(address) = item.as_str().map(str::to_owned).or_else(|| get(item, "emailAddress")) else { continue };
        let diagnostic = get(item, "diagnosticCode").unwrap_or_default();
        let mut report = from_words(address, None, &diagnostic, &diagnostic, kind == Kind::Delay);
        report.status = get(item, "status").filter(|it| reply::is_status(it)).or(report.status);
        report.action = get(item, "action").or(report.action);
        match kind {
            Kind::Complaint => (report.reason, report.action, report.permanent) = (Reason::Feedback, None, false),
            Kind::Delivered => {
                (report.reason, report.action, report.permanent) = (Reason::Delivered, Some("delivered".into()), false);
            }
            _ => {}
        }
        reports.push(report);
    }
    let feedback_type =
        if kind == Kind::Complaint { get(object, "complaintFeedbackType").or(Some("abuse".into())) } else { None };
    let headers = value.get("mail").and_then(|it| it.get("commonHeaders"));
    let original_ids = headers.and_then(|it| get(it, "messageId")).map(|it| rfc_id::extract(&it)).unwrap_or_default();
    Some(Report { kind, reports, feedback_type, original_ids, original: None })
}

/// Apple Mail unsubscribes by mail when there is no other way.
pub(super) fn read_unsubscribe(mail: &InboundMail) -> Option<Report> {
    if !mail.text.contains("sent this email to unsubscribe from")
        || !mail.head.subject.to_lowercase().contains("unsubscribe")
    {
        return None;
    }
    let recipient = mail.head.sender()?.address.as_str().to_owned();
    let mut report = from_words(recipient, None, "", &one_line(&mail.text), false);
    (report.reason, report.action, report.permanent) = (Reason::Feedback, None, false);
    Some(Report {
        kind: Kind::Complaint,
        reports: vec![report],
        feedback_type: Some("opt-out".into()),
        ..Report::message()
    })
}
