//! What would have to change for another outcome: the decision is made again with one thing different at a time. For the
//! test box and the refusal journal; the mail itself is decided once.

use serde::Serialize;

use crate::api::aliases::ContactRule;
use crate::api::aliases::RuleOutcome;
use crate::id::ContactId;
use crate::id::RecordId;
use crate::mail::authres::AuthResult;
use crate::policy::Caution;
use crate::time::Timestamp;
use crate::token;

use super::arrival::Arrival;
use super::decide::decide;
use super::facts::AliasFact;
use super::facts::ContactFact;
use super::facts::Context;
use super::facts::Facts;
use super::verdict::Authenticity;
use super::verdict::By;
use super::verdict::Decision;
use super::verdict::Held;
use super::verdict::RefusalReason;
use super::verdict::Verdict;

/// One change and what it would lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Otherwise {
    /// A stable code, for translation.
    pub change: &'static str,
    /// The change in words.
    pub text: String,
    pub decision: Decision,
    pub held: Option<Held>,
    pub reason: Option<RefusalReason>,
    pub record: Option<RecordId>,
}

/// Changes that lead to another outcome, the likeliest wish first.
pub fn otherwise(
    arrival: &Arrival,
    facts: &Facts,
    context: &Context,
    now: Timestamp,
    verdict: &Verdict,
) -> Vec<Otherwise> {
    let mut asked = Asked { arrival, facts, context, now, before: outcome(verdict), out: Vec::new() };
    asked.about_the_sender(verdict);
    asked.about_the_alias(verdict);
    asked.about_the_mail(verdict);
    asked.about_the_policy();
    asked.out
}

type Outcome = (Decision, Option<Held>, Option<RefusalReason>, Option<RecordId>);

fn outcome(verdict: &Verdict) -> Outcome {
    let route = verdict.routes.first();
    let held = route.and_then(|it| it.held);
    (verdict.decision, held, verdict.refusal.as_ref().map(|it| it.reason), route.and_then(|it| it.record.clone()))
}

struct Asked<'a> {
    arrival: &'a Arrival,
    facts: &'a Facts,
    context: &'a Context,
    now: Timestamp,
    before: Outcome,
    out: Vec<Otherwise>,
}

