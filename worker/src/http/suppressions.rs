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
use mailroom_shared::api::suppressions::ListSuppressions;
use mailroom_shared::api::suppressions::SuppressionQuery;
use mailroom_shared::api::suppressions::SuppressionRow;
use mailroom_shared::api::suppressions::SuppressionScope;
use mailroom_shared::api::suppressions::SuppressionSource;
use mailroom_shared::api::tag;
use mailroom_shared::log::Kind;

use super::Access;
use super::AppState;
use super::endpoint::Call;
use super::endpoint::Routes;
use super::endpoint::Shared;
use super::endpoint::authorise;
use super::local;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::logs;
use crate::store::suppressions;

/// Rows of an exported file.
const MAX_EXPORT: u32 = 50_000;
/// Statements of one batch while importing.
const CHUNK: usize = 50;
const MAX_NOTE: usize = 500;

pub(super) async fn list(call: Call<ListSuppressions>) -> AppResult<Page<SuppressionRow>> {
    Ok(suppressions::list(&call.app, &call.query, 200).await?)
}

pub(super) async fn create(call: Call<CreateSuppression>) -> AppResult<SuppressionRow> {
    let body = &call.body;
    let address = EmailAddress::parse(body.address.trim()).map_err(|_| AppError::field("address", "address"))?;
    let note = body.note.trim();
    if note.len() > MAX_NOTE {
        return Err(AppError::field("note", "too_long"));
    }
    let source = SuppressionSource::Manual;
    let statement = suppressions::insert(&address, body.scope, source, note, &call.me()?.name, call.app.now());
    call.app.run(statement).await?;
    call.stale(vec![tag::SUPPRESSIONS.to_owned()]);
    suppressions::read(&call.app, &address.key(), body.scope).await?.ok_or_else(AppError::not_found)
}

pub(super) async fn lift(call: Call<LiftSuppression>) -> AppResult<()> {
    let address = EmailAddress::parse(call.body.address.trim()).map_err(|_| AppError::field("address", "address"))?;
    let note = call.body.note.trim();
    if note.len() > MAX_NOTE {
        return Err(AppError::field("note", "too_long"));
    }
    let key = address.key();
    let done = call.app.run(suppressions::delete(&key, call.body.scope)).await?;
    if done.changes == 0 {
        return Err(AppError::not_found());
    }
    let by = call.me()?.name.clone();
    call.app.run(logs::note(Kind::Unsuppressed, &key, None, note, Some(&by), call.app.now())).await?;
    call.stale(vec![tag::SUPPRESSIONS.to_owned()]);
    Ok(())
}

pub(super) async fn import(call: Call<ImportSuppressionList>) -> AppResult<ImportedSuppressions> {
    let me = call.me()?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(call.body.csv.as_bytes());
    let (mut statements, mut wrong_lines) = (Vec::new(), Vec::new());
    for (i, line) in reader.records().enumerate() {
        let line = line.ok();
        let field = |n: usize| line.as_ref().and_then(|it| it.get(n)).unwrap_or_default().trim();
        let address = EmailAddress::parse(field(0).trim_start_matches('\u{feff}'));
        let scope = if field(1).eq_ignore_ascii_case("campaigns") {
            SuppressionScope::Campaigns
        } else {
            SuppressionScope::All
        };
        match address {
            Ok(address) => {
                let note: String = field(2).chars().take(MAX_NOTE).collect();
                let source = SuppressionSource::Import;
                statements.push(suppressions::insert(&address, scope, source, &note, &me.name, call.app.now()));
            }
            // A line with names of columns is no mistake.
            Err(_) if i == 0 && !field(0).contains('@') => {}
            Err(_) => wrong_lines.push(i as u32 + 1),
        }
    }
    let added = statements.len() as u32;
    let mut rest = statements.into_iter();
    loop {
        let chunk: Vec<_> = rest.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        // Chunk by chunk: adding an address again changes nothing, so a broken import is simply repeated.
        call.app.db.batch(chunk).await?;
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
    let header = ["address", "scope", "note", "source", "reason", "created", "expires"];
    let broken = |e: csv::Error| AppError::new(mailroom_shared::api::ProblemCode::Internal).detail(e.to_string());
    writer.write_record(header).map_err(broken)?;
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

/// A cell that a spreadsheet would take for a formula is text.
pub(super) fn unformula(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t']) { format!("'{cell}") } else { cell.to_owned() }
}
