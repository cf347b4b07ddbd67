//! What the store answered to an [`Inquiry`](super::inquire::Inquiry), and the settings a decision depends on.
//!
//! The Worker fills these from SQL, [`super::world`] from a scenario file. More than was asked for does no harm: every
//! rule looks for itself what applies.

use serde_json::Map;
use serde_json::Value;

use crate::address::Domain;
use crate::address::EmailAddress;
use crate::api::aliases::AliasState;
use crate::api::aliases::ContactRule;
use crate::api::aliases::RuleOutcome;
use crate::api::messages::MessageKind;
use crate::api::records::Subtypes;
use crate::api::session::NotifyBy;
use crate::api::session::Role;
use crate::id::AliasId;
use crate::id::ContactId;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::id::TypeName;
use crate::id::UserId;
use crate::mail::rfc_id::RfcMessageId;
use crate::outbox::state::DeliveryState;
use crate::policy::Policy;
use crate::time::Timestamp;

/// Settings of the installation. May be read in the same batch as the facts.
#[derive(Debug, Clone)]
pub struct Context {
    pub policy: Policy,
    pub domains: Vec<DomainFact>,
    pub types: Vec<TypeFact>,
    /// Signs reply and bounce addresses, see [`crate::token`].
    pub secret: String,
}

/// An alias domain with its special local parts; an empty one means there is none (AL-16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainFact {
    pub name: Domain,
    pub catchall: String,
    pub bounce: String,
    pub default_from: String,
}

/// A record type as far as mail is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeFact {
    pub name: TypeName,
    pub receives_mail: bool,
    /// False: a reply keeps its real parent and a mail without references starts a new thread on the record (TH-6).
    pub flat: bool,
    /// Its records hold the address they came from.
    pub main_email: bool,
    /// Its records have a title.
    pub title: bool,
}

/// What the store answered.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Aliases with one of `Inquiry::alias_keys`, and those of any domain with one of `Inquiry::alias_names`.
    pub aliases: Vec<AliasFact>,
    /// Messages with one of `Inquiry::reply_ids` or `Inquiry::references`, and those that came in and refer to
    /// `Inquiry::message_id`, which nobody knew then.
    pub messages: Vec<MessageFact>,
    /// Records of these messages; targets and parents of these aliases.
    pub records: Vec<RecordFact>,
    /// Contacts with one of `Inquiry::addresses`, archived ones may be left out.
    pub contacts: Vec<ContactFact>,
    /// Hand-overs and messages with `Inquiry::message_id` or `Inquiry::sha256`, oldest first.
    pub earlier: Vec<EarlierFact>,
    /// Deliveries with one of `Inquiry::bounce_ids`, and those of the messages in `Inquiry::reported`.
    pub deliveries: Vec<DeliveryFact>,
    /// Mail of `Inquiry::sender` accepted lately: at least those of the loop window, up to 1 000, newest first.
    pub received: Vec<ReceivedFact>,
    /// Mails within the loop window, of everybody.
    pub volume: Volume,
    /// When mail of `Inquiry::sender` was refused as a loop, within a day: each time it happens again the window grows.
    pub loop_refusals: Vec<Timestamp>,
    /// Whether `Inquiry::sender` is on the list of paused senders.
    pub paused: bool,
    /// Records `Inquiry::sender` took part in, newest first, up to 20: only ever offered, never used.
    pub suggestions: Vec<SuggestionFact>,
}

/// How much came lately; only counted when the policy limits it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Volume {
    /// To the alias of the envelope recipient.
    pub alias: u32,
    /// From the domain of `Inquiry::sender`.
    pub domain: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AliasFact {
    pub id: AliasId,
    pub address: EmailAddress,
    /// The same alias at further domains.
    pub also: Vec<EmailAddress>,
    /// What it was called before it was renamed, while threads that know the old name are alive.
    pub former: Vec<EmailAddress>,
    pub target: Target,
    /// The record whose followers may write when the rule is `followers` and the alias creates.
    pub parent: Option<RecordId>,
    pub contact_rule: ContactRule,
    /// Addresses and `@domain`s.
    pub listed: Vec<String>,
    pub outcome: RuleOutcome,
    pub refusal_text: Option<String>,
    /// Also matches its local part at any other domain (RT-23).
    pub any_domain: bool,
    pub state: AliasState,
    /// Responsible for the records it creates.
    pub owner: Option<ContactFact>,
}