impl Asked<'_> {
    fn ask(&mut self, change: &'static str, text: String, edit: impl FnOnce(&mut Arrival, &mut Facts, &mut Context)) {
        let (mut arrival, mut facts, mut context) = (self.arrival.clone(), self.facts.clone(), self.context.clone());
        edit(&mut arrival, &mut facts, &mut context);
        let after = outcome(&decide(&arrival, &facts, &context, self.now));
        if after != self.before {
            let (decision, held, reason, record) = after;
            self.out.push(Otherwise { change, text, decision, held, reason, record });
        }
    }

    fn about_the_sender(&mut self, verdict: &Verdict) {
        let Some(sender) = self.arrival.sender_address().cloned() else { return };
        let key = sender.key();
        if self.facts.paused {
            self.ask("released", format!("{sender} is released from the paused senders"), |_, facts, _| {
                facts.paused = false;
            });
        }
        let proof = |spf, trusted| Authenticity { spf, dkim: spf, dmarc: spf, from_trusted: trusted };
        if self.arrival.authentication.from_trusted {
            self.ask(
                "unauthenticated",
                format!("the mail is not proven to come from {}", sender.domain()),
                |it, _, _| {
                    it.authentication = proof(AuthResult::Fail, false);
                },
            );
        } else {
            self.ask("authenticated", format!("the mail is proven to come from {}", sender.domain()), |it, _, _| {
                it.authentication = proof(AuthResult::Pass, true);
            });
        }
        let known = self.facts.contacts.iter().find(|it| !it.archived && it.has(&key)).cloned();
        let contact = known.clone().or_else(|| {
            let id = ContactId::parse("new-contact").ok()?;
            let (emails, name) = (vec![sender.clone()], sender.as_str().to_owned());
            Some(ContactFact {
                id,
                name,
                emails,
                archived: false,
                user: None,
                is_alias: false,
                suppressed: false,
                language: None,
            })
        });
        let Some(contact) = contact else { return };
        if known.is_none() {
            let add = contact.clone();
            self.ask("known_contact", format!("{sender} is a contact"), |_, facts, _| facts.contacts.push(add));
        }
        let routed = verdict.routes.first().and_then(|it| it.record.clone());
        let alias = find(self.facts, self.arrival);
        let record = routed.or_else(|| alias.and_then(|it| it.parent.clone()));
        if let Some(id) = record {
            self.ask("follower", format!("{sender} follows {id}"), |_, facts, _| {
                facts.contacts.push(contact.clone());
                facts.records.iter_mut().filter(|it| it.id == id).for_each(|it| it.followers.push(contact.clone()));
            });
        }
    }

    fn about_the_alias(&mut self, verdict: &Verdict) {
        let rcpt = self.arrival.envelope.rcpt_to.clone();
        let Some(alias) = find(self.facts, self.arrival) else {
            if verdict.refusal.as_ref().is_some_and(|it| it.reason == RefusalReason::NoSuchAddress) {
                let r#type =
                    self.context.types.iter().find(|it| it.receives_mail).map(|it| it.name.as_str().to_owned());
                if let Some(name) = r#type {
                    self.ask("fallback", format!("mail to unknown addresses makes a {name}"), |_, _, context| {
                        context.policy.fallback_type = Some(name);
                    });
                }
            }
            return;
        };
        let address = alias.address.clone();
        let edit = |facts: &mut Facts, change: &dyn Fn(&mut AliasFact)| {
            facts.aliases.iter_mut().filter(|it| it.address == address).for_each(change);
        };
        if alias.contact_rule != ContactRule::Everyone {
            let sender = self.arrival.sender_address().map(|it| it.as_str().to_owned()).unwrap_or_default();
            if alias.contact_rule == ContactRule::Listed {
                self.ask("listed", format!("{sender} is on the list of {address}"), |_, facts, _| {
                    edit(facts, &|it| it.listed.push(sender.clone()));
                });
            }
            self.ask("open_alias", format!("{rcpt} is open to everyone"), |_, facts, _| {
                edit(facts, &|it| it.contact_rule = ContactRule::Everyone);
            });
            let (code, outcome, text) = match alias.outcome {
                RuleOutcome::Refuse => ("hold_others", RuleOutcome::Hold, "holds"),
                RuleOutcome::Hold => ("refuse_others", RuleOutcome::Refuse, "refuses"),
            };
            self.ask(code, format!("{rcpt} {text} mail of others"), |_, facts, _| {
                edit(facts, &|it| it.outcome = outcome);
            });
        }
    }

    fn about_the_mail(&mut self, verdict: &Verdict) {
        if verdict.ignored.is_some() && !self.facts.earlier.is_empty() {
            self.ask("first_time", "the mail comes for the first time".to_owned(), |_, facts, _| facts.earlier.clear());
        }
        if verdict.refusal.as_ref().is_some_and(|it| it.reason == RefusalReason::Loop) {
            self.ask("later", "the sender waits until the window has passed".to_owned(), |_, facts, _| {
                facts.received.clear();
                facts.volume = super::facts::Volume::default();
            });
        }
        if verdict.refusal.as_ref().is_some_and(|it| it.reason == RefusalReason::TooBig) {
            self.ask("smaller", "the mail is smaller".to_owned(), |it, _, _| it.size = 1);
        }
        let by_reference = verdict.routes.iter().find(|it| it.by == By::Reference);
        if let Some(parent) = by_reference.and_then(|it| it.parent.clone()) {
            self.ask("token", "it answers to the signed reply address".to_owned(), |it, _, context| {
                let local = token::reply_local(&context.secret, parent.as_str());
                if let Ok(address) = it.envelope.rcpt_to.with_local(&local) {
                    it.envelope.rcpt_to = address;
                }
            });
        }
        if by_reference.is_some() {
            self.ask("no_reference", "it refers to no message of ours".to_owned(), |it, _, _| {
                it.head.references.clear();
                it.head.in_reply_to.clear();
            });
        }
        if self.facts.records.iter().any(|it| it.deleted) {
            self.ask("restored", "the deleted record is restored".to_owned(), |_, facts, _| {
                facts.records.iter_mut().for_each(|it| it.deleted = false);
            });
        }
    }

    fn about_the_policy(&mut self) {
        if self.context.policy.unauthenticated_insider != Caution::Accept {
            let text = "the policy accepts colleagues and followers without proof".to_owned();
            self.ask("accept_insiders", text, |_, _, it| it.policy.unauthenticated_insider = Caution::Accept);
        }
        if self.context.policy.stranger_reply != Caution::Accept {
            let text = "the policy accepts answers of strangers".to_owned();
            self.ask("accept_strangers", text, |_, _, it| it.policy.stranger_reply = Caution::Accept);
        }
    }
}

fn find<'a>(facts: &'a Facts, arrival: &Arrival) -> Option<&'a AliasFact> {
    let rcpt = &arrival.envelope.rcpt_to;
    let base = rcpt.split_tag().map(|(base, _)| base);
    let is = |it: &&AliasFact| it.address == *rcpt || base.as_ref() == Some(&it.address);
    facts.aliases.iter().find(is)
}
