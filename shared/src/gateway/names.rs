//! Names of aliases and special addresses: how they are cleaned, and who has one already (AL-1 to AL-6, AL-16 to AL-18).

use icu_normalizer::DecomposingNormalizerBorrowed;
use serde::Serialize;

use crate::address::Domain;
use crate::address::EmailAddress;
use crate::api::aliases::AliasState;
use crate::id::AliasId;

use super::alias::key_of;
use super::case::domain_of;
use super::facts::AliasFact;
use super::facts::DomainFact;
use super::facts::Target;

/// Local part of reply addresses: an alias of this name would swallow them.
const REPLY: &str = "reply";
/// What a local part may hold beside letters and digits (RFC 5322 section 3.2.3).
const SIGNS: &str = "-.+=*_#${}~|/!?&%^'`";

/// The local part of an alias as it is kept: lower case, without accents, blanks and odd signs as `-`, dots neither
/// doubled nor at an end; a letter without a Latin form becomes `?` (AL-1, AL-2). `None` when nothing was typed (AL-3).
/// Of a full address only the local part counts.
pub fn alias_name(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.rsplit_once('@').map_or(text, |(local, _)| local);
    if text.is_empty() {
        return None;
    }
    let mut res = String::with_capacity(text.len());
    for c in DecomposingNormalizerBorrowed::new_nfkd().normalize(text).chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => res.push(c),
            '.' if res.is_empty() || res.ends_with('.') => {}
            _ if c.is_ascii() && SIGNS.contains(c) => res.push(c),
            'đ' | 'ð' => res.push('d'),
            'ł' => res.push('l'),
            'ø' => res.push('o'),
            'ı' => res.push('i'),
            'ß' => res.push_str("ss"),
            'æ' => res.push_str("ae"),
            'œ' => res.push_str("oe"),
            'þ' => res.push_str("th"),
            '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{200d}' => {}
            _ if c.is_alphabetic() => res.push('?'),
            _ if res.ends_with('-') => {}
            _ => res.push('-'),
        }
    }
    Some(res.trim_end_matches('.').to_owned()).filter(|it| !it.is_empty())
}

/// A list of domains as typed: lower case, without blanks and empty items; `Err` names what is no domain, or says that
/// there are only separators (AL-22).
pub fn domain_list(text: &str) -> Result<Vec<Domain>, String> {
    let items: Vec<&str> = text.split([',', ';', '\n', ' ']).map(str::trim).filter(|it| !it.is_empty()).collect();
    if items.is_empty() && !text.trim().is_empty() {
        return Err(text.trim().to_owned());
    }
    items.into_iter().map(|it| Domain::parse(&it.to_lowercase()).map_err(|_| it.to_owned())).collect()
}

/// Why an address can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClashReason {
    /// Another alias has it.
    Alias,
    /// Another alias had it before it was renamed, and its threads are alive.
    FormerName,
    Catchall,
    Bounce,
    /// Our own mail comes from it.
    DefaultFrom,
    /// Signed reply addresses begin with it.
    Reply,
    /// Twice in what is saved together.
    Twice,
    /// The domain is none of ours.
    NoDomain,
}

/// An address that is taken, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clash {
    pub address: String,
    pub reason: ClashReason,
    /// The alias that has it.
    #[serde(skip)]
    pub alias: Option<AliasId>,
    /// In words: `creates a lead, owner Jon Reed`.
    pub owner: String,
}

/// What is asked for: `id` is the alias that is changed, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub id: Option<AliasId>,
    pub address: EmailAddress,
}

