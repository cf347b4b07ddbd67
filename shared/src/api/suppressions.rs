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
    pub address: String,
    pub scope: SuppressionScope,
    pub source: SuppressionSource,
    pub reason: Option<Reason>,
    /// What the other side said.
    pub evidence: Option<String>,
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
    /// Why, up to 500 bytes; stands in the log.
    #[serde(default)]
    pub note: String,
}

/// Rows of a CSV file: `address,scope,note`, a header line or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportSuppressions {
    pub csv: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportedSuppressions {
    pub added: u32,
    /// Lines that name no address, by number.
    pub wrong_lines: Vec<u32>,
}

crate::endpoints! {
    ListSuppressions: Get "/api/v1/suppressions" "Addresses we do not write to, newest first" { query: SuppressionQuery, body: () } -> Page<SuppressionRow>;
    CreateSuppression: Post "/api/v1/suppressions" "Do not write to an address any more" { query: (), body: NewSuppression } -> SuppressionRow;
    LiftSuppression: Post "/api/v1/suppressions/lift" "Write to an address again" { query: (), body: Lift } -> ();
    ImportSuppressionList: Post "/api/v1/suppressions/import" "Add the addresses of a CSV file" { query: (), body: ImportSuppressions } -> ImportedSuppressions;
}
