//! The decision. Total and deterministic: same arrival, facts, context and time, same verdict.
//!
//! Order: size → own loop → duplicate → report → bounce address → reply by token → by reference → catchall → alias →
//! fallback type → refusal. The envelope decides the recipient: each recipient is its own hand-over, so a mail to two
//! aliases makes one record per hand-over (RT-17), and one that loops does not block the other (LP-5).

use std::collections::HashMap;

use serde_json::Map;
use serde_json::Value;

use crate::address::EmailAddress;
use crate::i18n::Lang;
use crate::id::ContactId;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::thread::recipients::Follower;
use crate::thread::recipients::PostInput;
use crate::thread::recipients::Recipient;
use crate::thread::recipients::recipients;
use crate::time::Timestamp;

use super::alias::Match;
use super::alias::key_of;
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
use super::facts::Target;
use super::inquire;
use super::refuse;
use super::reply::Thread;
use super::verdict::Action;
use super::verdict::By;
use super::verdict::Decision;
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

/// Who is told of a route, in the order of [`recipients`]: followers and the responsible of the record, the author of a
/// note that is answered, and, when a colleague wrote, the customer. Those in To and Cc have it already (NT-12). A held
/// message counts as nothing yet: nobody is told.
pub fn told(arrival: &Arrival, facts: &Facts, route: &Route) -> Vec<Recipient> {
    if route.held.is_some() {
        return Vec::new();
    }
    let find = |id: &RecordId| facts.records.iter().find(|it| &it.id == id);
    let record = route.record.as_ref().and_then(find);
    let alias = route.alias_id.as_ref().and_then(|id| facts.aliases.iter().find(|it| &it.id == id));
    let mut followers: Vec<Follower<'_>> = Vec::new();
    let mut add = |contact| followers.push(Follower { contact, notes: true });
    if let Some(record) = record {
        record.followers.iter().chain(&record.responsible).for_each(&mut add);
        let parent = route.parent.as_ref().and_then(|id| facts.messages.iter().find(|it| &it.id == id));
        // RT-39: who wrote the note is told of the answer, even without following.
        parent.filter(|_| route.internal).and_then(|it| it.author.as_ref()).into_iter().for_each(&mut add);
    } else {
        alias.and_then(|it| it.owner.as_ref()).into_iter().for_each(&mut add);
    }
    let author = route.author.as_ref();
    let is_colleague = author.is_some_and(|id| facts.contacts.iter().any(|it| &it.id == id && it.is_internal()));
    let customer = record.and_then(|it| it.customer.as_ref()).filter(|_| is_colleague);
    let already = copies(arrival);
    recipients(&PostInput {
        internal: route.internal,
        author,
        followers,
        customer,
        already,
        colleagues_only: arrival.automatic.is_some(),
        ..PostInput::default()
    })
}

/// Keys of To and Cc.
fn copies(arrival: &Arrival) -> Vec<String> {
    arrival.head.to.iter().chain(&arrival.head.cc).map(|it| key_of(&it.address)).collect()
}

/// What a decision comes to, before it is dressed up.
enum Outcome {
    Routes { routes: Vec<Route>, key: String },
    Refused { reason: RefusalReason, address: EmailAddress, own: Option<String>, notice: bool },
    Ignored { why: Ignored, of: Option<MessageId> },
    Report(ReportVerdict),
}

/// A route with what its admission came to.
struct Draft<'a> {
    by: By,
    found: Option<Match<'a>>,
    /// Answered, or fixed by the alias.
    record: Option<&'a RecordFact>,
    parent: Option<MessageId>,
    internal: bool,
    r#type: crate::id::TypeName,
    defaults: Map<String, Value>,
    /// The record whose followers count, for the author.
    seen_from: Option<&'a RecordFact>,
    has_token: bool,
    admission: Admission,
    /// To whom the mail goes: names the refusal and the duplicate key.
    recipient: EmailAddress,
}

