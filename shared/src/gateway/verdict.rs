//! The outcome of a decision, as data. Its JSON is the answer of the routing dry run.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

use crate::id::AliasId;
use crate::id::ContactId;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::id::TypeName;
use crate::id::UserId;
use crate::mail::authres::AuthResult;
use crate::mail::automatic::Automatic;
use crate::outbox::state::DeliveryEvent;
use crate::outbox::state::DeliveryState;

use super::confirmation::Confirmation;
use super::report::ReportItem;
use super::report::ReportKind;
use super::why::Why;

/// The best outcome of all routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Accepted,
    /// Accepted, kept apart until a person lets it in.
    Held,
    /// Said no at SMTP time.
    Refused,
    /// Accepted from the peer and dropped: we have it, or it is our own.
    Ignored,
    /// About a message of ours.
    Report,
}

impl Decision {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Ignored => "ignored",
            Self::Report => "report",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Append,
}

/// What led to a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// A signed reply address.
    Token,
    /// A Message-ID of ours in References or In-Reply-To, or our message header.
    Reference,
    Alias,
    /// An alias on a record.
    Fixed,
    /// No alias, but a fallback type.
    Fallback,
    /// A mail to the bounce address of a delivery that is no report.
    BounceOf,
}

impl By {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Alias => "alias",
            Self::Fixed => "fixed",
            Self::Fallback => "fallback",
            Self::BounceOf => "bounce-of",
        }
    }
}

/// Why a message is shown but counts as nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Knows a Message-ID, but is neither participant nor follower.
    StrangerReply,
    /// The alias does not let this sender in.
    ContactRule,
    /// Claims to be a colleague or follower without proof.
    UnauthenticatedInsider,
    /// On the list of paused senders.
    Paused,
}

impl Held {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StrangerReply => "stranger_reply",
            Self::ContactRule => "contact_rule",
            Self::UnauthenticatedInsider => "unauthenticated_insider",
            Self::Paused => "paused",
        }
    }
}

/// One thing that is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    pub action: Action,
    pub r#type: TypeName,
    /// The record it is appended to.
    pub record: Option<RecordId>,
    /// Address of the alias it came by.
    pub alias: Option<String>,
    pub alias_id: Option<AliasId>,
    pub by: By,
    pub parent: Option<MessageId>,
    pub internal: bool,
    /// The contact who is believed to have written it.
    pub author: Option<ContactId>,
    /// From as written.
    pub author_from: String,
    /// The colleague who counts as creator of a new record.
    pub creator: Option<UserId>,
    /// Of a new record: its alias' default, else the subject. `None` when the type has no title.
    pub title: Option<String>,
    /// Responsible for a new record.
    pub responsible: Option<UserId>,
    pub defaults: Map<String, Value>,
    pub tags: Vec<String>,
    pub held: Option<Held>,
}

/// Why a mail is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    NoSuchAddress,
    ContactRule,
    CatchallOnly,
    Loop,
    TooBig,
    /// A stranger's reply, when the policy refuses these.
    StrangerReply,
    /// Claims to be a colleague or follower without proof, when the policy refuses these.
    Unauthenticated,
}

impl RefusalReason {
    pub const ALL: [Self; 7] = [
        Self::NoSuchAddress,
        Self::ContactRule,
        Self::CatchallOnly,
        Self::Loop,
        Self::TooBig,
        Self::StrangerReply,
        Self::Unauthenticated,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchAddress => "no_such_address",
            Self::ContactRule => "contact_rule",
            Self::CatchallOnly => "catchall_only",
            Self::Loop => "loop",
            Self::TooBig => "too_big",
            Self::StrangerReply => "stranger_reply",
            Self::Unauthenticated => "unauthenticated",
        }
    }

    /// Enhanced status code (RFC 3463, RFC 7372) for the peer.
    pub const fn status(self) -> &'static str {
        match self {
            Self::NoSuchAddress => "5.1.1",
            Self::CatchallOnly => "5.2.1",
            Self::ContactRule | Self::StrangerReply => "5.7.1",
            Self::Loop => "5.4.6",
            Self::TooBig => "5.3.4",
            Self::Unauthenticated => "5.7.26",
        }
    }
}

