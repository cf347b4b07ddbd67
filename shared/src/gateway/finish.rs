//! From the outcome of a decision to a verdict: who is told, who was copied, the words of a refusal, a suggestion.

use std::collections::HashMap;

use crate::api::records::Subtype;
use crate::api::records::Subtypes;
use crate::i18n::Lang;
use crate::id::ContactId;
use crate::id::RecordId;
use crate::thread::recipients::Follower;
use crate::thread::recipients::PostInput;
use crate::thread::recipients::Recipient;
use crate::thread::recipients::recipients;

use super::alias::key_of;
use super::arrival::Arrival;
use super::case::Case;
use super::case::Trust;
use super::decide::Outcome;
use super::facts::ContactFact;
use super::facts::Facts;
use super::facts::SuggestionFact;
use super::inquire;
use super::refuse;
use super::verdict::Action;
use super::verdict::Decision;
use super::verdict::Route;
use super::verdict::Verdict;

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
    let all = Subtypes { messages: true, notes: true, stages: true };
    if let Some(record) = record {
        followers.extend(record.followers.iter().map(|contact| {
            let chosen = record.wants.iter().find(|(id, _)| *id == contact.id).map(|(_, it)| *it);
            Follower { contact, wants: chosen.unwrap_or_default() }
        }));
        followers.extend(record.responsible.iter().map(|contact| Follower { contact, wants: all }));
        let parent = route.parent.as_ref().and_then(|id| facts.messages.iter().find(|it| &it.id == id));
        // RT-39: who wrote the note is told of the answer, even without following.
        let author = parent.filter(|_| route.internal).and_then(|it| it.author.as_ref());
        followers.extend(author.map(|contact| Follower { contact, wants: all }));
    } else {
        followers.extend(alias.and_then(|it| it.owner.as_ref()).map(|contact| Follower { contact, wants: all }));
    }
    let author = route.author.as_ref();
    let is_colleague = author.is_some_and(|id| facts.contacts.iter().any(|it| &it.id == id && it.is_internal()));
    let customer = record.and_then(|it| it.customer.as_ref()).filter(|_| is_colleague);
    let already = copies(arrival);
    recipients(&PostInput {
        subtype: if route.internal { Subtype::Note } else { Subtype::Message },
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

impl Case<'_> {
    pub(super) fn verdict(mut self, outcome: Outcome) -> Verdict {
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
            failing: self.failing.take(),
            alive: None,
            confirmation: arrival.confirmation.clone().map(|mut it| {
                // A link is pressed by a person who trusts us: never that of a forger.
                it.link = it.link.filter(|_| arrival.authentication.from_trusted);
                it
            }),
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
                let is_person = arrival.automatic.is_none() && arrival.envelope.mail_from.is_some();
                verdict.alive = self.sender.clone().filter(|_| is_person && !is_held && self.trust != Trust::Failed);
                verdict.routes = routes;
                verdict.key = key;
            }
            Outcome::Refused { reason, address, own, notice } => {
                verdict.decision = Decision::Refused;
                // What the contact reads, else what the mail is written in.
                let known = self.contact(None).and_then(|it| it.language.as_deref());
                let lang = known.or(arrival.head.first("Content-Language")).map(Lang::of).unwrap_or_default();
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

    /// The record of a mail that answers this one and came before it; else one the sender took part in whose title this
    /// subject repeats. Offered to a person, never used.
    fn suggestion(&self) -> Option<RecordId> {
        if let Some(early) = self.early().next().filter(|_| self.trust != Trust::Failed) {
            return early.record.clone();
        }
        let (subject, is_reply) = bare_subject(&self.arrival.head.subject);
        if subject.is_empty() || self.trust == Trust::Failed {
            return None;
        }
        let fits = |it: &&SuggestionFact| (is_reply || it.answered) && bare_subject(&it.title).0 == subject;
        let mut all: Vec<&SuggestionFact> = self.facts.suggestions.iter().filter(fits).collect();
        // Where we wrote to the sender there is something to answer; of these the newest.
        all.sort_by_key(|it| !it.answered);
        all.first().map(|it| it.record.clone())
    }
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
