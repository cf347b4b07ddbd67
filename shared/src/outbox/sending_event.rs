//! Delivery events of Cloudflare Email Sending (`cf.email.sending.message.*`, Queues event subscriptions): what one says about
//! one recipient. Unknown types and broken bodies are `None`, so that they are kept and never misread.

use serde_json::Value;

use crate::outbox::failure;
use crate::outbox::failure::Failure;
use crate::outbox::failure::Reason;
use crate::outbox::reply;
use crate::outbox::state::DeliveryEvent;
use crate::outbox::state::DeliveryState;
use crate::time::Timestamp;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendingEvent {
    /// The same event may come again, in any order: this key makes it count once.
    pub id: String,
    /// As Email Sending returned it, with angle brackets.
    pub message_id: String,
    pub recipient: String,
    pub state: DeliveryState,
    /// None for `delivered`.
    pub failure: Option<Failure>,
    pub code: Option<u16>,
    /// Enhanced status code of the receiver's answer.
    pub status: Option<String>,
    /// The receiver's words.
    pub text: String,
    pub at: Option<Timestamp>,
    /// No further event follows.
    pub is_last: bool,
}

impl SendingEvent {
    /// What it means for the delivery, which the provider had taken from us.
    pub const fn event(&self) -> DeliveryEvent {
        match self.state {
            DeliveryState::Delivered => DeliveryEvent::ReportDelivered,
            DeliveryState::Deferred => DeliveryEvent::ReportDelayed,
            DeliveryState::Complained => DeliveryEvent::ReportComplaint,
            _ => DeliveryEvent::ReportBounced,
        }
    }

    /// The state of the delivery then. What the provider could not or would not deliver came back after it was taken.
    pub const fn outcome(&self) -> DeliveryState {
        match self.state {
            DeliveryState::Failed => DeliveryState::Bounced,
            other => other,
        }
    }
}

const PREFIX: &str = "cf.email.sending.message.";

/// Reads the body of a queue message.
pub fn read(body: &str) -> Option<SendingEvent> {
    let event: Value = serde_json::from_str(body).ok()?;
    let kind = event.get("type")?.as_str()?.strip_prefix(PREFIX)?;
    let payload = event.get("payload")?;
    let text = |path: &str| payload.pointer(path).and_then(Value::as_str).filter(|it| !it.is_empty());
    let number = |path: &str| {
        let value = payload.pointer(path)?;
        let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
        u16::try_from(number).ok().filter(|it| (200..600).contains(it))
    };
    let words = ["/delivery/response", "/delivery/smtpResponse", "/delivery/message", "/delivery/error"];
    let mut words = words.into_iter().chain(["/bounce/reason", "/bounce/message", "/rejection/reason", "/reason"]);
    let words = words.find_map(text).unwrap_or_default();
    let (found_code, found_status) = reply::scan(words);
    let code = number("/delivery/smtpStatusCode").or(found_code);
    let status = text("/delivery/smtpEnhancedStatusCode").or_else(|| text("/delivery/enhancedStatusCode"));
    let status = status.filter(|it| reply::is_status(it)).or(found_status);
    let read = || failure::classify(code, status, words);
    let is_hard = text("/bounce/type") == Some("hard");
    let (state, failure) = match kind {
        "delivered" => (DeliveryState::Delivered, None),
        "deferred" => (DeliveryState::Deferred, Some(Failure { permanent: false, temporary: true, ..read() })),
        "bounced" => (DeliveryState::Bounced, Some(bounced(read(), is_hard))),
        "failed" => (DeliveryState::Failed, Some(Failure { temporary: false, ..read() })),
        // Not tried: the recipient is on the provider's suppression list, or the mail breaks its rules.
        "rejected" => {
            let is_suppressed = words.to_ascii_lowercase().contains("suppress");
            let reason = if is_suppressed { Reason::Suppressed } else { read().reason };
            (DeliveryState::Failed, Some(Failure { reason, permanent: is_suppressed, temporary: false }))
        }
        "complained" => {
            let failure = Failure { reason: Reason::Feedback, permanent: false, temporary: false };
            (DeliveryState::Complained, Some(failure))
        }
        _ => return None,
    };
    Some(SendingEvent {
        id: text("/eventId")?.to_owned(),
        message_id: text("/messageId")?.to_owned(),
        recipient: text("/recipient")?.to_owned(),
        state,
        failure,
        code,
        status: status.map(str::to_owned),
        text: words.chars().take(2_000).collect(),
        at: event.pointer("/metadata/eventTimestamp").and_then(|it| {
            it.as_str().and_then(Timestamp::parse_rfc3339).or_else(|| it.as_i64().map(Timestamp::from_millis))
        }),
        is_last: payload.get("terminal").and_then(Value::as_bool).unwrap_or(kind != "deferred"),
    })
}

