//! Inbound addresses and their domains.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::address::EmailAddress;
use crate::id::AliasId;
use crate::id::RecordId;
use crate::id::TypeName;
use crate::id::UserId;
use crate::time::Timestamp;

/// Who may write to an alias.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContactRule {
    #[default]
    Everyone,
    /// A contact.
    Known,
    /// A follower of the target record, or of the parent when it creates.
    Followers,
    /// An address or `@domain` of the list.
    Listed,
}

impl ContactRule {
    pub const ALL: [Self; 4] = [Self::Everyone, Self::Known, Self::Followers, Self::Listed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Known => "known",
            Self::Followers => "followers",
            Self::Listed => "listed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// What happens to those the rule does not let in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleOutcome {
    #[default]
    Refuse,
    Hold,
}

impl RuleOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Hold => "hold",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Refuse, Self::Hold].into_iter().find(|it| it.as_str() == text)
    }
}

/// Whether an alias is known to work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AliasState {
    #[default]
    NotTested,
    Valid,
    Failing,
}

impl AliasState {
    pub const ALL: [Self; 3] = [Self::NotTested, Self::Valid, Self::Failing];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotTested => "not_tested",
            Self::Valid => "valid",
            Self::Failing => "failing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AliasRow {
    pub id: AliasId,
    pub address: EmailAddress,
    /// Creates records of this type …
    pub creates: Option<TypeName>,
    /// … or appends to this record.
    pub record: Option<RecordId>,
    pub record_number: Option<String>,
    pub record_title: Option<String>,
    pub contact_rule: ContactRule,
    /// Addresses and `@domain`s, with the rule `listed`.
    pub listed: Vec<String>,
    pub outcome: RuleOutcome,
    /// Own words of a refusal.
    pub refusal_text: Option<String>,
    /// Responsible for new records.
    pub owner: Option<UserId>,
    pub owner_name: Option<String>,
    pub state: AliasState,
    pub failing_since: Option<Timestamp>,
    pub received: u32,
    pub last_received: Option<Timestamp>,
    /// Values of the records it makes, by field; `title`, `stage` and `email` are fields too.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// Takes its local part at every other domain too.
    #[serde(default)]
    pub any_domain: bool,
    /// The record whose followers may write, for an alias that makes records.
    #[serde(default)]
    pub parent: Option<RecordId>,
    /// Further addresses, on other domains for example.
    #[serde(default)]
    pub also: Vec<EmailAddress>,
    /// Addresses it had before; they work until their conversations are quiet.
    #[serde(default)]
    pub former: Vec<EmailAddress>,
    /// Its domain is no longer ours: it takes no mail.
    #[serde(default)]
    pub is_orphan: bool,
}

/// A new alias, or all editable fields of an existing one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EditAlias {
    pub address: String,
    /// Exactly one of `creates` and `record`.
    #[serde(default)]
    pub creates: Option<TypeName>,
    #[serde(default)]
    pub record: Option<RecordId>,
    #[serde(default)]
    pub contact_rule: ContactRule,
    #[serde(default)]
    pub listed: Vec<String>,
    #[serde(default)]
    pub outcome: RuleOutcome,
    #[serde(default)]
    pub refusal_text: Option<String>,
    #[serde(default)]
    pub owner: Option<UserId>,
    /// Values of the records it makes, by field; `title`, `stage` and `email` are fields too.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    #[serde(default)]
    pub any_domain: bool,
    /// Followers of this record may write, with the rule `followers` and an alias that makes records.
    #[serde(default)]
    pub parent: Option<RecordId>,
    /// Further addresses, on other domains for example.
    #[serde(default)]
    pub also: Vec<String>,
    /// Addresses it had before and that should go on working; absent keeps all.
    #[serde(default)]
    pub former: Option<Vec<String>>,
}

/// An alias domain with its special local parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DomainRow {
    pub name: crate::address::Domain,
    pub catchall: String,
    pub bounce: String,
    pub default_from: String,
    /// Aliases at it.
    #[serde(default)]
    pub aliases: u32,
}

/// A new domain, or the special addresses of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EditDomain {
    /// Not changed afterwards.
    #[serde(default)]
    pub name: String,
    /// Local part; empty: none.
    #[serde(default)]
    pub catchall: String,
    /// Local part.
    #[serde(default)]
    pub bounce: String,
    /// Local part, or a whole address.
    #[serde(default)]
    pub default_from: String,
}

/// A provider's request to confirm a forwarding to this alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfirmationView {
    pub provider: String,
    /// The mailbox that wants to forward.
    pub account: Option<String>,
    pub code: Option<String>,
    pub link: Option<String>,
    pub at: Timestamp,
    pub record: Option<RecordId>,
}

/// The alias page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AliasView {
    pub alias: AliasRow,
    /// Of the last week.
    pub confirmations: Vec<ConfirmationView>,
}

crate::endpoints! {
    ListAliases: Get "/api/v1/aliases" "Inbound addresses" { query: (), body: () } -> Vec<AliasRow>;
    CreateAlias: Post "/api/v1/aliases" "New alias" { query: (), body: EditAlias } -> AliasRow;
    ChangeAlias: Patch "/api/v1/aliases/{id}" "Change an alias" { query: (), body: EditAlias } -> AliasRow;
    ReadAlias: Get "/api/v1/aliases/{id}" "One alias, with confirmations that came by it" { query: (), body: () } -> AliasView;
    DeleteAlias: Delete "/api/v1/aliases/{id}" "Delete an alias" { query: (), body: () } -> ();
    ListDomains: Get "/api/v1/domains" "Alias domains" { query: (), body: () } -> Vec<DomainRow>;
    CreateDomain: Post "/api/v1/domains" "New alias domain" { query: (), body: EditDomain } -> DomainRow;
    ChangeDomain: Patch "/api/v1/domains/{name}" "Change the special addresses of a domain" { query: (), body: EditDomain } -> DomainRow;
    DeleteDomain: Delete "/api/v1/domains/{name}" "Remove a domain; its aliases take no mail any more" { query: (), body: () } -> ();
}
