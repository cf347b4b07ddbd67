//! One decision while it is being made: arrival, facts and what is known about the sender, with the rules asked so far.

use crate::address::EmailAddress;
use crate::id::AliasId;
use crate::id::RecordId;
use crate::policy::Caution;
use crate::time::Timestamp;

use super::alias::Directory;
use super::arrival::Arrival;
use super::facts::ContactFact;
use super::facts::Context;
use super::facts::DomainFact;
use super::facts::Facts;
use super::facts::MessageFact;
use super::facts::RecordFact;
use super::facts::TypeFact;
use super::verdict::Held;
use super::verdict::RefusalReason;
use super::why::Why;

/// How far From is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// The mail authenticated as From's domain.
    Proven,
    /// Nothing speaks for it or against it.
    Unknown,
    /// Checked, and it does not hold.
    Failed,
}

/// Whether a route may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admission {
    Admit,
    Hold(Held),
    Refuse(RefusalReason),
}

/// A special local part of one of our domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Catchall,
    Bounce,
}

pub(super) struct Case<'a> {
    pub(super) arrival: &'a Arrival,
    pub(super) facts: &'a Facts,
    pub(super) context: &'a Context,
    pub(super) now: Timestamp,
    pub(super) trust: Trust,
    /// Key of who counts as sender.
    pub(super) sender: Option<String>,
    /// Contacts that have the sender's address: neither archived nor one of our own addresses.
    contacts: Vec<&'a ContactFact>,
    pub(super) directory: Directory<'a>,
    pub(super) why: Vec<Why>,
    /// An alias that can't do what it is set up for.
    pub(super) failing: Option<AliasId>,
}

impl<'a> Case<'a> {
    pub(super) fn new(arrival: &'a Arrival, facts: &'a Facts, context: &'a Context, now: Timestamp) -> Self {
        let sender = arrival.sender_address().map(EmailAddress::key);
        let trust = match arrival.authentication.as_flag() {
            Some(true) => Trust::Proven,
            Some(false) => Trust::Failed,
            None => Trust::Unknown,
        };
        let directory = Directory::new(&facts.aliases, &context.domains, &context.policy);
        let contacts = Vec::new();
        let (why, failing) = (Vec::new(), None);
        let mut case = Self { arrival, facts, context, now, trust, sender, contacts, directory, why, failing };
        if let Some(key) = case.sender.clone() {
            // An address of ours never writes as somebody (AL-25).
            if !case.is_ours(&key) {
                case.contacts =
                    facts.contacts.iter().filter(|it| !it.archived && !it.is_alias && it.has(&key)).collect();
            }
        }
        case
    }

    /// Notes why, by the key of its words (`locales/why.*.json`).
    pub(super) fn because(&mut self, rule: &str, key: &str, args: &[(&str, &str)]) {
        self.why.push(Why::new(rule, key, args));
    }

