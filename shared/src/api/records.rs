//! Records, their followers, and the lists of them.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::address::EmailAddress;
use crate::id::ContactId;
use crate::id::RecordId;
use crate::id::TypeName;
use crate::id::UserId;
use crate::outbox::state::EnvelopeState;
use crate::time::Timestamp;

/// Which records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecordQuery {
    /// Only this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<TypeName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Only those that wait for an answer from us (the Inbox).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<bool>,
    /// `me`, `nobody`, or a user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<String>,
    /// Words of title, number, people, addresses, message text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// 1 to 200, 50 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One line of a list of records. No bodies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecordRow {
    pub id: RecordId,
    pub r#type: TypeName,
    /// `T00042`.
    pub number: String,
    pub title: String,
    pub stage: Option<String>,
    /// The customer: a name, else the address the record came from.
    pub customer: Option<String>,
    pub responsible: Option<UserId>,
    pub responsible_name: Option<String>,
    /// When the customer's unanswered message came; absent when nobody waits.
    pub waiting_since: Option<Timestamp>,
    /// Last message: who, first words, when.
    pub last_author: Option<String>,
    pub last_snippet: Option<String>,
    pub last_at: Timestamp,
    /// Unread by the user who asks.
    pub unread: bool,
    pub messages: u32,
    /// Worst envelope of its messages.
    pub envelope: Option<EnvelopeState>,
    pub failing: u32,
    pub attachments: u32,
}

/// What is told to followers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Subtype {
    /// Messages that leave the house too.
    #[default]
    Message,
    Note,
    /// The stage was changed.
    Stage,
}

/// What a follower is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subtypes {
    pub messages: bool,
    /// Colleagues only.
    pub notes: bool,
    /// Changes of the stage. Colleagues only.
    pub stages: bool,
}

impl Default for Subtypes {
    /// Notes and stages are asked for (FO-2).
    fn default() -> Self {
        Self { messages: true, notes: false, stages: false }
    }
}

impl Subtypes {
    pub const fn has(self, subtype: Subtype) -> bool {
        match subtype {
            Subtype::Message => self.messages,
            Subtype::Note => self.notes,
            Subtype::Stage => self.stages,
        }
    }
}

/// One person who follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FollowerView {
    pub contact: ContactId,
    pub name: String,
    pub email: Option<EmailAddress>,
    /// A colleague rather than a customer.
    pub internal: bool,
    pub you: bool,
    /// `email` or `mailroom`.
    pub by: super::session::NotifyBy,
    /// State of the last delivery to this person on this record.
    pub envelope: Option<EnvelopeState>,
    pub wants: Subtypes,
}

/// A stored file, without its bytes: `GET /api/v1/attachments/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentView {
    pub id: crate::id::AttachmentId,
    pub name: String,
    pub content_type: String,
    pub size: u32,
    pub inline: bool,
    pub cid: Option<String>,
    pub created: Timestamp,
}

/// A record with what stands beside its chatter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecordView {
    pub id: RecordId,
    pub r#type: TypeName,
    pub number: String,
    pub title: String,
    pub stage: Option<String>,
    pub stages: Vec<String>,
    pub email: Option<EmailAddress>,
    pub customer: Option<ContactId>,
    pub customer_name: Option<String>,
    pub responsible: Option<UserId>,
    pub responsible_name: Option<String>,
    pub waiting_since: Option<Timestamp>,
    pub created: Timestamp,
    /// Name of the alias it came by.
    pub alias: Option<EmailAddress>,
    pub tags: Vec<String>,
    /// Free fields: defaults of the alias and what integrators set.
    pub fields: std::collections::BTreeMap<String, String>,
    pub followers: Vec<FollowerView>,
    pub following: bool,
    pub attachments: Vec<AttachmentView>,
    /// Raised by every change; send it back with a change to be told of a conflict.
    pub version: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewRecord {
    pub r#type: TypeName,
    pub title: String,
    /// Address of the customer; a contact is found or made.
    #[serde(default)]
    pub email: Option<String>,
    /// Name of the customer, used when the contact is new.
    #[serde(default)]
    pub customer_name: Option<String>,
    #[serde(default)]
    pub stage: Option<String>,
    #[serde(default)]
    pub responsible: Option<UserId>,
    #[serde(default)]
    pub fields: std::collections::BTreeMap<String, String>,
}

/// Changes of a record; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeRecord {
    pub title: Option<String>,
    pub stage: Option<String>,
    /// `""` takes the responsible away.
    pub responsible: Option<String>,
    pub email: Option<String>,
    /// False: nobody needs to answer (Done); true: back into the Inbox.
    pub waiting: Option<bool>,
    /// True: marks everything read for the user who asks.
    pub read: Option<bool>,
    pub tags: Option<Vec<String>>,
    /// The version the change is based on; absent overwrites.
    pub version: Option<u32>,
}

/// Adds a follower: a contact, or an address for which one is found or made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewFollower {
    pub contact: Option<ContactId>,
    pub email: Option<String>,
    pub name: Option<String>,
}

crate::endpoints! {
    ListRecords: Get "/api/v1/records" "Records, newest activity first" { query: RecordQuery, body: () } -> Page<RecordRow>;
    CreateRecord: Post "/api/v1/records" "Create a record" { query: (), body: NewRecord } -> RecordView;
    ReadRecord: Get "/api/v1/records/{id}" "One record" { query: (), body: () } -> RecordView;
    ChangeARecord: Patch "/api/v1/records/{id}" "Change a record" { query: (), body: ChangeRecord } -> RecordView;
    AddFollower: Post "/api/v1/records/{id}/followers" "Add a follower" { query: (), body: NewFollower } -> RecordView;
    ChangeAFollower: Patch "/api/v1/records/{id}/followers/{contact}" "Choose what a follower is told of" { query: (), body: Subtypes } -> RecordView;
    RemoveFollower: Delete "/api/v1/records/{id}/followers/{contact}" "Remove a follower" { query: (), body: () } -> RecordView;
}
