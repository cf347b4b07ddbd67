//! Templates for mail to customers.

use mailroom_shared::api::templates::ChangeTemplate;
use mailroom_shared::api::templates::CreateTemplate;
use mailroom_shared::api::templates::DeleteTemplate;
use mailroom_shared::api::templates::FillTemplate;
use mailroom_shared::api::templates::FilledTemplate;
use mailroom_shared::api::templates::ListTemplates;
use mailroom_shared::api::templates::PreviewTemplate;
use mailroom_shared::api::templates::TemplateContent;
use mailroom_shared::api::templates::TemplatePreview;
use mailroom_shared::api::templates::TemplateRow;
use mailroom_shared::id::RecordId;

use super::Cache;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

const TEMPLATES: &str = "templates";

pub fn use_templates() -> Read<Vec<TemplateRow>> {
    read::<ListTemplates>(vec![TEMPLATES.to_owned()], || Some(api::address::<ListTemplates>(&[], &())))
}

/// Makes one, or changes that with the id.
pub async fn save_template(cache: Cache, id: Option<&str>, it: &TemplateContent) -> Result<Vec<TemplateRow>, ApiError> {
    let answer = match id {
        Some(id) => api::call::<ChangeTemplate>(&[id], &(), it).await,
        None => api::call::<CreateTemplate>(&[], &(), it).await,
    };
    cache.settle(answer, &[TEMPLATES])
}

pub async fn delete_template(cache: Cache, id: &str) -> Result<Vec<TemplateRow>, ApiError> {
    cache.settle(api::call::<DeleteTemplate>(&[id], &(), &()).await, &[TEMPLATES])
}

pub async fn preview_template(content: TemplateContent) -> Result<FilledTemplate, ApiError> {
    api::call::<PreviewTemplate>(&[], &(), &TemplatePreview { content, record: None }).await
}

pub async fn fill_template(record: RecordId, template: &str) -> Result<FilledTemplate, ApiError> {
    api::call::<FillTemplate>(&[record.as_str(), template], &(), &()).await
}
