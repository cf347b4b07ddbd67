//! Loops: our own mail that comes back, and senders who write too often.

use crate::address::EmailAddress;
use crate::id::RecordId;
use crate::policy;
use crate::time::Span;
use crate::time::Timestamp;
use crate::token;

use super::alias::is_in_list;
use super::case::Case;
use super::facts::Direction;
use super::facts::DomainFact;
use super::facts::ReceivedFact;
use super::inquire;
use super::why::Why;

/// Stands in the Message-ID of our own automatic notices: an answer to one is never answered again (LP-6).
pub const LOOP_TAG: &str = "loop-detection";

/// Value of the header [`policy::HEADER_LOOP`] on everything we send: signed, so that nobody can make us drop mail.
pub fn loop_value(secret: &str) -> String {
    token::sign(secret, token::Purpose::Link, "loop")
}

fn is_ours(secret: &str, value: &str) -> bool {
    token::verify(secret, token::Purpose::Link, value.trim()).as_deref() == Some("loop")
}

/// Refusals closer together belong to one loop.
const EPISODE_GAP: Span = Span::minutes(30);
/// Longest window in minutes.
const MAX_WINDOW: i64 = 24 * 60;

impl Case<'_> {
    /// A mail that we sent ourselves, whatever a relay did to its Message-ID (LP-6, LP-13).
    pub(super) fn own_loop(&self) -> Option<&'static str> {
        let head = &self.arrival.head;
        let secret = &self.context.secret;
        if head.all(policy::HEADER_LOOP).any(|it| is_ours(secret, it)) {
            return Some("loop.header");
        }
        let is_tagged = |id: &crate::mail::rfc_id::RfcMessageId| id.bare().contains(LOOP_TAG);
        if head.references.iter().chain(&head.in_reply_to).any(is_tagged) {
            return Some("loop.notice");
        }
        let has_token = |address: &EmailAddress| inquire::reply_id(secret, address).is_some();
        if head.reply_to.iter().any(|it| has_token(&it.address)) {
            return Some("loop.reply_to");
        }
        let known = inquire::header_id(self.arrival).and_then(|id| self.message(&id));
        if known.is_some_and(|it| it.direction == Direction::Out)
            && head.sender().is_some_and(|it| self.is_default_from(&it.address))
        {
            return Some("loop.own");
        }
        None
    }

    /// The address our notifications come from.
    fn is_default_from(&self, address: &EmailAddress) -> bool {
        let is = |it: &DomainFact| {
            let full = if it.default_from.contains('@') {
                it.default_from.clone()
            } else {
                format!("{}@{}", it.default_from, it.name)
            };
            EmailAddress::parse(&full).is_ok_and(|it| it == *address)
        };
        self.context.domains.iter().any(is)
    }

    /// Whether the sender wrote to a target too often within the window. `record`: mails to that record (LP-2); else records
    /// made of that type or by that address (LP-1), fallback included (LP-9). Beside it, limits per alias and per domain.
    pub(super) fn is_loop(&mut self, record: Option<&RecordId>, r#type: &str, address: &str) -> bool {
        let Some(sender) = self.sender.clone() else { return false };
        let of_sender = self.sender_limit(&sender, record, r#type, address);
        let Some(why) = of_sender.or_else(|| self.volume_limit(&sender, address)) else { return false };
        if is_in_list(&self.context.policy.r#loop.allow, &sender) {
            let limit = why.args.get("limit").cloned().unwrap_or_default();
            self.because("loop", "loop.allowed", &[("sender", &sender), ("limit", &limit)]);
            return false;
        }
        self.why.push(why);
        true
    }

    fn sender_limit(&self, sender: &str, record: Option<&RecordId>, r#type: &str, address: &str) -> Option<Why> {
        let policy = &self.context.policy.r#loop;
        let minutes = self.window();
        let since = self.now - Span::minutes(minutes);
        // What came later than this mail does not count: deciding again gives the same.
        let recent = || self.facts.received.iter().filter(|it| it.at >= since && it.at <= self.now);
        let count = match record {
            Some(id) => recent().filter(|it| it.record.as_ref() == Some(id)).count(),
            None => count_created(recent(), r#type, address),
        };
        if count < usize::try_from(policy.threshold).unwrap_or(usize::MAX) {
            return None;
        }
        let what = record.map_or(("loop.type", "type", r#type), |it| ("loop.record", "record", it.as_str()));
        let numbers = [count.to_string(), minutes.to_string(), policy.threshold.to_string()];
        let [count, minutes, limit] = numbers.each_ref().map(String::as_str);
        let args = [(what.1, what.2), ("sender", sender), ("count", count), ("minutes", minutes), ("limit", limit)];
        Some(Why::new("loop", what.0, &args))
    }

    fn volume_limit(&self, sender: &str, address: &str) -> Option<Why> {
        let policy = &self.context.policy.r#loop;
        let volume = self.facts.volume;
        let domain = sender.rsplit_once('@').map_or("", |(_, it)| it);
        let minutes = policy.minutes.to_string();
        let reached = |key: &str, who: (&str, &str), count: u32, limit: u32| {
            let args = [who, ("count", &count.to_string()), ("minutes", &minutes), ("limit", &limit.to_string())];
            (limit > 0 && count >= limit).then(|| Why::new("loop", key, &args))
        };
        reached("loop.alias", ("address", address), volume.alias, policy.per_alias)
            .or_else(|| reached("loop.domain", ("domain", domain), volume.domain, policy.per_domain))
    }

    /// The window in minutes: it doubles with every time the sender looped again, up to a day, so that a loop that comes
    /// back has to stay away longer.
    fn window(&self) -> i64 {
        let mut times: Vec<Timestamp> = self.facts.loop_refusals.iter().copied().filter(|it| *it <= self.now).collect();
        times.sort_unstable();
        let gaps = times.iter().zip(times.iter().skip(1));
        let n_again = gaps.filter(|(a, b)| **b - **a > EPISODE_GAP).count().min(10);
        (i64::from(self.context.policy.r#loop.minutes) << n_again)
            .min(MAX_WINDOW)
            .max(i64::from(self.context.policy.r#loop.minutes))
    }

    /// Refused as a loop within the window: people were told.
    pub(super) fn was_refused(&self) -> bool {
        let since = self.now - Span::minutes(self.window());
        self.facts.loop_refusals.iter().any(|it| *it >= since && *it <= self.now)
    }
}

/// Records made: several mails on one record count once.
fn count_created<'a>(recent: impl Iterator<Item = &'a ReceivedFact>, r#type: &str, address: &str) -> usize {
    let mut records: Vec<&RecordId> = Vec::new();
    let mut bare = 0;
    for it in recent {
        let same_type = it.r#type.as_ref().is_some_and(|t| t.as_str() == r#type);
        let same_alias = it.alias.as_deref() == Some(address);
        if !(same_type || same_alias) {
            continue;
        }
        match &it.record {
            Some(id) if !records.contains(&id) => records.push(id),
            Some(_) => {}
            None => bare += 1,
        }
    }
    records.len() + bare
}
