//! What is written down about mail that becomes no message: every mail that came can be asked about, months later.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::gateway::arrival::Arrival;
use mailroom_shared::gateway::verdict::Refusal;
use mailroom_shared::gateway::verdict::RefusalReason;
use mailroom_shared::gateway::verdict::Verdict;
use mailroom_shared::intake::kept::kept_head;
use mailroom_shared::mail::rfc_id::RfcMessageId;
use mailroom_shared::time::Timestamp;

use crate::ports::Statement;
use crate::store::aliases;
use crate::store::ignored;
use crate::store::paused;
use crate::store::refusals;

/// The row of a refusal, and what follows from it: who loops is paused, a broken alias is shown as failing.
pub fn refused(
    id: &str,
    arrival: &Arrival,
    verdict: &Verdict,
    refusal: &Refusal,
    sender: Option<&str>,
    now: Timestamp,
) -> Vec<Statement> {
    let recipient = arrival.envelope.rcpt_to.key();
    let row = refusals::NewRefusal {
        id,
        mail_from: arrival.envelope.mail_from.as_ref().map_or("", EmailAddress::as_str),
        rcpt_to: arrival.envelope.rcpt_to.as_str(),
        subject: &arrival.head.subject,
        from: &arrival.author_from(),
        rfc_id: arrival.head.message_id.as_ref().map(RfcMessageId::as_str),
        sha256: &arrival.sha256,
        content_sha256: &arrival.content_sha256,
        size: arrival.size,
        recipient_key: &recipient,
        head: &kept_head(&arrival.head),
        status: &refusal.status,
        reason: refusal.reason.as_str(),
        text: &refusal.text,
        why: &verdict.why,
        sender_key: sender,
    };
    let mut out = vec![refusals::insert(&row, now)];
    match (refusal.reason, sender) {
        (RefusalReason::Loop, Some(sender)) => out.push(paused::pause_loop(sender, now)),
        (RefusalReason::NoSuchAddress, _) => out.push(refusals::alias_fails(&recipient, now)),
        _ => {}
    }
    if let Some(alias) = &verdict.failing {
        out.push(aliases::mark_failing(alias.as_str(), now));
    }
    out
}

/// The row of a mail that was dropped. `kind` stands in where the verdict says nothing: the same hand-over twice at once.
pub fn dropped(id: &str, arrival: &Arrival, verdict: &Verdict, sender: Option<&str>, now: Timestamp) -> Statement {
    ignored::insert(
        &ignored::NewIgnored {
            id,
            kind: verdict.ignored.map_or("duplicate", |it| it.as_str()),
            mail_from: arrival.envelope.mail_from.as_ref().map_or("", EmailAddress::as_str),
            rcpt_to: arrival.envelope.rcpt_to.as_str(),
            recipient_key: &arrival.envelope.rcpt_to.key(),
            from: &arrival.author_from(),
            subject: &arrival.head.subject,
            sender_key: sender,
            rfc_id: arrival.head.message_id.as_ref().map(RfcMessageId::as_str),
            sha256: &arrival.sha256,
            size: arrival.size,
            why: &verdict.why,
            message: verdict.duplicate_of.as_ref().map(|it| it.as_str()),
        },
        now,
    )
}
