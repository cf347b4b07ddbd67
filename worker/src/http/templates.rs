//! Templates for mail to customers.

use mailroom_shared::api::records::RecordView;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::templates::ChangeTemplate;
use mailroom_shared::api::templates::CreateTemplate;
use mailroom_shared::api::templates::DeleteTemplate;
use mailroom_shared::api::templates::FillTemplate;
use mailroom_shared::api::templates::FilledTemplate;
use mailroom_shared::api::templates::ListTemplates;
use mailroom_shared::api::templates::PreviewTemplate;
use mailroom_shared::api::templates::TemplateContent;
use mailroom_shared::api::templates::TemplateRow;
use mailroom_shared::campaign::merge::MergeError;
use mailroom_shared::template;
use mailroom_shared::template::Values;

use super::endpoint::Call;
use super::session::must_exist;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::templates;

const MAX_NAME: usize = 100;
const MAX_SUBJECT: usize = 300;
const MAX_TEXT: usize = 20_000;

pub(super) async fn list(call: Call<ListTemplates>) -> AppResult<Vec<TemplateRow>> {
    Ok(templates::list(&call.app).await?)
}

/// A field nobody knows is an error that names it.
fn check_fields(it: &TemplateContent) -> AppResult<()> {
    for (field, text) in [("subject", &it.subject), ("text", &it.text)] {
        match template::check(text) {
            Ok(()) => {}
            Err(MergeError::Unknown(name)) => {
                return Err(AppError::field_with(field, "template_unknown", &[("name", &name)]));
            }
            Err(MergeError::Unclosed(near)) => {
                return Err(AppError::field_with(field, "template_unclosed", &[("near", &near)]));
            }
        }
    }
    Ok(())
}

fn check(it: &TemplateContent) -> AppResult<()> {
    let mut wrong = Vec::new();
    for (field, text, most) in
        [("name", &it.name, MAX_NAME), ("subject", &it.subject, MAX_SUBJECT), ("text", &it.text, MAX_TEXT)]
    {
        if field != "subject" && text.trim().is_empty() {
            wrong.push((field, "required"));
        }
        if text.chars().count() > most {
            wrong.push((field, "too_long"));
        }
    }
    if wrong.is_empty() { check_fields(it) } else { Err(AppError::fields(wrong)) }
}

pub(super) async fn create(call: Call<CreateTemplate>) -> AppResult<Vec<TemplateRow>> {
    let app = &call.app;
    check(&call.body)?;
    app.run(templates::insert(&app.new_id(), &call.body, &call.me()?.name, app.now())).await?;
    Ok(templates::list(app).await?)
}

pub(super) async fn change(call: Call<ChangeTemplate>) -> AppResult<Vec<TemplateRow>> {
    let app = &call.app;
    check(&call.body)?;
    let done = app.run(templates::update(call.path(0), &call.body, &call.me()?.name, app.now())).await?;
    if done.changes == 0 {
        return Err(AppError::not_found());
    }
    Ok(templates::list(app).await?)
}

pub(super) async fn delete(call: Call<DeleteTemplate>) -> AppResult<Vec<TemplateRow>> {
    call.app.run(templates::delete(call.path(0))).await?;
    Ok(templates::list(&call.app).await?)
}

fn filled(it: &TemplateContent, record: &RecordView, me: &Me) -> FilledTemplate {
    let values = Values {
        title: &record.title,
        number: &record.number,
        stage: record.stage.as_deref().unwrap_or_default(),
        contact: record.customer_name.as_deref().unwrap_or_default(),
        contact_email: record.email.as_ref().map_or("", |it| it.as_str()),
        user: &me.name,
        user_email: me.email.as_str(),
    };
    FilledTemplate {
        subject: template::fill(&it.subject, &values),
        text: template::fill(&it.text, &values),
        record: record.title.clone(),
    }
}

pub(super) async fn preview(call: Call<PreviewTemplate>) -> AppResult<FilledTemplate> {
    let app = &call.app;
    let me = call.me()?;
    check_fields(&call.body.content)?;
    let record = match &call.body.record {
        Some(id) => Some(id.clone()),
        None => templates::newest_record(app, call.sight()?, me.user.as_str()).await?,
    };
    let record = record.ok_or_else(|| AppError::field("record", "required"))?;
    Ok(filled(&call.body.content, &must_exist(app, record.as_str(), call.caller()?).await?, me))
}

pub(super) async fn fill(call: Call<FillTemplate>) -> AppResult<FilledTemplate> {
    let app = &call.app;
    let record = must_exist(app, call.path(0), call.caller()?).await?;
    let it = templates::read(app, call.path(1)).await?.ok_or_else(AppError::not_found)?;
    Ok(filled(&it.content, &record, call.me()?))
}
