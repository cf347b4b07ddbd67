//! The decision. Total and deterministic: same arrival, facts, context and time, same verdict.
//!
//! Order: size → own loop → way out of a campaign → duplicate → report → bounce address → reply by token → by reference → catchall → alias →
//! fallback type → refusal. The envelope decides the recipient: each recipient is its own hand-over, so a mail to two
//! aliases makes one record per hand-over (RT-17), and one that loops does not block the other (LP-5).

use serde_json::Map;
use serde_json::Value;

use crate::address::EmailAddress;
use crate::id::AliasId;
use crate::id::MessageId;
use crate::time::Timestamp;
use crate::token;

use super::alias::Match;
use super::arrival::Arrival;
use super::case::Admission;
use super::case::Case;
use super::case::Special;
use super::facts::ContactFact;
use super::facts::Context;
use super::facts::Direction;
use super::facts::EarlierFact;
use super::facts::Facts;
use super::facts::RecordFact;
use super::inquire;
use super::reply::Thread;
use super::verdict::Action;
use super::verdict::By;
use super::verdict::Held;
use super::verdict::Ignored;
use super::verdict::RefusalReason;
use super::verdict::ReportVerdict;
use super::verdict::Route;
use super::verdict::Verdict;

/// What becomes of a mail, and why.
pub fn decide(arrival: &Arrival, facts: &Facts, context: &Context, now: Timestamp) -> Verdict {
    let mut case = Case::new(arrival, facts, context, now);
    let outcome = case.decide();
    case.verdict(outcome)
}

/// What a decision comes to, before it is dressed up.
pub(super) enum Outcome {
    Routes { routes: Vec<Route>, key: String },
    Refused { reason: RefusalReason, address: EmailAddress, own: Option<String>, notice: bool },
    Ignored { why: Ignored, of: Option<MessageId> },
    Report(ReportVerdict),
}

/// A route with what its admission came to.
pub(super) struct Draft<'a> {
    pub(super) by: By,
    pub(super) found: Option<Match<'a>>,
    /// Answered, or fixed by the alias.
    pub(super) record: Option<&'a RecordFact>,
    pub(super) parent: Option<MessageId>,
    pub(super) internal: bool,
    pub(super) r#type: crate::id::TypeName,
    pub(super) defaults: Map<String, Value>,
    /// The record whose followers count, for the author.
    pub(super) seen_from: Option<&'a RecordFact>,
    pub(super) has_token: bool,
    pub(super) admission: Admission,
    /// To whom the mail goes: names the refusal and the duplicate key.
    pub(super) recipient: EmailAddress,
}

impl<'a> Case<'a> {
    fn decide(&mut self) -> Outcome {
        let rcpt = self.arrival.envelope.rcpt_to.clone();
        if self.arrival.size > self.context.policy.max_size {
            let (size, max) = (self.arrival.size.to_string(), self.context.policy.max_size.to_string());
            self.because("size", "size", &[("size", &size), ("max", &max)]);
            return Self::refuse(RefusalReason::TooBig, rcpt);
        }
        if let Some(why) = self.own_loop() {
            self.because("own_loop_tag", why, &[]);
            return Outcome::Ignored { why: Ignored::OwnLoopTag, of: None };
        }
        // The signed address is the right to ask; a bounce asks for nothing.
        let leaves = token::read_unsubscribe_local(&self.context.secret, &rcpt.local());
        if leaves.is_some() && self.arrival.envelope.mail_from.is_some() {
            self.because("unsubscribe", "unsubscribe", &[]);
            return Outcome::Ignored { why: Ignored::Unsubscribe, of: None };
        }
        if let Some(outcome) = self.duplicate(&rcpt.key()) {
            return outcome;
        }
        if let Some(report) = self.report() {
            return Outcome::Report(report);
        }
        let special = self.special(&rcpt);
        if special == Some(Special::Bounce) {
            return self.at_bounce_address(rcpt);
        }
        if let Some(thread) = self.reply_by_token() {
            return self.reply(&thread);
        }
        if let Some(thread) = self.reply_by_reference() {
            return self.reply(&thread);
        }
        if special == Some(Special::Catchall) {
            return self.at_catchall(rcpt);
        }
        if let Some(found) = self.find_alias(&rcpt) {
            return self.at_alias(found, rcpt);
        }
        self.fallback(rcpt)
    }

