//! Mailing lists and their members.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::id::MailingListId;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MailingListSettings {
    pub name: String,
    /// Shown to its members when they unsubscribe; a list that is not is left together with all others.
    #[serde(default)]
    pub public: bool,
    #[serde(default)]
    pub archived: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MailingListRow {
    pub id: MailingListId,
    pub settings: MailingListSettings,
    pub members: u32,
    /// Left the list.
    pub opted_out: u32,
    /// On the list, and suppressed elsewhere: bounced, complained, unsubscribed from all.
    pub suppressed: u32,
    /// Names of columns, `{{contact.<name>}}`.
    pub columns: Vec<String>,
    pub created: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemberQuery {
    /// Part of name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemberRow {
    pub address: String,
    pub name: String,
    pub fields: BTreeMap<String, String>,
    pub added: Timestamp,
    pub opted_out: Option<Timestamp>,
    /// Who opted it out; absent is the member.
    pub by: Option<String>,
    /// Suppressed for campaigns or for all mail.
    pub is_suppressed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewMember {
    pub address: String,
    #[serde(default)]
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberAct {
    OptOut,
    OptIn,
    Remove,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActOnMember {
    pub address: String,
    pub act: MemberAct,
}

/// A CSV file with or without names of columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportMembers {
    pub csv: String,
    /// Only say what would happen.
    #[serde(default)]
    pub preview: bool,
}

/// Why a line made no member; see `campaign::import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WrongLine {
    /// From 1.
    pub line: u32,
    /// `no_address`, `wrong_address`, `repeated`, `too_many`.
    pub problem: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportReport {
    /// New on the list.
    pub added: u32,
    /// Were on the list; name and columns are renewed, who left stays out.
    pub known: u32,
    pub columns: Vec<String>,
    /// The first contacts, as they were read.
    pub sample: Vec<NewMember>,
    /// The first 200 lines that were not taken.
    pub wrong: Vec<WrongLine>,
    pub n_wrong: u32,
}

crate::endpoints! {
    ListMailingLists: Get "/api/v1/mailing-lists" "Mailing lists by name" { query: (), body: () } -> Vec<MailingListRow>;
    CreateMailingList: Post "/api/v1/mailing-lists" "A new list" { query: (), body: MailingListSettings } -> MailingListRow;
    ChangeMailingList: Patch "/api/v1/mailing-lists/{id}" "Rename or archive a list" { query: (), body: MailingListSettings } -> MailingListRow;
    ListMembers: Get "/api/v1/mailing-lists/{id}/members" "Members by address" { query: MemberQuery, body: () } -> Page<MemberRow>;
    AddMember: Post "/api/v1/mailing-lists/{id}/members" "Put an address on a list" { query: (), body: NewMember } -> ();
    DoMemberAct: Post "/api/v1/mailing-lists/{id}/acts" "Opt a member out or in, or take it off the list" { query: (), body: ActOnMember } -> ();
    ImportMemberFile: Post "/api/v1/mailing-lists/{id}/import" "Put the contacts of a CSV file on a list" { query: (), body: ImportMembers } -> ImportReport;
}
