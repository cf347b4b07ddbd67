//! Doctor: what DNS says about our domains and what the installation says about itself, in words.

use serde::Deserialize;
use serde::Serialize;

use crate::time::Timestamp;

/// How bad it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    #[default]
    Good,
    /// Could be better; nothing suffers.
    Hint,
    /// Some mail suffers, or will.
    Warning,
    /// Mail is lost or refused.
    Error,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    Receiving,
    Spf,
    Dkim,
    Dmarc,
    /// Whether what our servers send passes and is aligned.
    Sending,
    /// MTA-STS, TLS-RPT, BIMI.
    Extra,
}

impl Topic {
    pub const ALL: [Self; 6] = [Self::Receiving, Self::Spf, Self::Dkim, Self::Dmarc, Self::Sending, Self::Extra];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::Sending => "sending",
            Self::Extra => "extra",
        }
    }
}

/// A record to copy into the zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DnsRecord {
    /// `TXT`, `MX` or `CNAME`.
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub value: String,
}

/// One line of a check, in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FindingView {
    pub topic: Topic,
    pub severity: Severity,
    /// Stable name of the finding.
    pub code: String,
    /// What is seen.
    pub what: String,
    /// Why it matters and what to do.
    pub why: String,
    /// Records as DNS has them.
    pub seen: Vec<String>,
    /// Records as they should be.
    pub records: Vec<DnsRecord>,
}

/// A line of the SPF tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SpfLine {
    pub depth: u32,
    /// The term that led here; empty for the domain's own record.
    pub term: String,
    pub domain: String,
    /// The record, or empty.
    pub text: String,
    /// `ok`, `nothing`, `several`, `syntax`, `failed`, `loop`, `dynamic` or `cut`.
    pub state: String,
    /// Terms that ask DNS, here and below.
    pub lookups: u32,
}

/// A domain as it was last checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DomainReport {
    pub domain: String,
    pub checked: Timestamp,
    /// When a warning or error last came or went.
    pub changed: Option<Timestamp>,
    pub worst: Severity,
    pub findings: Vec<FindingView>,
    /// Terms that ask DNS in the worst case, of ten.
    pub spf_lookups: u32,
    pub spf_tree: Vec<SpfLine>,
}

/// One line about the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstallationCheck {
    /// Stable name of the check.
    pub code: String,
    pub severity: Severity,
    pub what: String,
    pub why: String,
}

/// The doctor page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Doctor {
    pub version: String,
    pub installation: Vec<InstallationCheck>,
    /// As last checked; a domain that never was is missing in it.
    pub domains: Vec<DomainReport>,
    /// Alias domains that were never checked.
    pub unchecked: Vec<String>,
    /// Address of the DNS over HTTPS resolver.
    pub resolver: String,
    /// The environment names it: it can't be changed here.
    pub resolver_is_fixed: bool,
}

/// Where DNS is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EditResolver {
    /// `https://` address (RFC 8484); empty takes the default.
    #[serde(default)]
    pub url: String,
}

/// A setting somebody changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingChange {
    pub at: Timestamp,
    pub by: String,
    /// `domain`, `alias`, `server`, `limits`, `retention`, `rules`, `dkim`, `action` or `resolver`.
    pub area: String,
    /// Which one: an address, a name; empty for the only one.
    pub item: String,
    /// What it was and what it became, as text without secrets; empty when it was not there.
    pub before: String,
    pub after: String,
}

/// What Mailroom knows of a mail, asked by Message-IDs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FactsQuery {
    /// Message-IDs, with or without angle brackets; those of mails it answers may follow its own.
    pub ids: Vec<String>,
}

/// One line of what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FactLine {
    pub at: Timestamp,
    /// `incoming`, `act`, `refused`, `ignored`, `delivery` or `event`.
    pub kind: String,
    /// Message-ID it is about.
    pub id: String,
    /// What happened, in the journal's own words.
    pub text: String,
    pub record: Option<crate::id::RecordId>,
}

/// All lines, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Facts {
    pub lines: Vec<FactLine>,
    /// Migration level of the database.
    pub migration: u32,
    pub version: String,
}

/// A time to look back to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Since {
    /// Days; 30 when absent.
    #[serde(default)]
    pub days: Option<u32>,
}

crate::endpoints! {
    ReadDoctor: Get "/api/v1/doctor" "The installation now, and each domain as last checked" { query: (), body: () } -> Doctor;
    CheckDomain: Post "/api/v1/doctor/domains/{name}" "Ask DNS about a domain now" { query: (), body: () } -> DomainReport;
    ChangeResolver: Patch "/api/v1/doctor/resolver" "Choose the DNS over HTTPS resolver" { query: (), body: EditResolver } -> EditResolver;
    ReadFacts: Post "/api/v1/support/facts" "What is known of a mail: came in, refused, sent, failed, by whom retried" { query: (), body: FactsQuery } -> Facts;
    ListSettingChanges: Get "/api/v1/setting-changes" "Settings that were changed lately" { query: Since, body: () } -> Vec<SettingChange>;
}
