//! The failure inbox: what did not arrive, by cause, for the whole team.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::id::ContactId;
use crate::id::DeliveryId;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::outbox::failure::Reason;
use crate::outbox::state::DeliveryState;
use crate::time::Timestamp;

/// Whose failures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailureQuery {
    /// Only those assigned to me: I wrote it, or it was written by no person and I am responsible for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mine: Option<bool>,
}

/// Failures with one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailureGroup {
    /// `userunknown` or `speeding@gmail.com`; names the group in other operations.
    pub key: String,
    pub reason: Reason,
    /// The receiving domain, when the cause is one of a domain.
    pub domain: Option<String>,
    /// Need a person.
    pub failing: u32,
    /// Tried again by ourselves.
    pub waiting: u32,
    /// When the next of those is tried.
    pub next_try: Option<Timestamp>,
    /// What a person can do, in the reader's language.
    pub advice: String,
    /// First and last time.
    pub since: Timestamp,
    pub latest: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailureGroups {
    pub groups: Vec<FailureGroup>,
    /// Deliveries that need a person: assigned to me, and in all.
    pub mine: u32,
    pub all: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailureRowsQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mine: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One delivery of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailureRow {
    pub delivery: DeliveryId,
    pub message: MessageId,
    pub record: Option<RecordId>,
    pub record_number: Option<String>,
    pub subject: String,
    pub contact: Option<ContactId>,
    pub name: String,
    pub address: String,
    pub state: DeliveryState,
    pub at: Timestamp,
    pub next_try: Option<Timestamp>,
    pub tries: u32,
    pub reply_code: Option<u16>,
    pub status: Option<String>,
    pub server_text: Option<String>,
    /// Who looks after it: the author, or the record's responsible when no person wrote it.
    pub assigned: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureAction {
    /// Sent again when the undo window is over.
    Retry,
    /// Leave it as it is; the envelope turns white.
    Ignore,
    /// Do not try any more.
    Cancel,
}

impl FailureAction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Ignore => "ignore",
            Self::Cancel => "cancel",
        }
    }
}

/// Acts on a selection, or on all of a group; up to 500 at once, ask again while `left` is not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActOnFailures {
    pub action: FailureAction,
    /// Up to 500; empty for all of the group.
    #[serde(default)]
    pub deliveries: Vec<DeliveryId>,
    #[serde(default)]
    pub group: Option<String>,
    #[serde(default)]
    pub mine: Option<bool>,
    /// Give the operation of the first answer back, so that one undo takes all of it back.
    #[serde(default)]
    pub operation: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActedOnFailures {
    pub operation: String,
    pub changed: u32,
    /// Of the group, not yet acted on.
    pub left: u32,
}

/// What else failed at an address that turned out wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CorrectFailures {
    pub old: String,
    pub new: String,
    /// Sends them to the new address; else they are only counted.
    #[serde(default)]
    pub apply: bool,
    /// Only these, up to 500; empty for all that failed at the old address.
    #[serde(default)]
    pub deliveries: Vec<DeliveryId>,
    /// Changes it in their contacts too, other than those of users.
    #[serde(default)]
    pub update_contact: bool,
    /// Give the operation of the first answer back, so that one undo takes several corrections back.
    #[serde(default)]
    pub operation: Option<String>,
}

/// An address at which deliveries of a cause failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailingAddress {
    pub address: String,
    pub name: String,
    pub n: u32,
    /// Belongs to a contact.
    pub contact: bool,
}

/// What somebody did to failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailureOperation {
    pub id: String,
    pub at: Timestamp,
    pub by: String,
    pub action: FailureAction,
    /// Deliveries it moved.
    pub n: u32,
    /// Of these, with another address.
    pub corrected: u32,
    /// Of these, still where it put them: an undo takes them back. Only whoever did it can.
    pub undoable: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CorrectedFailures {
    /// Up to 500 at once; mails of campaigns are not among them.
    pub n: u32,
    /// Takes it back, as that of other actions; absent when nothing was changed.
    pub operation: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UndoneFailures {
    /// Back as they were; the others have moved on.
    pub changed: u32,
}

crate::endpoints! {
    ListFailures: Get "/api/v1/failures" "What did not arrive, by cause" { query: FailureQuery, body: () } -> FailureGroups;
    ListFailureRows: Get "/api/v1/failures/{group}" "The deliveries of one cause, newest first" { query: FailureRowsQuery, body: () } -> Page<FailureRow>;
    ActOnFailing: Post "/api/v1/failures/actions" "Retry, ignore or cancel a selection or a whole cause" { query: (), body: ActOnFailures } -> ActedOnFailures;
    ListFailingAddresses: Get "/api/v1/failures/{group}/addresses" "Where the deliveries of one cause failed, up to 200 addresses" { query: FailureQuery, body: () } -> Vec<FailingAddress>;
    ListFailureOperations: Get "/api/v1/failures/actions" "What was done to failures, newest first, up to 20" { query: (), body: () } -> Vec<FailureOperation>;
    CorrectFailing: Post "/api/v1/failures/corrections" "Count or resend what failed at a corrected address" { query: (), body: CorrectFailures } -> CorrectedFailures;
    UndoFailures: Delete "/api/v1/failures/actions/{operation}" "Take an action on failures back" { query: (), body: () } -> UndoneFailures;
}
