//! Routes that carry bytes: uploads, downloads, the raw mail.

use axum::body::Body;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use mailroom_shared::api::Endpoint;
use mailroom_shared::api::Method;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::messages::UploadAttachment;
use mailroom_shared::api::messages::UploadQuery;
use mailroom_shared::api::records::AttachmentView;
use mailroom_shared::mail::parse::sha256_hex;

use super::Access;
use super::AppState;
use super::endpoint::Routes;
use super::endpoint::Shared;
use super::endpoint::authorise;
use super::endpoint::check_origin;
use super::endpoint::found;
use super::endpoint::query;
use super::local;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::incoming;
use crate::store::messages;
use crate::store::sight::Sight;

/// Largest file: what a mail of 25 MiB can carry after base64.
const MAX_FILE: usize = 18 * 1024 * 1024;

const DOWNLOAD: &str = "/api/v1/attachments/{id}";
const ORIGINAL: &str = "/api/v1/messages/{id}/original";
const INCOMING_ORIGINAL: &str = "/api/v1/incoming/{id}/original";

pub(super) fn routes(routes: Routes) -> Routes {
    let uploading =
        post(|State(shared): AppState, request: Request| local(async move { answer(upload(shared, request).await) }));
    let downloading = get(|State(shared): AppState, Path(id): Path<String>, request: Request| {
        local(async move { answer(download(shared, &id, request).await) })
    });
    let reading = get(|State(shared): AppState, Path(id): Path<String>, request: Request| {
        local(async move { answer(original(shared, &id, request).await) })
    });
    let reading_incoming = get(|State(shared): AppState, Path(id): Path<String>, request: Request| {
        local(async move { answer(incoming_original(shared, &id, request).await) })
    });
    routes
        .hand(Method::Post, UploadAttachment::ROUTE, Some(Access::Agent), uploading)
        .hand(Method::Get, DOWNLOAD, Some(Access::User), downloading)
        .hand(Method::Get, ORIGINAL, Some(Access::User), reading)
        .hand(Method::Get, INCOMING_ORIGINAL, Some(Access::User), reading_incoming)
}

fn answer(result: AppResult<Response>) -> Response {
    result.unwrap_or_else(IntoResponse::into_response)
}

/// A name that is safe in a header and on a disk.
fn safe_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = base.chars().filter(|c| !c.is_control()).take(200).collect();
    let clean = clean.trim().trim_start_matches('.').to_owned();
    if clean.is_empty() { "file".to_owned() } else { clean }
}