    /// The mail is there already for this recipient (RT-2, RT-3), or is our own come back (LP-12).
    pub(super) fn duplicate(&mut self, recipient: &str) -> Option<Outcome> {
        let arrival = self.arrival;
        // One record per alias (RT-17), by whichever of its addresses.
        let alias = self.alias_id(recipient);
        let is_same = |it: &&EarlierFact| {
            it.direction == Direction::Out
                || it.recipients.is_empty()
                || it.recipients.iter().any(|key| key == recipient || alias.is_some() && alias == self.alias_id(key))
        };
        let found = self.facts.earlier.iter().find(is_same)?;
        let of = found.message.clone();
        if found.direction == Direction::Out {
            self.told_of("duplicate", "duplicate.own", recipient, of.as_ref());
            return Some(Outcome::Ignored { why: Ignored::Duplicate, of });
        }
        let same_raw = found.sha256.as_ref().map(|it| *it == arrival.sha256);
        let same_content = found.content_sha256.as_ref().map(|it| *it == arrival.content_sha256);
        let is_conflict = match (same_raw, same_content) {
            (Some(true), _) | (_, Some(true)) | (None, None) => false,
            (_, Some(false)) | (Some(false), None) => true,
        };
        if is_conflict {
            self.told_of("conflict", "conflict", recipient, of.as_ref());
            return Some(Outcome::Ignored { why: Ignored::Conflict, of });
        }
        self.told_of("duplicate", "duplicate", recipient, of.as_ref());
        Some(Outcome::Ignored { why: Ignored::Duplicate, of })
    }

    /// Notes why, with the earlier mail it is about as far as that is written.
    fn told_of(&mut self, rule: &str, key: &str, recipient: &str, of: Option<&MessageId>) {
        match of {
            Some(of) => self.because(rule, key, &[("recipient", recipient), ("message", of.as_str())]),
            None => self.because(rule, &format!("{key}.unwritten"), &[("recipient", recipient)]),
        }
    }