impl<'a> Case<'a> {
    fn decide(&mut self) -> Outcome {
        let rcpt = self.arrival.envelope.rcpt_to.clone();
        if self.arrival.size > self.context.policy.max_size {
            self.because("size", format!("{} bytes are more than {}", self.arrival.size, self.context.policy.max_size));
            return Self::refuse(RefusalReason::TooBig, rcpt);
        }
        if let Some(text) = self.own_loop() {
            self.because("own_loop_tag", text);
            return Outcome::Ignored { why: Ignored::OwnLoopTag, of: None };
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
    fn duplicate(&mut self, recipient: &str) -> Option<Outcome> {
        let arrival = self.arrival;
        let is_same = |it: &&EarlierFact| {
            it.direction == Direction::Out
                || it.recipients.is_empty()
                || it.recipients.iter().any(|key| key == recipient)
        };
        let found = self.facts.earlier.iter().find(is_same)?;
        let of = found.message.clone();
        if found.direction == Direction::Out {
            self.because("duplicate", format!("it has the Message-ID of {}, which we sent", name(of.as_ref())));
            return Some(Outcome::Ignored { why: Ignored::Duplicate, of });
        }
        let same_raw = found.sha256.as_ref().map(|it| *it == arrival.sha256);
        let same_content = found.content_sha256.as_ref().map(|it| *it == arrival.content_sha256);
        let is_conflict = match (same_raw, same_content) {
            (Some(true), _) | (_, Some(true)) | (None, None) => false,
            (_, Some(false)) | (Some(false), None) => true,
        };
        if is_conflict {
            let text = format!("{recipient} has {} with the same Message-ID and other content", name(of.as_ref()));
            self.because("conflict", text);
            return Some(Outcome::Ignored { why: Ignored::Conflict, of });
        }
        self.because("duplicate", format!("{recipient} has it already as {}", name(of.as_ref())));
        Some(Outcome::Ignored { why: Ignored::Duplicate, of })
    }

    /// The same mail is on the record already, through another of its recipients: once is enough there.
    fn duplicate_on(&mut self, record: &RecordFact) -> Option<Outcome> {
        let found = self.facts.earlier.iter().find(|it| it.record.as_ref() == Some(&record.id))?;
        let of = found.message.clone();
        self.because("duplicate", format!("{} has it already as {}", record.id, name(of.as_ref())));
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
            self.because(
                "bounce_address",
                format!("the bounce address belongs to message {} on {}", parent.id, record.id),
            );
            return self.reply(&Thread { by: By::BounceOf, parent, record });
        }
        if let Some(thread) = self.reply_by_reference() {
            return self.reply(&thread);
        }
        if self.arrival.automatic.is_some() || self.arrival.envelope.mail_from.is_none() {
            self.because("bounce_address", format!("{rcpt} takes reports; this one names no message of ours"));
            return Outcome::Report(super::report::unplaced());
        }
        self.because("bounce_address", format!("{rcpt} only takes delivery reports"));
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
            parent: Some(thread.parent.id.clone()),
            internal: Self::is_internal_reply(thread.parent),
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
        self.because("deleted", format!("{} was deleted: a new {} is made", thread.record.id, r#type));
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

    /// The catchall only takes replies. A mail that also names an alias is served there, once: whichever hand-over comes
    /// first (RT-15). With a fallback type unknown addresses beside it win (RT-16).
    fn at_catchall(&mut self, rcpt: EmailAddress) -> Outcome {
        let head = &self.arrival.head;
        let named: Vec<EmailAddress> =
            head.to.iter().chain(&head.cc).map(|it| it.address.clone()).filter(|it| *it != rcpt).collect();
        if let Some((found, address)) = named.iter().find_map(|it| Some((self.find_alias(it)?, it))) {
            self.because("catchall", format!("{rcpt} was written to beside {address}, which takes it"));
            if let Some(outcome) = self.duplicate(&address.key()) {
                return outcome;
            }
            return self.at_alias(found, address.clone());
        }
        let other = named.iter().find(|it| self.special(it).is_none());
        if let Some(other) = other.filter(|_| self.context.policy.fallback_type.is_some()) {
            // Ours and unknown: the fallback of its own hand-over. Anybody else's: the catchall stands for it.
            let effective = if self.domain(other).is_some() { other.clone() } else { rcpt.clone() };
            if let Some(outcome) = self.duplicate(&effective.key()) {
                return outcome;
            }
            if let Some(draft) = self.fallback_draft(effective) {
                return self.write(draft);
            }
        }
        self.because("catchall", format!("{rcpt} only takes answers to our messages, and this is none"));
        Self::refuse(RefusalReason::CatchallOnly, rcpt)
    }

    fn at_alias(&mut self, found: Match<'a>, rcpt: EmailAddress) -> Outcome {
        let alias = found.alias;
        let text = match &found.tag {
            Some(tag) => format!("{}, tag {tag}", Self::describe(alias)),
            None => Self::describe(alias),
        };
        self.because("alias", text);
        match &alias.target {
            Target::New { r#type, defaults } => {
                let parent = alias.parent.as_ref().and_then(|it| self.record(it));
                if self.r#type(r#type.as_str()).is_none_or(|it| !it.receives_mail) {
                    self.because("alias", format!("type {type} takes no mail: the alias is broken"));
                    return Self::refuse(RefusalReason::NoSuchAddress, rcpt);
                }
                self.create_by(found, parent, r#type.clone(), defaults.clone(), rcpt)
            }
            Target::Record(id) => match self.record(id) {
                Some(record) if !record.deleted => self.append_by(found, record, rcpt),
                Some(record) => {
                    self.because("deleted", format!("{id} was deleted: a new {} is made", record.r#type));
                    self.create_by(found, Some(record), record.r#type.clone(), Map::new(), rcpt)
                }
                None => {
                    self.because("alias", format!("{id} does not exist: the alias is broken"));
                    Self::refuse(RefusalReason::NoSuchAddress, rcpt)
                }
            },
        }
    }

    fn create_by(
        &mut self,
        found: Match<'a>,
        parent: Option<&'a RecordFact>,
        r#type: crate::id::TypeName,
        defaults: Map<String, Value>,
        rcpt: EmailAddress,
    ) -> Outcome {
        let admission = self.admit_at(&found, parent);
        self.write(Draft {
            by: By::Alias,
            found: Some(found),
            record: None,
            parent: None,
            internal: false,
            r#type,
            defaults,
            seen_from: parent,
            has_token: false,
            admission,
            recipient: rcpt,
        })
    }

    fn append_by(&mut self, found: Match<'a>, record: &'a RecordFact, rcpt: EmailAddress) -> Outcome {
        if let Some(outcome) = self.duplicate_on(record) {
            return outcome;
        }
        let admission = self.admit_at(&found, Some(record));
        // TH-5, TH-6: flat types hang everything on what was said last.
        let is_flat = self.r#type(record.r#type.as_str()).is_none_or(|it| it.flat);
        let parent = record.last_message.clone().filter(|_| is_flat);
        self.write(Draft {
            by: By::Fixed,
            found: Some(found),
            record: Some(record),
            parent,
            internal: false,
            r#type: record.r#type.clone(),
            defaults: Map::new(),
            seen_from: Some(record),
            has_token: false,
            admission,
            recipient: rcpt,
        })
    }

    fn admit_at(&mut self, found: &Match<'a>, record: Option<&'a RecordFact>) -> Admission {
        match self.admit_sender(record, false) {
            Admission::Admit => {}
            other => return other,
        }
        let author = self.author(record, false);
        self.admit_by_rule(found.alias, author, record)
    }

    fn fallback(&mut self, rcpt: EmailAddress) -> Outcome {
        if self.domain(&rcpt).is_some()
            && let Some(draft) = self.fallback_draft(rcpt.clone())
        {
            return self.write(draft);
        }
        let text = if self.domain(&rcpt).is_some() {
            format!("nothing here has the address {rcpt}")
        } else {
            format!("{} is no domain of ours", rcpt.domain())
        };
        self.because("no_such_address", text);
        Self::refuse(RefusalReason::NoSuchAddress, rcpt)
    }

    /// RT-18, RT-19.
    fn fallback_draft(&mut self, recipient: EmailAddress) -> Option<Draft<'a>> {
        let name = self.context.policy.fallback_type.clone()?;
        let Some(r#type) = self.r#type(&name).filter(|it| it.receives_mail) else {
            self.because("fallback", format!("the fallback type {name} takes no mail"));
            return None;
        };
        self.because("fallback", format!("no alias has {recipient}: the fallback type makes a {name}"));
        let admission = self.admit_sender(None, false);
        Some(Draft {
            by: By::Fallback,
            found: None,
            record: None,
            parent: None,
            internal: false,
            r#type: r#type.name.clone(),
            defaults: Map::new(),
            seen_from: None,
            has_token: false,
            admission,
            recipient,
        })
    }

    /// The route of a draft that is admitted or held; loops are asked last, so that a refusal for another reason tells it.
    fn write(&mut self, draft: Draft<'a>) -> Outcome {
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
        let key = inquire::duplicate_key(&recipient.key(), self.arrival);
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
        let is_first = self.facts.loop_refusals.is_empty();
        let is_machine = self.arrival.automatic.is_some() || self.arrival.envelope.mail_from.is_none();
        if is_machine && !is_first {
            self.because("loop", "an automatic sender that was refused before is not answered again");
            return Outcome::Ignored { why: Ignored::LoopSilent, of: None };
        }
        Outcome::Refused { reason: RefusalReason::Loop, address, own: None, notice: is_first && !is_machine }
    }

    fn refuse(reason: RefusalReason, address: EmailAddress) -> Outcome {
        Outcome::Refused { reason, address, own: None, notice: false }
    }

    fn verdict(mut self, outcome: Outcome) -> Verdict {
        let arrival = self.arrival;
        let suggestion = match &outcome {
            Outcome::Routes { routes, .. } if routes.iter().all(|it| it.action == Action::Create) => self.suggestion(),
            Outcome::Refused { .. } => self.suggestion(),
            _ => None,
        };
        let mut verdict = Verdict {
            decision: Decision::Ignored,
            routes: Vec::new(),
            refusal: None,
            ignored: None,
            duplicate_of: None,
            report: None,
            automatic: arrival.automatic,
            authentication: arrival.authentication,
            notify: Vec::new(),
            copied: self.copied(),
            suggestion,
            why: Vec::new(),
            key: inquire::duplicate_key(&arrival.envelope.rcpt_to.key(), arrival),
        };
        match outcome {
            Outcome::Routes { routes, key } => {
                let is_held = routes.iter().all(|it| it.held.is_some());
                verdict.decision = if is_held { Decision::Held } else { Decision::Accepted };
                for route in &routes {
                    let told = told(arrival, self.facts, route);
                    for id in told.into_iter().filter(Recipient::is_told).filter_map(|it| it.contact) {
                        if !verdict.notify.contains(&id) {
                            verdict.notify.push(id);
                        }
                    }
                }
                verdict.routes = routes;
                verdict.key = key;
            }
            Outcome::Refused { reason, address, own, notice } => {
                verdict.decision = Decision::Refused;
                let lang = self.contact(None).and_then(|it| it.language.as_deref()).map(Lang::of).unwrap_or_default();
                let sender = arrival.sender_address().map_or("this sender", |it| it.as_str()).to_owned();
                let words = refuse::Words {
                    address: address.as_str(),
                    sender: &sender,
                    own: own.as_deref(),
                    megabytes: self.context.policy.max_size / (1024 * 1024),
                    minutes: self.context.policy.r#loop.minutes,
                };
                let mut refusal = refuse::refusal(reason, lang, words);
                refusal.notice = notice;
                verdict.refusal = Some(refusal);
            }
            Outcome::Ignored { why, of } => {
                verdict.ignored = Some(why);
                verdict.duplicate_of = of;
            }
            Outcome::Report(report) => {
                verdict.decision = Decision::Report;
                verdict.report = Some(report);
            }
        }
        verdict.why = core::mem::take(&mut self.why);
        verdict
    }

    /// RT-40: contacts in To and Cc; an address of ours is nobody (AL-25).
    fn copied(&self) -> Vec<ContactId> {
        let mut by_key: HashMap<String, &ContactFact> = HashMap::new();
        for contact in self.facts.contacts.iter().filter(|it| !it.archived && !it.is_alias) {
            for address in &contact.emails {
                by_key.entry(key_of(address)).or_insert(contact);
            }
        }
        let mut out = Vec::new();
        for key in copies(self.arrival) {
            let found = by_key.get(&key).filter(|_| !self.is_ours(&key));
            if let Some(contact) = found.filter(|it| !out.contains(&it.id)) {
                out.push(contact.id.clone());
            }
        }
        out
    }

    /// A record the sender took part in whose title this subject repeats: offered to a person, never used.
    fn suggestion(&self) -> Option<RecordId> {
        let (subject, is_reply) = bare_subject(&self.arrival.head.subject);
        if subject.is_empty() || self.trust == super::case::Trust::Failed {
            return None;
        }
        let fits =
            |it: &&super::facts::SuggestionFact| (is_reply || it.answered) && bare_subject(&it.title).0 == subject;
        self.facts.suggestions.iter().find(fits).map(|it| it.record.clone())
    }
}

fn name(message: Option<&MessageId>) -> &str {
    message.map_or("a mail that is being written", MessageId::as_str)
}

/// A subject without `Re:`, `Fwd:` and their like, lower case, blanks joined; and whether there were any.
fn bare_subject(subject: &str) -> (String, bool) {
    const PREFIXES: [&str; 18] = [
        "re", "aw", "antw", "sv", "vs", "ref", "r", "rif", "res", "odp", "ynt", "tl", "fw", "fwd", "wg", "tr", "rv",
        "enc",
    ];
    let text = subject.to_lowercase();
    let mut rest = text.trim();
    let mut is_reply = false;
    while let Some((word, tail)) = rest.split_once(':') {
        // `Re[2]:`
        let word = word.split(['[', '(']).next().unwrap_or_default().trim();
        if !PREFIXES.contains(&word) {
            break;
        }
        is_reply = true;
        rest = tail.trim();
    }
    (rest.split_whitespace().collect::<Vec<_>>().join(" "), is_reply)
}