/// A clear no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Enhanced status, for example `5.1.1`.
    pub status: String,
    pub reason: RefusalReason,
    /// The addresses it is about.
    pub addresses: Vec<String>,
    /// One line for the SMTP peer: which address, why, what to do.
    pub text: String,
    /// The first of its kind in the loop window: people should be told once.
    pub notice: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// We have it already.
    Duplicate,
    /// We sent it ourselves.
    OwnLoopTag,
    /// Same Message-ID, same recipient, other content.
    Conflict,
    /// An automatic sender goes on after its loop was refused.
    LoopSilent,
    /// Asked to be taken off a campaign, which is done.
    Unsubscribe,
}

impl Ignored {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::OwnLoopTag => "own_loop_tag",
            Self::Conflict => "conflict",
            Self::LoopSilent => "loop_silent",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// What a report says about a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkState {
    Bounced,
    Deferred,
    Delivered,
    Complained,
}

impl MarkState {
    /// What happens to the delivery.
    pub const fn event(self) -> DeliveryEvent {
        match self {
            Self::Bounced => DeliveryEvent::ReportBounced,
            Self::Deferred => DeliveryEvent::ReportDelayed,
            Self::Delivered => DeliveryEvent::ReportDelivered,
            Self::Complained => DeliveryEvent::ReportComplaint,
        }
    }

    pub const fn state(self) -> DeliveryState {
        match self {
            Self::Bounced => DeliveryState::Bounced,
            Self::Deferred => DeliveryState::Deferred,
            Self::Delivered => DeliveryState::Delivered,
            Self::Complained => DeliveryState::Complained,
        }
    }
}

/// One delivery that a report is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub message: MessageId,
    /// As we sent it.
    pub recipient: String,
    pub state: MarkState,
    /// Id of the delivery, as its bounce address carries it.
    pub delivery: String,
    /// Index into [`ReportVerdict::reports`] of the words that led to it.
    pub report: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportVerdict {
    pub kind: ReportKind,
    pub reports: Vec<ReportItem>,
    pub marks: Vec<Mark>,
}

/// What is known about the sender's authenticity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticity {
    pub spf: AuthResult,
    pub dkim: AuthResult,
    pub dmarc: AuthResult,
    /// The mail authenticated as the domain of From.
    pub from_trusted: bool,
}

impl Authenticity {
    /// Something was checked and does not hold.
    pub fn has_failed(&self) -> bool {
        let spf_failed = matches!(self.spf, AuthResult::Fail | AuthResult::Softfail);
        !self.from_trusted
            && (self.dmarc == AuthResult::Fail
                || (spf_failed && self.dkim != AuthResult::Pass)
                || (self.dkim == AuthResult::Fail && self.spf != AuthResult::Pass))
    }

    /// For the message: proven, failed, or nothing known.
    pub fn as_flag(&self) -> Option<bool> {
        if self.from_trusted { Some(true) } else { Some(false).filter(|_| self.has_failed()) }
    }
}

/// What becomes of a mail, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub decision: Decision,
    pub routes: Vec<Route>,
    pub refusal: Option<Refusal>,
    pub ignored: Option<Ignored>,
    pub duplicate_of: Option<MessageId>,
    pub report: Option<ReportVerdict>,
    pub automatic: Option<Automatic>,
    pub authentication: Authenticity,
    /// Contacts who are told, by email or inside; the author and those in To and Cc are left out.
    pub notify: Vec<ContactId>,
    /// Contacts in To and Cc.
    pub copied: Vec<ContactId>,
    /// A record it may be meant for; for a person to decide.
    pub suggestion: Option<RecordId>,
    pub why: Vec<Why>,
    /// An alias that can't do what it is set up for: shown as failing on its page (RT-41, CS-4).
    pub failing: Option<AliasId>,
    /// A person at this address wrote just now, so it works: temporary failures of it are forgotten. Never for automatic
    /// or unauthenticated mail (RT-5, LP-16).
    pub alive: Option<String>,
    /// What the provider of a mailbox that forwards to us wants confirmed.
    pub confirmation: Option<Confirmation>,
    /// Under which an accepted hand-over is kept once: `in:v1:<recipient>:<Message-ID or SHA-256>`. The recipient is the
    /// alias', by whichever of its addresses it was written to, else the envelope's.
    pub key: String,
}