/// The provider says hard: the address is dead, unless the words name a policy of theirs.
fn bounced(found: Failure, is_hard: bool) -> Failure {
    let tells = !matches!(found.reason, Reason::Undefined | Reason::OnHold);
    match (is_hard, tells) {
        (true, false) => Failure { reason: Reason::UserUnknown, permanent: true, temporary: false },
        (true, true) => Failure { temporary: false, ..found },
        (false, _) => Failure { permanent: false, ..found },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, more: &Value) -> String {
        let mut payload = json!({
            "eventId": "e1", "messageId": "<m1@corp.test>", "sender": "bo@corp.test", "recipient": "ann@customer.test",
        });
        if let (Some(all), Some(more)) = (payload.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        let at = "2026-11-24T10:00:00Z";
        json!({ "type": format!("{PREFIX}{kind}"), "source": { "domain": "corp.test" }, "payload": payload, "metadata": { "eventTimestamp": at } })
            .to_string()
    }

    #[test]
    fn the_six_types() {
        let check = |kind: &str, more: Value, state: &str, reason: &str, permanent: bool, is_last: bool| {
            let got = read(&event(kind, &more)).unwrap();
            let failure = got.failure.map_or(("", false), |it| (it.reason.as_str(), it.permanent));
            let expect = (state, (reason, permanent), is_last);
            assert_eq!((got.state.as_str(), failure, got.is_last), expect, "{kind} {more}");
            assert_eq!((got.id.as_str(), got.message_id.as_str()), ("e1", "<m1@corp.test>"));
            assert!(got.at.is_some());
        };
        check(
            "delivered",
            json!({ "terminal": true, "delivery": { "smtpStatusCode": 250 } }),
            "delivered",
            "",
            false,
            true,
        );
        let full =
            json!({ "terminal": false, "delivery": { "smtpStatusCode": 452, "response": "452 4.2.2 mailbox full" } });
        check("deferred", full, "deferred", "mailboxfull", false, false);
        let unknown = json!({ "delivery": { "smtpStatusCode": "550", "response": "550 5.1.1 user unknown" }, "bounce": { "type": "hard" } });
        check("bounced", unknown, "bounced", "userunknown", true, true);
        check("bounced", json!({ "bounce": { "type": "hard" } }), "bounced", "userunknown", true, true);
        check(
            "bounced",
            json!({ "bounce": { "type": "soft" }, "delivery": { "response": "550 5.1.1 user unknown" } }),
            "bounced",
            "userunknown",
            false,
            true,
        );
        let policy = json!({ "bounce": { "type": "hard" }, "delivery": { "response": "550 5.7.26 DMARC policy" } });
        check("bounced", policy, "bounced", "authfailure", false, true);
        check(
            "failed",
            json!({ "delivery": { "response": "connection timed out" } }),
            "failed",
            "expired",
            false,
            true,
        );
        check("rejected", json!({ "reason": "recipient is suppressed" }), "failed", "suppressed", true, true);
        check("complained", json!({ "complaint": { "type": "abuse" } }), "complained", "feedback", false, true);
    }

    #[test]
    fn what_is_no_event_of_ours() {
        for body in ["", "{}", "[]", "{\"type\":\"cf.email.sending.message.opened\",\"payload\":{}}", "{\"type\":1}"] {
            assert_eq!(read(body), None, "{body}");
        }
        assert_eq!(read(&event("opened", &json!({}))), None);
        assert_eq!(read(&event("bounced", &json!({ "messageId": "" }))), None);
    }
}