/// Addresses that can't be had, in the order asked for (AL-4 to AL-6). The same name at another domain is fine.
pub fn clashes(wanted: &[Wanted], aliases: &[AliasFact], domains: &[DomainFact]) -> Vec<Clash> {
    let mut out = Vec::new();
    for (i, it) in wanted.iter().enumerate() {
        let key = key_of(&it.address);
        let others = || aliases.iter().filter(|alias| Some(&alias.id) != it.id.as_ref());
        let has = |list: &[EmailAddress]| list.iter().any(|it| key_of(it) == key);
        let special = domains.iter().filter(|domain| at(domain, &it.address));
        let is = |name: &str| !name.is_empty() && name.eq_ignore_ascii_case(&it.address.local());
        let found = if domain_of(domains, &it.address).is_none() {
            Some((ClashReason::NoDomain, None, format!("{} is none of our domains", it.address.domain())))
        } else if is(REPLY) {
            Some((ClashReason::Reply, None, "answers to our messages come to it".to_owned()))
        } else if let Some(domain) = special.clone().find(|it| is(&it.catchall)) {
            Some((ClashReason::Catchall, None, format!("it is the catchall of {}", domain.name)))
        } else if let Some(domain) = special.clone().find(|it| is(&it.bounce)) {
            Some((ClashReason::Bounce, None, format!("it is the bounce address of {}", domain.name)))
        } else if let Some(domain) = special.clone().find(|it| is(&it.default_from)) {
            Some((ClashReason::DefaultFrom, None, format!("mail of {} comes from it", domain.name)))
        } else if let Some(alias) = others().find(|alias| key_of(&alias.address) == key || has(&alias.also)) {
            Some((ClashReason::Alias, Some(alias.id.clone()), owner(alias)))
        } else if let Some(alias) = others().find(|it| has(&it.former)) {
            Some((ClashReason::FormerName, Some(alias.id.clone()), owner(alias)))
        } else if wanted.iter().take(i).any(|earlier| key_of(&earlier.address) == key) {
            Some((ClashReason::Twice, None, "it stands here twice".to_owned()))
        } else {
            None
        };
        let address = it.address.as_str().to_owned();
        out.extend(found.map(|(reason, alias, owner)| Clash { address, reason, alias, owner }));
    }
    out
}

/// What a domain's special local parts clash with: each other, an alias, or the same domain listed before (AL-17, AL-18).
pub fn domain_clashes(domain: &DomainFact, aliases: &[AliasFact], others: &[DomainFact]) -> Vec<Clash> {
    let mut out = Vec::new();
    let names = [&domain.catchall, &domain.bounce, &domain.default_from];
    for (i, name) in names.into_iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let address = format!("{name}@{}", domain.name);
        let mut add = |reason, alias, owner| out.push(Clash { address: address.clone(), reason, alias, owner });
        if names.iter().take(i).any(|it| it.eq_ignore_ascii_case(name)) {
            add(ClashReason::Twice, None, "the special addresses of a domain must differ".to_owned());
        }
        if name.eq_ignore_ascii_case(REPLY) {
            add(ClashReason::Reply, None, "answers to our messages come to it".to_owned());
        }
        let is_it = |it: &EmailAddress| it.as_str().eq_ignore_ascii_case(&address);
        let has = |it: &AliasFact| [&it.address].into_iter().chain(&it.also).chain(&it.former).any(is_it);
        if let Some(alias) = aliases.iter().find(|it| has(it)) {
            add(ClashReason::Alias, Some(alias.id.clone()), owner(alias));
        }
        for other in others.iter().filter(|it| it.name == domain.name) {
            let taken = [(&other.catchall, ClashReason::Catchall), (&other.bounce, ClashReason::Bounce)];
            for (_, reason) in taken.into_iter().filter(|(it, _)| it.eq_ignore_ascii_case(name)) {
                add(reason, None, format!("{} is listed already", other.name));
            }
        }
    }
    out
}

/// After a change of what an alias does, it has to prove itself again (AL-10).
pub fn state_after(before: &AliasFact, after: &AliasFact) -> AliasState {
    let is_same = before.contact_rule == after.contact_rule && before.target == after.target;
    if is_same { before.state } else { AliasState::NotTested }
}

/// Found by name, by domain or by both (AL-11).
pub fn is_found(alias: &AliasFact, text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let mut addresses = [&alias.address].into_iter().chain(&alias.also).chain(&alias.former);
    addresses.any(|it| it.as_str().to_lowercase().contains(&text))
}

fn at(domain: &DomainFact, address: &EmailAddress) -> bool {
    domain_of(core::slice::from_ref(domain), address).is_some()
}

fn owner(alias: &AliasFact) -> String {
    let what = match &alias.target {
        Target::New { r#type, .. } => format!("{} creates a {}", alias.address, r#type),
        Target::Record(record) => format!("{} belongs to {record}", alias.address),
    };
    match &alias.owner {
        Some(owner) => format!("{what}, owner {}", owner.name),
        None => what,
    }
}
