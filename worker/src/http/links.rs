//! Files that did not fit into their mail: a signed link with an end, no login.

use axum::extract::Path;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use mailroom_shared::api::Method;
use mailroom_shared::token;
use mailroom_shared::token::Purpose;

use super::Access;
use super::AppState;
use super::endpoint::Routes;
use super::files::bytes;
use super::files::disposition;
use super::local;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::messages;

pub(super) fn routes(routes: Routes) -> Routes {
    let downloading = get(|State(shared): AppState, Path(token): Path<String>| {
        local(async move { download(&shared.app, &token).await.unwrap_or_else(IntoResponse::into_response) })
    });
    routes.hand(Method::Get, "/api/files/{token}", Some(Access::Anyone), downloading)
}

/// The file of a link; a wrong, changed or old one is *not found*.
async fn download(app: &App, link: &str) -> AppResult<Response> {
    let id = token::verify(&app.config.token_secret, Purpose::Link, link).ok_or_else(AppError::not_found)?;
    let (id, until) = id.rsplit_once('~').ok_or_else(AppError::not_found)?;
    let until: i64 = until.parse().map_err(|_| AppError::not_found())?;
    if app.now().as_millis() > until.saturating_mul(1_000) {
        return Err(AppError::not_found());
    }
    let file = messages::attachment(app, id).await?.ok_or_else(AppError::not_found)?;
    let body = app.blobs.get(&messages::blob_key(&file.sha256)).await?.ok_or_else(AppError::not_found)?;
    Ok(bytes(body, "application/octet-stream", &disposition("attachment", &file.name), "private, no-store"))
}
