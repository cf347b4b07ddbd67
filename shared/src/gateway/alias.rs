//! Aliases: which one an address means, and whom it lets in.

use crate::address::EmailAddress;
use crate::api::aliases::ContactRule;
use crate::api::aliases::RuleOutcome;

use super::case::Admission;
use super::case::Case;
use super::case::domain_of;
use super::facts::AliasFact;
use super::facts::ContactFact;
use super::facts::DomainFact;
use super::facts::RecordFact;
use super::facts::Target;
use super::verdict::Held;
use super::verdict::RefusalReason;

/// An alias an address means.
#[derive(Debug, Clone, PartialEq)]
pub struct Match<'a> {
    pub alias: &'a AliasFact,
    /// What stood after `+`, lower case since local parts may lose their case on the way.
    pub tag: Option<String>,
}

/// The alias an address means: its own before one of any domain (RT-23), the whole local part before the part before `+`
/// (RT-26). An alias whose domain is gone never matches (RT-25, AL-24).
pub fn find<'a>(aliases: &'a [AliasFact], domains: &[DomainFact], address: &EmailAddress) -> Option<Match<'a>> {
    let usable = || aliases.iter().filter(|it| domain_of(domains, &it.address).is_some());
    let exact = |wanted: &EmailAddress| usable().find(|it| &it.address == wanted);
    let anywhere = |wanted: &EmailAddress| {
        let local = wanted.local().to_lowercase();
        usable().find(|it| it.any_domain && it.address.local().to_lowercase() == local)
    };
    let tagged = base(address);
    let with_tag = |alias, tag: &str| Match { alias, tag: Some(tag.to_lowercase()).filter(|it| !it.is_empty()) };
    if let Some(alias) = exact(address) {
        return Some(Match { alias, tag: None });
    }
    if let Some((alias, tag)) = tagged.as_ref().and_then(|(base, tag)| Some((exact(base)?, tag))) {
        return Some(with_tag(alias, tag));
    }
    if let Some(alias) = anywhere(address) {
        return Some(Match { alias, tag: None });
    }
    tagged.as_ref().and_then(|(base, tag)| Some(with_tag(anywhere(base)?, tag)))
}

/// An address without what stands after `+`, and that; an empty tag counts.
fn base(address: &EmailAddress) -> Option<(EmailAddress, String)> {
    let local = address.local();
    let (base, tag) = local.split_once('+')?;
    Some((address.with_local(base).ok()?, tag.to_owned()))
}

impl<'a> Case<'a> {
    pub(super) fn find_alias(&self, address: &EmailAddress) -> Option<Match<'a>> {
        find(&self.facts.aliases, &self.context.domains, address)
    }

    /// The type of the records an alias creates, or of its record.
    pub(super) fn target_type(&self, alias: &'a AliasFact) -> Option<&'a str> {
        match &alias.target {
            Target::New { r#type, .. } => Some(r#type.as_str()),
            Target::Record(id) => self.record(id).map(|it| it.r#type.as_str()),
        }
    }

    /// Whether the rule of an alias lets the sender in; `record` is the one whose followers count.
    pub(super) fn admit_by_rule(
        &mut self,
        alias: &AliasFact,
        author: Option<&ContactFact>,
        record: Option<&RecordFact>,
    ) -> Admission {
        let address = &alias.address;
        let (is_in, sentence) = match alias.contact_rule {
            ContactRule::Everyone => return Admission::Admit,
            ContactRule::Known => (author.is_some(), "is open to known contacts"),
            ContactRule::Followers => {
                if record.is_none() {
                    // CS-4: nobody can follow what does not exist; the alias page says so.
                    self.because("contact_rule", format!("{address} is open to followers, but has no record to follow"));
                }
                let follows =
                    author.is_some_and(|it| record.is_some_and(|r| r.followers.iter().any(|f| f.id == it.id)));
                (follows, "is open to followers of its record")
            }
            ContactRule::Listed => (self.is_listed(&alias.listed, author), "is open to listed senders"),
        };
        let name = author.map_or_else(|| self.arrival.author_from(), |it| it.name.clone());
        if is_in {
            self.because("contact_rule", format!("{address} {sentence}: {name} may write"));
            return Admission::Admit;
        }
        let doubt = if self.trust == super::case::Trust::Failed { " (the mail fails authentication)" } else { "" };
        self.because("contact_rule", format!("{address} {sentence}: {name} may not{doubt}"));
        match alias.outcome {
            RuleOutcome::Refuse => Admission::Refuse(RefusalReason::ContactRule),
            RuleOutcome::Hold => Admission::Hold(Held::ContactRule),
        }
    }

    fn is_listed(&self, listed: &[String], author: Option<&ContactFact>) -> bool {
        if self.trust == super::case::Trust::Failed {
            return false;
        }
        let keys = author.iter().flat_map(|it| it.emails.iter().map(EmailAddress::key)).chain(self.sender.clone());
        keys.into_iter().any(|key| is_in_list(listed, &key))
    }
}

/// Whether an address key is named by a list of addresses and `@domain`s.
pub(super) fn is_in_list(list: &[String], key: &str) -> bool {
    let domain = key.rsplit_once('@').map_or("", |(_, it)| it);
    list.iter().map(|it| it.trim()).any(|entry| match entry.strip_prefix('@') {
        Some(wanted) => crate::address::Domain::parse(wanted).is_ok_and(|it| it.ascii() == domain),
        None => EmailAddress::parse(entry).is_ok_and(|it| it.key() == key),
    })
}
