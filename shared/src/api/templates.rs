//! Templates for mail to customers.

use serde::Deserialize;
use serde::Serialize;

use crate::id::RecordId;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TemplateRow {
    pub id: String,
    pub content: TemplateContent,
    /// Who changed it last.
    pub by: String,
    pub changed: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TemplateContent {
    /// What colleagues choose it by.
    pub name: String,
    /// Empty keeps the subject of the conversation.
    #[serde(default)]
    pub subject: String,
    /// With fields like `{{contact.name}}`.
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TemplatePreview {
    pub content: TemplateContent,
    /// The record it is filled from; absent takes the one with the newest message.
    #[serde(default)]
    pub record: Option<RecordId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FilledTemplate {
    pub subject: String,
    pub text: String,
    /// Title of the record it was filled from.
    pub record: String,
}

crate::endpoints! {
    ListTemplates: Get "/api/v1/templates" "Templates by name" { query: (), body: () } -> Vec<TemplateRow>;
    CreateTemplate: Post "/api/v1/templates" "Create a template" { query: (), body: TemplateContent } -> Vec<TemplateRow>;
    ChangeTemplate: Patch "/api/v1/templates/{id}" "Change a template" { query: (), body: TemplateContent } -> Vec<TemplateRow>;
    DeleteTemplate: Delete "/api/v1/templates/{id}" "Delete a template" { query: (), body: () } -> Vec<TemplateRow>;
    PreviewTemplate: Post "/api/v1/templates/preview" "Fill a template that is being written from a record" { query: (), body: TemplatePreview } -> FilledTemplate;
    FillTemplate: Get "/api/v1/records/{id}/templates/{template}" "Fill a template for a message on a record" { query: (), body: () } -> FilledTemplate;
}
