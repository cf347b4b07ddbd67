//! Addresses we do not write to.

use axum::extract::Request;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Method;
use mailroom_shared::api::Page;
use mailroom_shared::api::suppressions::CreateSuppression;
use mailroom_shared::api::suppressions::ImportSuppressionList;
use mailroom_shared::api::suppressions::ImportedSuppressions;
use mailroom_shared::api::suppressions::LiftSuppression;
use mailroom_shared::api::suppressions::Lifted;
use mailroom_shared::api::suppressions::ListSuppressionHistory;
use mailroom_shared::api::suppressions::ListSuppressions;
use mailroom_shared::api::suppressions::RestoreSuppression;
use mailroom_shared::api::suppressions::SuppressionEvent;
use mailroom_shared::api::suppressions::SuppressionQuery;
use mailroom_shared::api::suppressions::SuppressionRow;
use mailroom_shared::api::suppressions::SuppressionScope;
use mailroom_shared::api::suppressions::SuppressionSource;
use mailroom_shared::api::tag;
use mailroom_shared::log::Kind;
use mailroom_shared::outbox::failure::Reason;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Access;
use super::AppState;
use super::endpoint::Call;
use super::endpoint::Routes;
use super::endpoint::Shared;
use super::endpoint::authorise;
use super::local;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::Answers;
use crate::store::logs;
use crate::store::suppressions;
use crate::store::suppressions::Entered;

/// Rows of an exported file.
const MAX_EXPORT: u32 = 50_000;
/// Rows of one batch while importing.
const CHUNK: usize = 500;
const MAX_NOTE: usize = 500;

pub(super) async fn list(call: Call<ListSuppressions>) -> AppResult<Page<SuppressionRow>> {
    Ok(suppressions::list(&call.app, &call.query, 200).await?)
}

fn note_of(text: &str) -> AppResult<String> {
    let note = text.trim();
    if note.len() > MAX_NOTE {
        return Err(AppError::field("note", "too_long"));
    }
    Ok(note.to_owned())
}

pub(super) async fn create(call: Call<CreateSuppression>) -> AppResult<SuppressionRow> {
    let body = &call.body;
    let address = EmailAddress::parse(body.address.trim()).map_err(|_| AppError::field("address", "address"))?;
    let now = call.app.now();
    let entry = Entered {
        key: address.key(),
        address: address.as_str().to_owned(),
        scope: body.scope.as_str(),
        source: SuppressionSource::Manual.as_str(),
        note: Some(note_of(&body.note)?).filter(|it| !it.is_empty()),
        reason: None,
        created: now.as_millis(),
        expires: None,
    };
    call.app.db.batch(suppressions::enter(&[entry], &call.me()?.name, now).into()).await?;
    call.stale(vec![tag::SUPPRESSIONS.to_owned()]);
    suppressions::read(&call.app, &address.key(), body.scope).await?.ok_or_else(AppError::not_found)
}

#[derive(Deserialize)]
struct EventId {
    id: u32,
}

/// Nobody lifts without a word: the next who wonders finds it in the history.
pub(super) async fn lift(call: Call<LiftSuppression>) -> AppResult<Lifted> {
    let address = EmailAddress::parse(call.body.address.trim()).map_err(|_| AppError::field("address", "address"))?;
    let note = note_of(&call.body.note)?;
    if note.is_empty() {
        return Err(AppError::field("note", "required"));
    }
    let (key, by, now) = (address.key(), call.me()?.name.clone(), call.app.now());
    let statements = suppressions::lift(&key, call.body.scope, &note, &by, now);
    let mut answers = Answers::new(call.app.db.batch(statements.into()).await?);
    let event = answers.one::<EventId>()?.ok_or_else(AppError::not_found)?;
    call.app.run(logs::note(Kind::Unsuppressed, &key, None, &note, Some(&by), now)).await?;
    call.stale(vec![tag::SUPPRESSIONS.to_owned()]);
    Ok(Lifted { event: event.id.to_string() })
}

pub(super) async fn history(call: Call<ListSuppressionHistory>) -> AppResult<Page<SuppressionEvent>> {
    Ok(suppressions::history(&call.app, &call.query).await?)
}

/// Takes a lift back.
pub(super) async fn restore(call: Call<RestoreSuppression>) -> AppResult<()> {
    let event: u32 = call.path(0).parse().map_err(|_| AppError::not_found())?;
    let statements = suppressions::restore(event, &call.me()?.name, call.app.now());
    let mut answers = Answers::new(call.app.db.batch(statements.into()).await?);
    if answers.changes() == 0 {
        return Err(AppError::not_found());
    }
    call.stale(vec![tag::SUPPRESSIONS.to_owned()]);
    Ok(())
}

/// Where the columns of a file are: as its first line names them, or address, scope, note.
struct Columns(Vec<String>);

impl Columns {
    const NAMES: [&str; 7] = ["address", "scope", "note", "source", "reason", "created", "expires"];

    fn plain() -> Self {
        Self(Self::NAMES.iter().take(3).map(|it| (*it).to_owned()).collect())
    }