    fn alias_id(&self, key: &str) -> Option<&'a AliasId> {
        Some(&self.find_alias(&EmailAddress::parse(key).ok()?)?.alias.id)
    }

    /// The same mail is on the record already, through another of its recipients: once is enough there.
    pub(super) fn duplicate_on(&mut self, record: &RecordFact) -> Option<Outcome> {
        let found = self.facts.earlier.iter().find(|it| it.record.as_ref() == Some(&record.id))?;
        let of = found.message.clone();
        self.told_of("duplicate", "duplicate", record.id.as_str(), of.as_ref());
        Some(Outcome::Ignored { why: Ignored::Duplicate, of })
    }

    /// Mail to the bounce address that is no report: an absence note or a person who answered the return path belongs on
    /// the record of the message (by the signed address, or by reference); a machine's mail without either is kept as a
    /// report nobody can place (BN-1, LP-14); a person is told.
    fn at_bounce_address(&mut self, rcpt: EmailAddress) -> Outcome {
        let delivery = inquire::bounce_id(&self.context.secret, &rcpt)
            .and_then(|id| self.facts.deliveries.iter().find(|it| it.id == id));
        let parent = delivery.and_then(|it| self.message(&it.message));
        let record = parent.and_then(|it| self.record(it.record.as_ref()?));
        if let (Some(parent), Some(record)) = (parent, record) {
            let args = [("message", parent.id.as_str()), ("record", record.id.as_str())];
            self.because("bounce_address", "bounce.record", &args);
            return self.reply(&Thread { by: By::BounceOf, parent, record, is_early: false });
        }
        if let Some(thread) = self.reply_by_reference() {
            return self.reply(&thread);
        }
        if self.arrival.automatic.is_some() || self.arrival.envelope.mail_from.is_none() {
            self.because("bounce_address", "bounce.unknown", &[("address", rcpt.as_str())]);
            return Outcome::Report(super::report::unplaced());
        }
        self.because("bounce_address", "bounce.only", &[("address", rcpt.as_str())]);
        Self::refuse(RefusalReason::NoSuchAddress, rcpt)
    }

    fn reply(&mut self, thread: &Thread<'a>) -> Outcome {
        let rcpt = self.arrival.envelope.rcpt_to.clone();
        let record = thread.record;
        if record.deleted {
            return self.reply_to_deleted(thread, rcpt);
        }
        if let Some(outcome) = self.duplicate_on(record) {
            return outcome;
        }
        let admission = self.admit_reply(thread);
        let found = self.find_alias(&rcpt).filter(|it| self.target_type(it.alias) == Some(record.r#type.as_str()));
        self.write(Draft {
            by: thread.by,
            found,
            record: Some(record),
            parent: Some(thread.parent.id.clone()).filter(|_| !thread.is_early),
            internal: !thread.is_early && Self::is_internal_reply(thread.parent),
            r#type: record.r#type.clone(),
            defaults: Map::new(),
            seen_from: Some(record),
            has_token: thread.by != By::Reference,
            admission,
            recipient: rcpt,
        })
    }

    /// RT-13: an answer to a deleted record makes a new one, by its alias when it was written to one.
    fn reply_to_deleted(&mut self, thread: &Thread<'a>, rcpt: EmailAddress) -> Outcome {
        let r#type = thread.record.r#type.clone();
        self.because("deleted", "deleted", &[("record", thread.record.id.as_str()), ("type", r#type.as_str())]);
        if let Some(found) = self.find_alias(&rcpt) {
            return self.at_alias(found, rcpt);
        }
        let admission = self.admit_reply(thread);
        self.write(Draft {
            by: thread.by,
            found: None,
            record: None,
            parent: None,
            internal: false,
            r#type,
            defaults: Map::new(),
            seen_from: Some(thread.record),
            has_token: thread.by != By::Reference,
            admission,
            recipient: rcpt,
        })
    }

    /// The route of a draft that is admitted or held; loops are asked last, so that a refusal for another reason tells it.
    pub(super) fn write(&mut self, draft: Draft<'a>) -> Outcome {
        let Draft { by, found, record, parent, internal, r#type, defaults, seen_from, has_token, admission, recipient } =
            draft;
        let alias = found.as_ref().map(|it| it.alias);
        let held = match admission {
            Admission::Admit => None,
            Admission::Hold(held) => Some(held),
            Admission::Refuse(reason) => {
                let address = alias.map_or(recipient, |it| it.address.clone());
                let own = alias.and_then(|it| it.refusal_text.clone());
                return Outcome::Refused { reason, address, own, notice: false };
            }
        };
        let target = alias.map_or_else(|| recipient.key(), |it| it.address.key());
        if held != Some(Held::Paused) && self.is_loop(record.map(|it| &it.id), r#type.as_str(), &target) {
            return self.looping(alias.map_or(recipient, |it| it.address.clone()));
        }
        let author = self.author(seen_from, has_token);
        let has_title = self.r#type(r#type.as_str()).is_none_or(|it| it.title);
        let is_new = record.is_none();
        let creator = author.and_then(ContactFact::active_user).filter(|_| is_new && held.is_none());
        let route = Route {
            action: if is_new { Action::Create } else { Action::Append },
            title: Some(self.title(&defaults)).filter(|_| is_new && has_title),
            responsible: alias
                .filter(|_| is_new)
                .and_then(|it| it.owner.as_ref()?.active_user())
                .map(|it| it.id.clone()),
            record: record.map(|it| it.id.clone()),
            alias: alias.map(|it| it.address.as_str().to_owned()),
            alias_id: alias.map(|it| it.id.clone()),
            by,
            parent,
            internal,
            author: author.map(|it| it.id.clone()),
            author_from: self.arrival.author_from(),
            creator: creator.map(|it| it.id.clone()),
            defaults,
            tags: found.and_then(|it| it.tag).into_iter().collect(),
            r#type,
            held,
        };
        let key = inquire::duplicate_key(&target, self.arrival);
        Outcome::Routes { routes: vec![route], key }
    }

    /// RT-33: the subject, unless the alias says otherwise.
    fn title(&self, defaults: &Map<String, Value>) -> String {
        match defaults.get("title").and_then(Value::as_str) {
            Some(title) => title.to_owned(),
            None => self.arrival.head.subject.trim().to_owned(),
        }
    }

    /// LP-11: people are told once per window, machines that go on are not answered at all.
    fn looping(&mut self, address: EmailAddress) -> Outcome {
        let is_first = !self.was_refused();
        let is_machine = self.arrival.automatic.is_some() || self.arrival.envelope.mail_from.is_none();
        if is_machine && !is_first {
            self.because("loop", "loop.silent", &[]);
            return Outcome::Ignored { why: Ignored::LoopSilent, of: None };
        }
        Outcome::Refused { reason: RefusalReason::Loop, address, own: None, notice: is_first && !is_machine }
    }

    pub(super) fn refuse(reason: RefusalReason, address: EmailAddress) -> Outcome {
        Outcome::Refused { reason, address, own: None, notice: false }
    }
}
