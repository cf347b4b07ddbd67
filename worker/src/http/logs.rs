//! The log, its day files, and what became of a mail.

use std::collections::VecDeque;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use mailroom_shared::api::Method;
use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::emails::EmailFilter;
use mailroom_shared::api::emails::EmailQuery;
use mailroom_shared::api::emails::EmailRow;
use mailroom_shared::api::incoming::IncomingQuery;
use mailroom_shared::api::incoming::IncomingRow;
use mailroom_shared::api::logs::ListLogFiles;
use mailroom_shared::api::logs::ListLogs;
use mailroom_shared::api::logs::LogFile;
use mailroom_shared::api::logs::MailAnswer;
use mailroom_shared::api::logs::MailHit;
use mailroom_shared::api::logs::MailOutcome;
use mailroom_shared::api::logs::SearchMails;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::Role;
use mailroom_shared::log::Direction;
use mailroom_shared::log::day_begin;
use mailroom_shared::log::line::LogLine;
use mailroom_shared::log::mask_text;
use mailroom_shared::log::part_key;
use mailroom_shared::log::question;
use mailroom_shared::log::question::Question;
use mailroom_shared::time::Span;

use super::Access;
use super::AppState;
use super::endpoint::Call;
use super::endpoint::Routes;
use super::endpoint::Shared;
use super::endpoint::authorise;
use super::local;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store;
use crate::store::incoming;
use crate::store::logs;
use crate::store::queue;
use crate::store::sight::Sight;

/// Days that are listed.
const FILES: u32 = 400;
/// Mails of an answer, of each direction.
const MAILS: u32 = 20;

/// Whether somebody sees addresses in full.
pub(super) fn sees_addresses(me: &Me) -> bool {
    matches!(me.role, Role::Administrator | Role::Agent)
}

pub(super) async fn list(call: Call<ListLogs>) -> AppResult<Page<LogLine>> {
    must_see_all(call.sight()?)?;
    let mut page = logs::list(&call.app, &call.query).await?;
    if !sees_addresses(call.me()?) {
        page.items = page.items.into_iter().map(LogLine::masked).collect();
    }
    Ok(page)
}

pub(super) async fn files(call: Call<ListLogFiles>) -> AppResult<Vec<LogFile>> {
    must_see_all(call.sight()?)?;
    let files: Vec<logs::File> = store::decode(call.app.run(logs::files(FILES)).await?)?;
    Ok(files
        .into_iter()
        .filter_map(|it| {
            let begins = day_begin(&it.day)?;
            Some(LogFile {
                begins,
                ends: begins + Span::days(1),
                lines: it.lines,
                bytes: it.bytes as u64,
                complete: it.closed.is_some(),
                day: it.day,
            })
        })
        .collect())
}

const DAY_FILE: &str = "/api/v1/logs/files/{day}";

pub(super) fn routes(routes: Routes) -> Routes {
    let downloading = get(|State(shared): AppState, Path(day): Path<String>, request: Request| {
        local(async move { download(shared, &day, request).await.unwrap_or_else(IntoResponse::into_response) })
    });
    routes.hand(Method::Get, DAY_FILE, Some(Access::Administrator), downloading)
}

/// The log tells of everything: who does not see every record type does not see it.
fn must_see_all(sight: &Sight) -> AppResult<()> {
    if sight.is_all() { Ok(()) } else { Err(AppError::new(ProblemCode::Forbidden)) }
}

