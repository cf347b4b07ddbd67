//! People and companies we write with.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::address::EmailAddress;
use crate::id::ContactId;
use crate::time::Timestamp;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContactQuery {
    /// Part of a name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContactRow {
    pub id: ContactId,
    pub name: String,
    /// The first is used for sending.
    pub emails: Vec<EmailAddress>,
    pub internal: bool,
    pub records: u32,
    pub created: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EditContact {
    pub name: String,
    /// The first is used for sending.
    pub emails: Vec<String>,
}

crate::endpoints! {
    ListContacts: Get "/api/v1/contacts" "Contacts by name" { query: ContactQuery, body: () } -> Page<ContactRow>;
    CreateContact: Post "/api/v1/contacts" "New contact" { query: (), body: EditContact } -> ContactRow;
    ReadContact: Get "/api/v1/contacts/{id}" "One contact" { query: (), body: () } -> ContactRow;
    ChangeContact: Patch "/api/v1/contacts/{id}" "Change name and addresses" { query: (), body: EditContact } -> ContactRow;
}