    fn named(line: &csv::StringRecord) -> Self {
        Self(line.iter().map(|it| it.trim().trim_start_matches('\u{feff}').to_ascii_lowercase()).collect())
    }

    /// The text of a column, without what keeps spreadsheets from taking it for a formula.
    fn get<'a>(&self, line: &'a csv::StringRecord, name: &str) -> &'a str {
        let place = self.0.iter().position(|it| it == name);
        let cell = place.and_then(|it| line.get(it)).unwrap_or_default().trim();
        match cell.strip_prefix('\'') {
            Some(rest) if rest.starts_with(FORMULA) => rest,
            _ => cell,
        }
    }

    /// Nothing when the line names no address or an unknown scope.
    fn entry(&self, line: &csv::StringRecord, now: Timestamp) -> Option<Entered> {
        let address = EmailAddress::parse(self.get(line, "address").trim_start_matches('\u{feff}')).ok()?;
        let scope = match self.get(line, "scope").to_ascii_lowercase().as_str() {
            "" | "all" => SuppressionScope::All,
            "campaigns" => SuppressionScope::Campaigns,
            _ => return None,
        };
        let note: String = self.get(line, "note").chars().take(MAX_NOTE).collect();
        let time = |name| Timestamp::parse_rfc3339(self.get(line, name)).map(Timestamp::as_millis);
        let source = SuppressionSource::parse(self.get(line, "source")).unwrap_or(SuppressionSource::Import);
        Some(Entered {
            key: address.key(),
            address: address.as_str().to_owned(),
            scope: scope.as_str(),
            source: source.as_str(),
            note: Some(note).filter(|it| !it.is_empty()),
            reason: Reason::parse(self.get(line, "reason")).map(Reason::as_str),
            created: time("created").filter(|it| *it <= now.as_millis()).unwrap_or(now.as_millis()),
            expires: time("expires"),
        })
    }
}

pub(super) async fn import(call: Call<ImportSuppressionList>) -> AppResult<ImportedSuppressions> {
    let (me, now) = (call.me()?, call.app.now());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(call.body.csv.as_bytes());
    let (mut entries, mut wrong_lines, mut columns) = (Vec::new(), Vec::new(), Columns::plain());
    for (i, line) in reader.records().enumerate() {
        let entry = line.as_ref().ok().and_then(|it| columns.entry(it, now));
        match (entry, line) {
            (Some(entry), _) => entries.push(entry),
            // A line with names of columns is no mistake.
            (None, Ok(line)) if i == 0 && !line.iter().any(|it| it.contains('@')) => {
                let named = Columns::named(&line);
                if named.0.iter().any(|it| it == "address") {
                    columns = named;
                }
            }
            (None, _) => wrong_lines.push(i as u32 + 1),
        }
    }
    // Of two lines about one address the last counts, as it would line by line.
    let mut seen = std::collections::HashSet::new();
    entries.reverse();
    entries.retain(|it| seen.insert((it.key.clone(), it.scope)));
    let added = entries.len() as u32;
    for chunk in entries.chunks(CHUNK) {
        // Chunk by chunk: adding an address again changes nothing, so a broken import is simply repeated.
        call.app.db.batch(suppressions::enter(chunk, &me.name, now).into()).await?;
    }
    call.stale(vec![tag::SUPPRESSIONS.to_owned()]);
    Ok(ImportedSuppressions { added, wrong_lines })
}

const CSV: &str = "/api/v1/suppressions.csv";

pub(super) fn routes(routes: Routes) -> Routes {
    let exporting = get(|State(shared): AppState, request: Request| {
        local(async move { export(shared, request).await.unwrap_or_else(IntoResponse::into_response) })
    });
    routes.hand(Method::Get, CSV, Some(Access::User), exporting)
}

/// All of them as `address,scope,note,source,reason,created,expires`.
async fn export(shared: Shared, request: Request) -> AppResult<Response> {
    authorise(&shared.app, request.headers(), Access::User, Method::Get, CSV).await?;
    let query = SuppressionQuery { limit: Some(MAX_EXPORT), ..SuppressionQuery::default() };
    let page = suppressions::list(&shared.app, &query, MAX_EXPORT).await?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |e: csv::Error| AppError::new(mailroom_shared::api::ProblemCode::Internal).detail(e.to_string());
    writer.write_record(Columns::NAMES).map_err(broken)?;
    for row in page.items {
        let (created, expires) = (row.created.to_rfc3339(), row.expires.map(|it| it.to_rfc3339()).unwrap_or_default());
        let reason = row.reason.map_or("", mailroom_shared::outbox::failure::Reason::as_str);
        let note = row.note.unwrap_or_default();
        let fields = [&row.address, row.scope.as_str(), &note, row.source.as_str(), reason, &created, &expires];
        writer.write_record(fields.map(unformula)).map_err(broken)?;
    }
    let bytes = writer.into_inner().unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"suppressions.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, bytes).into_response())
}

/// How a cell begins that a spreadsheet takes for a formula.
const FORMULA: [char; 5] = ['=', '+', '-', '@', '\t'];

/// A cell that a spreadsheet would take for a formula is text.
pub(super) fn unformula(cell: &str) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell.to_owned() }
}
