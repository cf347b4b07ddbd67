//! What surrounds every page: record types with counts, failures, whether mail flows.

use serde::Deserialize;
use serde::Serialize;

use crate::id::TypeName;
use crate::time::Timestamp;

/// A record type in the rail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TypeRow {
    pub name: TypeName,
    /// As the company calls it, one and many (`Ticket`, `Tickets`), in the user's language when it is a built-in type.
    pub label: String,
    pub label_plural: String,
    /// Icon name: `ticket`, `lead`, `order` or `record`.
    pub icon: String,
    /// Letters before the number: `T` makes `T00042`.
    pub prefix: String,
    /// In order.
    pub stages: Vec<String>,
    pub receives_mail: bool,
    /// Open records that wait for an answer from us.
    pub waiting: u32,
}

/// Rail counts and status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shell {
    pub types: Vec<TypeRow>,
    /// Records of any type that wait for an answer from us.
    pub inbox: u32,
    /// What the user who asks was told in Mailroom and has not read.
    pub told: u32,
    /// Deliveries that need a person (failed, bounced, complained, unknown).
    pub failures: u32,
    pub last_received: Option<Timestamp>,
    pub last_sent: Option<Timestamp>,
    /// Deliveries on their way now (outgoing, sending, deferred).
    pub outgoing: u32,
    /// Mails accepted whose processing is late or failed.
    pub unprocessed: u32,
    /// The daily limit that is nearest, of all servers that have one.
    pub limit: Option<DailyUse>,
    /// The Worker's clock, so that relative times agree.
    pub now: Timestamp,
}

/// Mails that left today, and how many may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DailyUse {
    pub used: u32,
    pub limit: u32,
}

/// `GET /api/health`, without login.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    pub ok: bool,
    pub version: String,
    /// Number of the newest migration applied.
    pub migration: u32,
    /// Number of the newest migration this build knows.
    pub migration_expected: u32,
    /// Each binding and secret with whether it is there.
    pub bindings: std::collections::BTreeMap<String, bool>,
}

crate::endpoints! {
    ReadHealth: Get "/api/health" "Version, migrations, bindings" { query: (), body: () } -> Health;
    ReadShell: Get "/api/v1/shell" "Rail counts and status" { query: (), body: () } -> Shell;
}