    /// The contact that From names, seen from a record: a colleague who follows it before another follower, before
    /// another colleague, before anybody else (RT-34).
    pub(super) fn contact(&self, record: Option<&RecordFact>) -> Option<&'a ContactFact> {
        let rank = |it: &ContactFact| {
            let follows = record.is_some_and(|r| r.followers.iter().any(|f| f.id == it.id));
            u8::from(follows) * 2 + u8::from(it.is_internal())
        };
        // The first of the best: `max_by_key` would take the last.
        self.contacts.iter().rev().copied().max_by_key(|it| rank(it))
    }

    /// The contact who is believed to have written this mail. Colleagues and followers need proof; a signed reply address
    /// is proof enough for a follower from outside, unless authentication failed.
    pub(super) fn author(&self, record: Option<&RecordFact>, has_token: bool) -> Option<&'a ContactFact> {
        self.contact(record).filter(|it| self.is_believed(it, record, has_token))
    }

    fn is_believed(&self, contact: &ContactFact, record: Option<&RecordFact>, has_token: bool) -> bool {
        match self.trust {
            Trust::Proven => true,
            Trust::Failed => self.context.policy.unauthenticated_insider == Caution::Accept,
            Trust::Unknown => {
                !self.is_insider(contact, record, has_token)
                    || self.context.policy.unauthenticated_insider == Caution::Accept
            }
        }
    }

    fn is_insider(&self, contact: &ContactFact, record: Option<&RecordFact>, has_token: bool) -> bool {
        let follows = record.is_some_and(|r| r.followers.iter().any(|it| it.id == contact.id));
        let proven_by_token = has_token && self.trust == Trust::Unknown;
        contact.is_internal() || (follows && !proven_by_token)
    }

    /// What holds for every route: paused senders, and colleagues or followers without proof.
    pub(super) fn admit_sender(&mut self, record: Option<&RecordFact>, has_token: bool) -> Admission {
        if self.facts.paused {
            self.because("paused", "paused", &[]);
            return Admission::Hold(Held::Paused);
        }
        let Some(contact) = self.contact(record) else { return Admission::Admit };
        if self.trust == Trust::Proven || !self.is_insider(contact, record, has_token) {
            return Admission::Admit;
        }
        let who = if contact.is_internal() { "authentication.colleague" } else { "authentication.follower" };
        self.because("authentication", who, &[("name", &contact.name)]);
        match self.context.policy.unauthenticated_insider {
            Caution::Hold => Admission::Hold(Held::UnauthenticatedInsider),
            Caution::Refuse => Admission::Refuse(RefusalReason::Unauthenticated),
            Caution::Mark | Caution::Accept => Admission::Admit,
        }
    }

    /// The sender is known on a record: author, recipient, customer, main address or follower.
    pub(super) fn takes_part(&self, contact: Option<&ContactFact>, record: &RecordFact) -> bool {
        let mut keys: Vec<String> = contact.iter().flat_map(|it| it.emails.iter().map(EmailAddress::key)).collect();
        // Without a contact the bare address counts, as long as nothing speaks against it.
        if self.trust != Trust::Failed {
            keys.extend(self.sender.clone().filter(|it| !self.is_ours(it)));
        }
        let is_known = contact.is_some_and(|c| {
            record.followers.iter().any(|it| it.id == c.id) || record.customer.as_ref().is_some_and(|it| it.id == c.id)
        });
        is_known
            || record.email.as_ref().is_some_and(|it| keys.contains(&it.key()))
            || record.participants.iter().any(|it| keys.contains(it))
    }

    pub(super) fn record(&self, id: &RecordId) -> Option<&'a RecordFact> {
        self.facts.records.iter().find(|it| &it.id == id)
    }

    pub(super) fn message(&self, id: &crate::id::MessageId) -> Option<&'a MessageFact> {
        self.facts.messages.iter().find(|it| &it.id == id)
    }

    pub(super) fn r#type(&self, name: &str) -> Option<&'a TypeFact> {
        self.context.types.iter().find(|it| it.name.as_str() == name)
    }

    /// One of our domains.
    pub(super) fn domain(&self, address: &EmailAddress) -> Option<&'a DomainFact> {
        domain_of(&self.context.domains, address)
    }

    /// Catchall and bounce address, with or without something after `+`.
    pub(super) fn special(&self, address: &EmailAddress) -> Option<Special> {
        let domains = &self.context.domains;
        let same_domain = |it: &&DomainFact| is_domain(it, address);
        let local = address.local();
        let name = local.split('+').next().unwrap_or_default();
        let is = |special: &str| !special.is_empty() && name.eq_ignore_ascii_case(special);
        // The same domain may be listed twice with other names (AL-17).
        if domains.iter().filter(same_domain).any(|it| is(&it.catchall)) {
            Some(Special::Catchall)
        } else if domains.iter().filter(same_domain).any(|it| is(&it.bounce)) {
            Some(Special::Bounce)
        } else {
            None
        }
    }

    /// An alias, catchall, bounce or reply address of ours.
    pub(super) fn is_ours(&self, key: &str) -> bool {
        if self.directory.has(key) {
            return true;
        }
        let Ok(address) = EmailAddress::parse(key) else { return false };
        self.special(&address).is_some() || super::inquire::reply_id(&self.context.secret, &address).is_some()
    }
}

/// The alias domain of an address.
pub(super) fn domain_of<'a>(domains: &'a [DomainFact], address: &EmailAddress) -> Option<&'a DomainFact> {
    domains.iter().find(|it| is_domain(it, address))
}

fn is_domain(domain: &DomainFact, address: &EmailAddress) -> bool {
    domain.name.as_str() == address.domain()
        || address.key().rsplit_once('@').is_some_and(|(_, it)| it == domain.name.ascii())
}
