//! Settings of the installation that decisions depend on, with their defaults. Validated as a whole.

use serde::Deserialize;
use serde::Serialize;

use crate::address::Domain;
use crate::address::EmailAddress;

/// What to do with a mail whose sender is not who he says, or is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Caution {
    /// Shown on the record, but counts as nothing until a person lets it in.
    Hold,
    /// Taken as it is, marked.
    Mark,
    Refuse,
    /// Taken as it is.
    Accept,
}

impl Caution {
    pub const ALL: [Self; 4] = [Self::Hold, Self::Mark, Self::Refuse, Self::Accept];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Mark => "mark",
            Self::Refuse => "refuse",
            Self::Accept => "accept",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// Loop protection: more than `threshold` mails of one sender to one target within `minutes` are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LoopPolicy {
    pub threshold: u32,
    pub minutes: u32,
    /// Senders that are never counted.
    pub allow: Vec<String>,
    /// Mails of all senders to one alias within `minutes`; 0 is no limit.
    pub per_alias: u32,
    /// Mails of all senders of one domain within `minutes`; 0 is no limit.
    pub per_domain: u32,
}

impl Default for LoopPolicy {
    fn default() -> Self {
        Self { threshold: 20, minutes: 120, allow: Vec::new(), per_alias: 0, per_domain: 0 }
    }
}

/// Settings of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Policy {
    pub r#loop: LoopPolicy,
    /// Type of the record that mail to an unknown address creates; `None` refuses it.
    pub fallback_type: Option<String>,
    /// Mail that claims to be from a colleague or follower and is not authenticated.
    pub unauthenticated_insider: Caution,
    /// A reply from somebody who is neither participant nor follower and has no token.
    pub stranger_reply: Caution,
    /// Where an alias of any domain matches, beside the alias domains; empty is everywhere (RT-24).
    pub local_part_domains: Vec<String>,
    /// Largest mail in bytes; Email Routing takes 25 MiB.
    pub max_size: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            r#loop: LoopPolicy::default(),
            fallback_type: None,
            unauthenticated_insider: Caution::Hold,
            stranger_reply: Caution::Hold,
            local_part_domains: Vec::new(),
            max_size: LARGEST_MAIL,
        }
    }
}

/// Largest mail Email Routing hands over, in bytes.
pub const LARGEST_MAIL: usize = 25 * 1024 * 1024;

impl Policy {
    /// Wrong fields, each with the key of its sentence.
    pub fn check(&self) -> Vec<(&'static str, &'static str)> {
        let mut wrong = Vec::new();
        let guard = &self.r#loop;
        if !(1..=10_000).contains(&guard.threshold) {
            wrong.push(("threshold", "number"));
        }
        // Facts look back one day.
        if !(1..=1_440).contains(&guard.minutes) {
            wrong.push(("minutes", "day_of_minutes"));
        }
        let is_sender = |it: &String| EmailAddress::parse(it.strip_prefix('@').map_or(it, |_| "x@x.test")).is_ok();
        let is_domain = |it: &String| it.strip_prefix('@').is_none_or(|it| Domain::parse(it).is_ok());
        if guard.allow.len() > 1_000 || !guard.allow.iter().all(|it| is_sender(it) && is_domain(it)) {
            wrong.push(("allow", "address"));
        }
        if self.local_part_domains.iter().any(|it| Domain::parse(it).is_err()) {
            wrong.push(("local_part_domains", "domain"));
        }
        if !(64 * 1024..=LARGEST_MAIL).contains(&self.max_size) {
            wrong.push(("max_size", "size"));
        }
        wrong
    }
}

/// Seconds a message can be taken back after *Send*.
pub const UNDO_SECONDS: u32 = 10;

/// Header by which our own mail is known again: id of the message.
pub const HEADER_MESSAGE: &str = "X-Mailroom-Message";
/// Header by which a loop through us is seen: a value only we can sign (`gateway::loops::loop_value`).
pub const HEADER_LOOP: &str = "X-Mailroom-Loop";
/// Token of a mail that we send to ourselves.
pub const HEADER_CANARY: &str = "X-Mailroom-Canary";