/// A day as one file, its parts one behind the other.
async fn download(shared: Shared, day: &str, request: Request) -> AppResult<Response> {
    // Addresses stand in it in full.
    let caller = authorise(&shared.app, request.headers(), Access::Administrator, Method::Get, DAY_FILE).await?;
    must_see_all(&caller.ok_or_else(AppError::not_found)?.sight)?;
    let file = logs::file(&shared.app, day).await?.ok_or_else(AppError::not_found)?;
    let keys: VecDeque<String> = (0..file.parts).map(|part| part_key(&file.day, part)).collect();
    let app = shared.app;
    let parts = futures::stream::unfold(keys, move |mut keys| {
        let app = std::sync::Arc::clone(&app);
        worker::send::SendFuture::new(async move {
            let key = keys.pop_front()?;
            // A part that is gone must not look like a short day.
            let part = match app.blobs.get(&key).await {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(std::io::Error::other(format!("{key} is gone"))),
                Err(error) => Err(std::io::Error::other(error.to_string())),
            };
            Some((part, keys))
        })
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"mailroom-{}.jsonl\"", file.day)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// Reads the question, then both journals.
pub(super) async fn search(call: Call<SearchMails>) -> AppResult<MailAnswer> {
    let app = &call.app;
    let offset = call.query.offset.clamp(-14 * 60, 14 * 60);
    let question = question::read(&call.query.q, app.now(), offset);
    let is_plain = question.since.is_none();
    let (mut mails, mut is_nearest) = (find(app, &question, call.sight()?).await?, false);
    // Somebody who remembers the time a little wrong is not told that there was nothing.
    if mails.is_empty() && !is_plain && (question.address.is_some() || !question.words.is_empty()) {
        let anywhen = Question { since: None, until: None, ..question.clone() };
        mails = find(app, &anywhen, call.sight()?).await?;
        if let Some(at) = question.at.or(question.since) {
            mails.sort_by_key(|it| (it.at - at).as_millis().abs());
            mails.truncate(5);
        }
        is_nearest = !mails.is_empty();
    }
    if !sees_addresses(call.me()?) {
        for it in &mut mails {
            it.from = mask_text(&it.from);
            it.to = mask_text(&it.to);
            if let MailOutcome::Out { answer: Some(answer), .. } = &mut it.outcome {
                *answer = mask_text(answer);
            }
        }
    }
    Ok(MailAnswer { question, mails, is_nearest })
}

async fn find(app: &App, question: &Question, sight: &Sight) -> AppResult<Vec<MailHit>> {
    let wanted = question.message_id.clone().or_else(|| question.address.clone());
    let q = wanted.or_else(|| Some(question.words.clone()).filter(|it| !it.is_empty()));
    if q.is_none() && question.since.is_none() && question.record.is_none() {
        return Ok(Vec::new());
    }
    let mut mails = Vec::new();
    let record = match &question.record {
        Some(number) => Some(logs::record_of_number(app, number).await?.unwrap_or_default()),
        None => None,
    };
    if question.direction != Some(Direction::Out) {
        let query = IncomingQuery {
            q: q.clone(),
            since: question.since,
            until: question.until,
            limit: Some(if record.is_some() { 200 } else { MAILS }),
            ..IncomingQuery::default()
        };
        mails.extend(incoming::list(app, &query, sight).await?.items.into_iter().map(came_in));
    }
    if question.direction != Some(Direction::In) && question.message_id.is_none() {
        let query = EmailQuery {
            filter: Some(EmailFilter::All),
            q: q.clone(),
            since: question.since,
            until: question.until,
            limit: Some(if record.is_some() { 200 } else { MAILS }),
            ..EmailQuery::default()
        };
        mails.extend(queue::list(app, &query, sight).await?.items.into_iter().map(went_out));
    }
    if let Some(id) = question.message_id.as_ref().filter(|_| question.direction != Some(Direction::In)) {
        mails.extend(queue::of_rfc_id(app, id).await?.into_iter().map(went_out));
    }
    if !sight.is_all() {
        let ids = mails.iter().filter_map(|it| it.record.as_ref()).map(|it| it.as_str().to_owned()).collect();
        let seen = sight.of_records(app, ids).await?;
        mails.retain(|it| it.record.as_ref().is_none_or(|it| seen.iter().any(|id| id == it.as_str())));
    }
    if let Some(record) = record {
        mails.retain(|it| it.record.as_ref().is_some_and(|it| it.as_str() == record));
    }
    mails.sort_by_key(|it| std::cmp::Reverse(it.at));
    mails.truncate(MAILS as usize);
    Ok(mails)
}

fn came_in(it: IncomingRow) -> MailHit {
    MailHit {
        trace: it.id,
        at: it.at,
        from: if it.from.is_empty() { it.mail_from } else { it.from },
        to: it.rcpt_to,
        subject: it.subject,
        outcome: MailOutcome::In { fate: it.fate, reason: it.reason },
        record: it.record,
        record_number: it.record_number,
    }
}

fn went_out(it: EmailRow) -> MailHit {
    MailHit {
        trace: it.message.as_str().to_owned(),
        at: it.created,
        from: it.sender,
        to: it.recipient,
        subject: it.subject,
        outcome: MailOutcome::Out { state: it.state, wait: it.wait, answer: it.last_answer, server: it.server },
        record: it.record,
        record_number: it.record_number,
    }
}
