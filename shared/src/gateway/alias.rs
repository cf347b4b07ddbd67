//! Aliases: which one an address means, and whom it lets in.

use std::collections::HashMap;

use crate::address::Domain;
use crate::address::EmailAddress;
use crate::api::aliases::ContactRule;
use crate::api::aliases::RuleOutcome;
use crate::policy::Policy;

use super::case::Admission;
use super::case::Case;
use super::case::Trust;
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
    /// By a name it had before.
    pub is_former: bool,
}

/// Aliases by what they match. An alias whose domain is gone matches nothing (RT-25, AL-24).
#[derive(Debug, Clone, Default)]
pub struct Directory<'a> {
    /// With whether its domain is one of ours.
    exact: HashMap<String, (&'a AliasFact, bool)>,
    /// By names they had before.
    former: HashMap<String, &'a AliasFact>,
    /// Those of any domain, by local part (RT-23).
    anywhere: HashMap<String, &'a AliasFact>,
    /// The domains where they match; empty is everywhere (RT-24).
    only_at: Vec<String>,
}

impl<'a> Directory<'a> {
    pub fn new(aliases: &'a [AliasFact], domains: &[DomainFact], policy: &Policy) -> Self {
        let mut out = Self { exact: HashMap::with_capacity(aliases.len()), ..Self::default() };
        let listed = policy.local_part_domains.iter().filter_map(|it| Domain::parse(it).ok());
        out.only_at = listed.map(|it| it.ascii().into_owned()).collect();
        if !out.only_at.is_empty() {
            out.only_at.extend(domains.iter().map(|it| it.name.ascii().into_owned()));
        }
        for alias in aliases {
            let is_usable = domain_of(domains, &alias.address).is_some();
            out.exact.entry(key_of(&alias.address)).or_insert((alias, is_usable));
        }
        for alias in aliases {
            let is_usable = domain_of(domains, &alias.address).is_some();
            for address in &alias.also {
                out.exact.entry(key_of(address)).or_insert((alias, domain_of(domains, address).is_some()));
            }
            for address in alias.former.iter().filter(|it| domain_of(domains, it).is_some()) {
                out.former.entry(key_of(address)).or_insert(alias);
            }
            if alias.any_domain && is_usable {
                out.anywhere.entry(alias.address.local().to_lowercase()).or_insert(alias);
            }
        }
        out
    }

    /// Whether an address key is that of an alias, one of a lost domain included.
    pub fn has(&self, key: &str) -> bool {
        self.exact.contains_key(key) || self.former.contains_key(key)
    }

    /// The alias an address means: its own, then one that had this name before, then one of any domain; each by the whole
    /// local part before the part before `+` (RT-26).
    pub fn find(&self, address: &EmailAddress) -> Option<Match<'a>> {
        let exact = |it: &EmailAddress| self.exact.get(&key_of(it)).filter(|(_, usable)| *usable).map(|(it, _)| *it);
        let former = |it: &EmailAddress| self.former.get(&key_of(it)).copied();
        let anywhere = |it: &EmailAddress| {
            let is_allowed =
                || key_of(it).rsplit_once('@').is_some_and(|(_, it)| self.only_at.iter().any(|at| at == it));
            let found = self.anywhere.get(&it.local().to_lowercase()).copied();
            found.filter(|_| self.only_at.is_empty() || is_allowed())
        };
        let tagged = base(address);
        let by = |lookup: &dyn Fn(&EmailAddress) -> Option<&'a AliasFact>| {
            let whole = lookup(address).map(|alias| Match { alias, tag: None, is_former: false });
            whole.or_else(|| {
                let (base, tag) = tagged.as_ref()?;
                let tag = Some(tag.to_lowercase()).filter(|it| !it.is_empty());
                Some(Match { alias: lookup(base)?, tag, is_former: false })
            })
        };
        by(&exact).or_else(|| by(&former).map(|it| Match { is_former: true, ..it })).or_else(|| by(&anywhere))
    }
}

/// An address without what stands after `+`, and that; an empty tag counts.
fn base(address: &EmailAddress) -> Option<(EmailAddress, String)> {
    let local = address.local();
    let (base, tag) = local.split_once('+')?;
    Some((address.with_local(base).ok()?, tag.to_owned()))
}

impl<'a> Case<'a> {
    pub(super) fn find_alias(&self, address: &EmailAddress) -> Option<Match<'a>> {
        self.directory.find(address)
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
        let (is_in, rule) = match alias.contact_rule {
            ContactRule::Everyone => return Admission::Admit,
            ContactRule::Known => (author.is_some(), "known"),
            ContactRule::Followers => {
                if record.is_none() {
                    self.failing = Some(alias.id.clone());
                    // CS-4: nobody can follow what does not exist; the alias page says so.
                    self.because("contact_rule", "rule.no_record", &[("address", address.as_str())]);
                }
                let follows =
                    author.is_some_and(|it| record.is_some_and(|r| r.followers.iter().any(|f| f.id == it.id)));
                (follows, "followers")
            }
            ContactRule::Listed => (self.is_listed(&alias.listed, author), "listed"),
        };
        let name = author.map_or_else(|| self.arrival.author_from(), |it| it.name.clone());
        let may = match self.trust {
            _ if is_in => "yes",
            Trust::Failed => "forged",
            _ => "no",
        };
        let args = [("address", address.as_str()), ("name", name.as_str())];
        self.because("contact_rule", &format!("rule.{rule}.{may}"), &args);
        if is_in {
            return Admission::Admit;
        }
        match alias.outcome {
            RuleOutcome::Refuse => Admission::Refuse(RefusalReason::ContactRule),
            RuleOutcome::Hold => Admission::Hold(Held::ContactRule),
        }
    }

    fn is_listed(&self, listed: &[String], author: Option<&ContactFact>) -> bool {
        if self.trust == Trust::Failed {
            return false;
        }
        let keys = author.iter().flat_map(|it| it.emails.iter().map(EmailAddress::key)).chain(self.sender.clone());
        keys.into_iter().any(|key| is_in_list(listed, &key))
    }
}

/// [`EmailAddress::key`], without its cost for plain ASCII: thousands of aliases are indexed per decision.
pub(super) fn key_of(address: &EmailAddress) -> String {
    let text = address.as_str();
    let is_plain = text.is_ascii() && !text.starts_with('"') && !text.contains("xn--");
    if is_plain { text.to_ascii_lowercase() } else { address.key() }
}

/// Whether an address key is named by a list of addresses and `@domain`s.
pub(super) fn is_in_list(list: &[String], key: &str) -> bool {
    let domain = key.rsplit_once('@').map_or("", |(_, it)| it);
    list.iter().map(|it| it.trim()).any(|entry| match entry.strip_prefix('@') {
        Some(wanted) => Domain::parse(wanted).is_ok_and(|it| it.ascii() == domain),
        None => EmailAddress::parse(entry).is_ok_and(|it| it.key() == key),
    })
}