/// What mail to an alias becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    New { r#type: TypeName, defaults: Map<String, Value> },
    Record(RecordId),
}

/// A contact, with the user he is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactFact {
    pub id: ContactId,
    pub name: String,
    /// All of them; the first is used for sending.
    pub emails: Vec<EmailAddress>,
    pub archived: bool,
    pub user: Option<UserFact>,
    /// One of its addresses is an alias, catchall or bounce address of ours: never an author, never told (AL-25).
    pub is_alias: bool,
    /// Its sending address is suppressed.
    pub suppressed: bool,
    /// BCP 47, when known.
    pub language: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFact {
    pub id: UserId,
    pub role: Role,
    pub notify_by: NotifyBy,
    pub archived: bool,
}

impl ContactFact {
    /// The active user this contact is.
    pub fn active_user(&self) -> Option<&UserFact> {
        self.user.as_ref().filter(|it| !it.archived && !self.archived)
    }

    /// A colleague.
    pub fn is_internal(&self) -> bool {
        self.active_user().is_some()
    }

    /// Whether one of its addresses has this key (CS-6: every address counts).
    pub fn has(&self, key: &str) -> bool {
        self.emails.iter().any(|it| it.key() == key)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFact {
    pub id: RecordId,
    pub r#type: TypeName,
    pub title: String,
    pub email: Option<EmailAddress>,
    pub customer: Option<ContactFact>,
    pub responsible: Option<ContactFact>,
    pub followers: Vec<ContactFact>,
    /// What its followers chose to be told of; who is not listed has the defaults.
    pub wants: Vec<(ContactId, Subtypes)>,
    /// Address keys of authors and recipients of its messages, held ones left out. May be limited to those of the
    /// inquiry's sender and of the contacts that have the sender's address.
    pub participants: Vec<String>,
    pub deleted: bool,
    /// The last public comment or email, else the last message: what an unthreaded mail hangs on (TH-5).
    pub last_message: Option<MessageId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFact {
    pub id: MessageId,
    pub message_id: Option<RfcMessageId>,
    /// `None` on a message without record (RT-12).
    pub record: Option<RecordId>,
    pub kind: MessageKind,
    pub internal: bool,
    /// Written by a program, not by a person.
    pub automated: bool,
    pub author: Option<ContactFact>,
    pub direction: Direction,
    pub date: Option<Timestamp>,
    /// It refers to `Inquiry::message_id`, and came before that mail.
    pub is_early: bool,
}

/// A mail that came or left earlier with the same Message-ID, or the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierFact {
    pub direction: Direction,
    /// Keys of the envelope recipients it was handed over for; empty when that was not kept.
    pub recipients: Vec<String>,
    /// Of the raw bytes.
    pub sha256: Option<String>,
    /// Of From, Subject, Date and body, see [`super::arrival::Arrival::content_sha256`].
    pub content_sha256: Option<String>,
    /// The message it became, when it was written already.
    pub message: Option<MessageId>,
    pub record: Option<RecordId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFact {
    /// The id its bounce address carries.
    pub id: String,
    pub message: MessageId,
    pub message_id: Option<RfcMessageId>,
    pub record: Option<RecordId>,
    pub recipient: EmailAddress,
    pub state: Option<DeliveryState>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFact {
    /// Key of the alias or address it was written to.
    pub alias: Option<String>,
    pub record: Option<RecordId>,
    pub r#type: Option<TypeName>,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuggestionFact {
    pub record: RecordId,
    pub title: String,
    /// We wrote to this sender there.
    pub answered: bool,
}
