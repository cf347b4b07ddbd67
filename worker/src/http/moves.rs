//! A mail after it came: moving it to the record it answers, how it came, mails that came as files.

use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::messages::AttachedMail;
use mailroom_shared::api::messages::MoveMessage;
use mailroom_shared::api::messages::OriginView;
use mailroom_shared::api::messages::ReadAttachedMail;
use mailroom_shared::api::messages::ReadOrigin;
use mailroom_shared::api::tag;
use mailroom_shared::mail::html;
use mailroom_shared::mail::parse;

use super::endpoint::Call;
use super::endpoint::found;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::incoming;
use crate::store::ingests;
use crate::store::messages;
use crate::store::moves;
use crate::store::records;

/// Moves a mail that came in to another record, or takes its suggestion away.
pub(super) async fn move_message(call: Call<MoveMessage>) -> AppResult<()> {
    let app = &call.app;
    let me = call.me()?;
    let id = call.path(0);
    call.must_see_message(id).await?;
    let source = messages::source(app, id).await?.ok_or_else(AppError::not_found)?;
    let from = source.record_id.as_str();
    let mut tags = vec![tag::record(from), tag::RECORDS.to_owned(), tag::SHELL.to_owned(), tag::INCOMING.to_owned()];
    match &call.body.record {
        None => {
            app.run(moves::forget_suggestion(id)).await?;
        }
        Some(to) => {
            call.must_see_record(to.as_str()).await.map_err(|_| AppError::field("record", "unknown"))?;
            if source.raw_key.is_none() {
                return Err(AppError::new(ProblemCode::WrongState).detail("only mail that came in can be moved"));
            }
            if to.as_str() == from || records::newest_message(app, to.as_str()).await?.is_none() {
                return Err(AppError::field("record", "unknown"));
            }
            let number = |label: Option<(String, String)>| label.map(|(number, _)| number).unwrap_or_default();
            let (old, new) =
                (number(records::label(app, from).await?), number(records::label(app, to.as_str()).await?));
            let author = (me.contact.as_str(), me.name.as_str());
            let line = |record: &str, key: &str, args: &[(&str, &str)]| {
                messages::insert(&messages::system_line(&app.new_id(), record, Some(author), key, args), app.now())
            };
            let mut statements = moves::move_message(id, from, to.as_str());
            statements.push(line(to.as_str(), "message_moved_here", &[("from", &old)]));
            statements.push(line(from, "message_moved_away", &[("to", &new)]));
            // A record that the mail alone had made is gone with it.
            statements.push(moves::close_empty(from));
            app.db.batch(statements).await?;
            tags.push(tag::record(to.as_str()));
        }
    }
    call.stale(tags);
    Ok(())
}

pub(super) async fn origin(call: Call<ReadOrigin>) -> AppResult<OriginView> {
    let app = &call.app;
    call.must_see_message(call.path(0)).await?;
    let lang = call.lang()?;
    let message = messages::read(app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    let ingest = ingests::id_of_message(app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    let (id, verdict) = incoming::verdict_of(app, &ingest).await?.ok_or_else(AppError::not_found)?;
    let record = verdict.routes.first().and_then(|it| it.record.as_ref()).map(|it| it.as_str().to_owned());
    let number = match &record {
        Some(record) => records::label(app, record).await?.map(|(number, _)| number),
        None => None,
    };
    let checks = verdict.authentication;
    Ok(OriginView {
        spf: incoming::word(checks.spf),
        dkim: incoming::word(checks.dkim),
        dmarc: incoming::word(checks.dmarc),
        from_trusted: checks.from_trusted,
        alias: message.delivered_to,
        why: verdict.why.into_iter().map(|it| it.naming(record.as_deref(), number.as_deref()).say(lang)).collect(),
        incoming: Some(id),
    })
}

/// Opens an attached mail; never more than its text, its head and the names of its files.
pub(super) async fn attached(call: Call<ReadAttachedMail>) -> AppResult<AttachedMail> {
    let app = &call.app;
    found(call.sight()?.sees_attachment(app, call.path(0)).await?)?;
    let file = messages::attachment(app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    let is_mail = file.content_type == "message/rfc822" || file.name.to_ascii_lowercase().ends_with(".eml");
    if !is_mail {
        return Err(AppError::new(ProblemCode::WrongState).detail("it is no mail"));
    }
    let raw = app.blobs.get(&messages::blob_key(&file.sha256)).await?.ok_or_else(AppError::not_found)?;
    let mail = parse::parse(&raw);
    Ok(AttachedMail {
        subject: mail.head.subject,
        from: mail.head.from,
        to: mail.head.to,
        cc: mail.head.cc,
        date: mail.head.date,
        text: mail.text,
        html: mail.html.as_deref().map(html::sanitise),
        files: mail.attachments.iter().filter(|it| !it.inline).map(|it| it.name.clone()).collect(),
    })
}
