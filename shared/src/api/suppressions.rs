//! Addresses we do not write to, why, and until when.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::outbox::failure::Reason;
use crate::time::Timestamp;

/// What is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SuppressionScope {
    All,
    Campaigns,
}

impl SuppressionScope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Campaigns => "campaigns",
        }
    }
}

/// Where a suppression comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SuppressionSource {
    /// A server said for good that the address is not there.
    Bounce,
    /// Several temporary failures over weeks.
    Soft,
    /// The recipient called our mail abuse.
    Complaint,
    Unsubscribe,
    /// Somebody entered it.
    Manual,
    Import,
}

impl SuppressionSource {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Soft => "soft",
            Self::Complaint => "complaint",
            Self::Unsubscribe => "unsubscribe",
            Self::Manual => "manual",
            Self::Import => "import",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Bounce, Self::Soft, Self::Complaint, Self::Unsubscribe, Self::Manual, Self::Import]
            .into_iter()
            .find(|it| it.as_str() == text)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SuppressionQuery {
    /// Part of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SuppressionRow {
    /// Of scope and address; an address may be held back twice.
    pub id: String,
    pub address: String,
    pub scope: SuppressionScope,
    pub source: SuppressionSource,
    pub reason: Option<Reason>,
    /// What the other side said.
    pub evidence: Option<String>,
    /// The report that said it, as long as it is kept: an id of incoming mail, whose original is the raw report.
    pub report: Option<String>,
    /// What a colleague noted.
    pub note: Option<String>,
    /// Who entered it.
    pub by: Option<String>,
    pub created: Timestamp,
    /// Writes again from then on; absent means never by itself.
    pub expires: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewSuppression {
    pub address: String,
    pub scope: SuppressionScope,
    #[serde(default)]
    pub note: String,
}

/// Why an address is written to again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lift {
    pub address: String,
    pub scope: SuppressionScope,
    /// Why, up to 500 bytes; stands in the history and in the log.
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lifted {
    /// Line of the history; takes the lift back.
    pub event: String,
}

/// What became of a suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SuppressionStep {
    Added,
    /// By a person, with a reason.
    Lifted,
    /// A person wrote from the address.
    Answered,
    Expired,
    /// Its owner wants campaigns again.
    Resubscribed,
    /// A lift was taken back.
    Restored,
}

impl SuppressionStep {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Lifted => "lifted",
            Self::Answered => "answered",
            Self::Expired => "expired",
            Self::Resubscribed => "resubscribed",
            Self::Restored => "restored",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SuppressionHistoryQuery {
    /// Of this address only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Part of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SuppressionEvent {
    pub id: String,
    pub at: Timestamp,
    pub step: SuppressionStep,
    /// Who did it; absent when nobody had to.
    pub by: Option<String>,
    /// Why it was lifted.
    pub text: String,
    pub address: String,
    pub scope: SuppressionScope,
    pub source: SuppressionSource,
    pub reason: Option<Reason>,
    pub note: Option<String>,
}

/// Rows of a CSV file: `address,scope,note`, or what a header line names: those and `source`, `reason`, `created`,
/// `expires`, as the export writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportSuppressions {
    pub csv: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportedSuppressions {
    pub added: u32,
    /// Lines that name no address or an unknown scope, by number.
    pub wrong_lines: Vec<u32>,
}

crate::endpoints! {
    ListSuppressions: Get "/api/v1/suppressions" "Addresses we do not write to, newest first" { query: SuppressionQuery, body: () } -> Page<SuppressionRow>;
    CreateSuppression: Post "/api/v1/suppressions" "Do not write to an address any more" { query: (), body: NewSuppression } -> SuppressionRow;
    LiftSuppression: Post "/api/v1/suppressions/lift" "Write to an address again" { query: (), body: Lift } -> Lifted;
    ListSuppressionHistory: Get "/api/v1/suppressions/history" "Who was held back or written to again, when, by whom and why, newest first" { query: SuppressionHistoryQuery, body: () } -> Page<SuppressionEvent>;
    RestoreSuppression: Delete "/api/v1/suppressions/history/{event}" "Take a lift back" { query: (), body: () } -> ();
    ImportSuppressionList: Post "/api/v1/suppressions/import" "Add the addresses of a CSV file" { query: (), body: ImportSuppressions } -> ImportedSuppressions;
}
