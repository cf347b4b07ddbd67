//! Settings of the installation that decisions depend on, with their defaults. Validated as a whole.

use serde::Deserialize;
use serde::Serialize;

/// What to do with a mail whose sender is not who he says, or is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// Loop protection: more than `threshold` mails of one sender to one target within `minutes` are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
            max_size: 25 * 1024 * 1024,
        }
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
