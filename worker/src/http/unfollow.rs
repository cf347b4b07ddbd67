//! The way out of a record's chatter: the link that mails to followers carry. No login; the signature is the right to be
//! there. Fetching changes nothing: scanners follow every link of a mail.

use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::Method;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::any;
use mailroom_shared::access::Access;
use mailroom_shared::api::tag;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::token::Purpose;

use super::AppState;
use super::endpoint::Routes;
use super::endpoint::Shared;
use super::local;
use super::visits::escape;
use super::visits::form;
use super::visits::parameter;
use super::visits::plain_page;
use super::visits::signed;
use super::visits::texts;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::messages;
use crate::store::records;

pub(super) fn routes(routes: Routes) -> Routes {
    let leaving = any(|State(shared): AppState, Path(token): Path<String>, request: Request| {
        local(async move { leave(&shared, &token, &request).await.unwrap_or_else(IntoResponse::into_response) })
    });
    routes.hand(mailroom_shared::api::Method::Get, "/f/{token}", Some(Access::Anyone), leaving)
}

/// GET asks, POST unfollows, POST with `?undo` follows again.
async fn leave(shared: &Shared, token: &str, request: &Request) -> AppResult<Response> {
    let app = &shared.app;
    let id = signed(app, Purpose::Unfollow, token).ok_or_else(AppError::not_found)?;
    let (record, contact) = id.split_once('/').ok_or_else(AppError::not_found)?;
    let it = records::following(app, record, contact).await?.ok_or_else(AppError::not_found)?;
    let texts = texts(request.headers());
    let page = |step| page(&texts, &it, token, step);
    if request.method() != Method::POST {
        return Ok(page(if it.follows { Step::Ask } else { Step::Done }));
    }
    let follows = parameter(request, "undo").is_some();
    if it.follows != follows {
        let now = app.now();
        let (change, key) = if follows {
            (records::follow(record, contact, now), "follower_added")
        } else {
            (records::unfollow(record, contact), "follower_removed")
        };
        let author = Some((contact, it.name.as_str()));
        let line = messages::system_line(&app.new_id(), record, author, key, &[("name", &it.name)]);
        app.db.batch(vec![change, messages::insert(&line, now)]).await?;
        let (app, record) = (std::sync::Arc::clone(app), tag::record(record));
        shared.background.add(async move { app.stale(&[record]).await });
    }
    Ok(page(if follows { Step::Undone } else { Step::Done }))
}

#[derive(Clone, Copy)]
enum Step {
    Ask,
    Done,
    Undone,
}

fn page(texts: &Catalogue, it: &records::Following, token: &str, step: Step) -> Response {
    let args = [("title", it.title.as_str()), ("name", it.name.as_str())];
    let t = |key: &str| escape(&texts.text(key, &args));
    let button = |query: &str, key: &str, class: &str| form("/f/", token, query, &texts.text(key, &[]), class);
    let (title, text, rest) = match step {
        Step::Ask => ("unfollow.title", "unfollow.text", button("", "unfollow.button", "main")),
        Step::Done => ("unfollow.done", "unfollow.done.text", button("?undo=1", "unfollow.undo", "")),
        Step::Undone => ("unfollow.undone", "unfollow.undone.text", String::new()),
    };
    plain_page(texts, &t(title), &t(text), &rest)
}