async fn upload(shared: Shared, request: Request) -> AppResult<Response> {
    let (parts, body) = request.into_parts();
    check_origin(&parts.headers, &parts.uri)?;
    let app = &shared.app;
    let caller = authorise(app, &parts.headers, Access::Agent, Method::Post, UploadAttachment::ROUTE).await?;
    let me = caller.ok_or_else(AppError::not_found)?.me;
    let about: UploadQuery = query(&parts.uri)?;
    let bytes = axum::body::to_bytes(body, MAX_FILE).await.map_err(|_| AppError::new(ProblemCode::TooLarge))?;
    let sha256 = sha256_hex(&bytes);
    let name = safe_name(&about.name);
    let content_type = content_type(&about.content_type);
    // Bytes first, then the row that names them.
    app.blobs.put(&messages::blob_key(&sha256), &bytes).await?;
    let id = app.new_id();
    let file = messages::NewAttachment {
        id: &id,
        message: None,
        record: None,
        name: &name,
        content_type: &content_type,
        size: bytes.len(),
        sha256: &sha256,
        inline: false,
        cid: None,
        uploaded_by: Some(me.user.as_str()),
    };
    app.run(messages::insert_attachment(&file, app.now())).await?;
    let row = messages::attachment(app, &id).await?.ok_or_else(AppError::not_found)?;
    let view: AttachmentView = row.into();
    let text = serde_json::to_string(&view).map_err(|e| AppError::new(ProblemCode::Internal).detail(e.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// `type/subtype` in lower case, or the type for anything.
fn content_type(text: &str) -> String {
    let text = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token =
        |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    match text.split_once('/') {
        Some((kind, sub)) if is_token(kind) && is_token(sub) && text.len() < 128 => text,
        _ => "application/octet-stream".to_owned(),
    }
}

/// Types a browser may show in place; everything else is only ever saved.
fn is_showable(content_type: &str) -> bool {
    matches!(content_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/bmp" | "image/avif")
}

/// RFC 6266 with the RFC 8187 form for anything beyond ASCII.
pub(super) fn disposition(kind: &str, name: &str) -> String {
    let ascii: String =
        name.chars().map(|c| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' }).collect();
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{}", mailroom_shared::api::percent_encode(name))
}

/// Foreign bytes never run in our origin: sniffing off, a policy without anything, saved unless a plain picture.
pub(super) fn bytes(body: Vec<u8>, content_type: &str, disposition: &str, cache: &'static str) -> Response {
    let mut response = Body::from(body).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ] {
        if let Ok(value) = header::HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// What the reader of a route sees.
async fn sight(app: &App, request: &Request, route: &str) -> AppResult<Sight> {
    let caller = authorise(app, request.headers(), Access::User, Method::Get, route).await?;
    Ok(caller.map(|it| it.sight).unwrap_or_default())
}

async fn download(shared: Shared, id: &str, request: Request) -> AppResult<Response> {
    let app = &shared.app;
    let sight = sight(app, &request, DOWNLOAD).await?;
    found(sight.sees_attachment(app, id).await?)?;
    let file = messages::attachment(app, id).await?.ok_or_else(AppError::not_found)?;
    let body = app.blobs.get(&messages::blob_key(&file.sha256)).await?.ok_or_else(AppError::not_found)?;
    let (kind, shown_as) = if is_showable(&file.content_type) {
        ("inline", file.content_type.as_str())
    } else {
        ("attachment", "application/octet-stream")
    };
    Ok(bytes(body, shown_as, &disposition(kind, &file.name), "private, max-age=31536000, immutable"))
}

async fn original(shared: Shared, id: &str, request: Request) -> AppResult<Response> {
    let app = &shared.app;
    let sight = sight(app, &request, ORIGINAL).await?;
    found(sight.sees_message(app, id).await?)?;
    let source = messages::source(app, id).await?.ok_or_else(AppError::not_found)?;
    let key = source.raw_key.ok_or_else(AppError::not_found)?;
    raw_mail(app, &key, &request).await
}

/// The raw mail of a hand-over, whether it became a message or not.
async fn incoming_original(shared: Shared, id: &str, request: Request) -> AppResult<Response> {
    let app = &shared.app;
    let sight = sight(app, &request, INCOMING_ORIGINAL).await?;
    found(sight.sees_ingest(app, id).await?)?;
    let kept = incoming::kept(app, id).await?.ok_or_else(AppError::not_found)?;
    let key = kept.raw_key.ok_or_else(AppError::not_found)?;
    raw_mail(app, &key, &request).await
}

async fn raw_mail(app: &App, key: &str, request: &Request) -> AppResult<Response> {
    let raw = app.blobs.get(key).await?.ok_or_else(AppError::not_found)?;
    let show = request.uri().query().is_some_and(|it| it.contains("show"));
    let (content_type, kind) =
        if show { ("text/plain; charset=utf-8", "inline") } else { ("message/rfc822", "attachment") };
    Ok(bytes(raw, content_type, &disposition(kind, "original.eml"), "private, max-age=3600"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types_cannot_leave_their_header() {
        assert_eq!(safe_name("../../etc/passwd"), "passwd");
        assert_eq!(safe_name("C:\\x\\a\r\nb.pdf"), "ab.pdf");
        assert_eq!(safe_name(".."), "file");
        assert_eq!(content_type("Text/HTML; charset=x"), "text/html");
        assert_eq!(content_type("a\r\nb/c"), "application/octet-stream");
        let header = disposition("attachment", "Straße \"1\".pdf");
        assert_eq!(header, "attachment; filename=\"Stra_e _1_.pdf\"; filename*=UTF-8''Stra%C3%9Fe%20%221%22.pdf");
    }
}
