//! What recipients of campaigns meet: the way out, the picture, the links. No login; the signature in the address is the
//! right to be there. Fetching changes nothing but figures: scanners follow every link of a mail.

use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::any;
use mailroom_shared::access::Access;
use mailroom_shared::api::tag;
use mailroom_shared::campaign::content::is_link;
use mailroom_shared::campaign::content::link_url;
use mailroom_shared::campaign::hits::Hit;
use mailroom_shared::campaign::hits::Robot;
use mailroom_shared::campaign::hits::judge;
use mailroom_shared::campaign::merge;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::id::MailingListId;
use mailroom_shared::token;
use mailroom_shared::token::Purpose;

use super::AppState;
use super::endpoint::Routes;
use super::endpoint::Shared;
use super::local;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs;
use crate::store;
use crate::store::campaigns;
use crate::store::campaigns::hits;
use crate::store::campaigns::hits::Visitor;
use crate::store::mailing_lists;
use crate::store::suppressions;

/// One transparent pixel.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

pub(super) fn routes(routes: Routes) -> Routes {
    let leaving = any(|State(shared): AppState, Path(token): Path<String>, request: Request| {
        local(async move { leave(&shared, &token, &request).await.unwrap_or_else(IntoResponse::into_response) })
    });
    let opening = any(|State(shared): AppState, Path(token): Path<String>, request: Request| {
        local(async move { open(&shared, &token, &request).await })
    });
    let clicking = any(|State(shared): AppState, Path(token): Path<String>, request: Request| {
        local(async move { click(&shared, &token, &request).await.unwrap_or_else(IntoResponse::into_response) })
    });
    // Each answers any method: scanners ask with HEAD, mail clients unsubscribe with POST (RFC 8058).
    routes
        .hand(mailroom_shared::api::Method::Get, "/u/{token}", Some(Access::Anyone), leaving)
        .hand(mailroom_shared::api::Method::Get, "/o/{token}", Some(Access::Anyone), opening)
        .hand(mailroom_shared::api::Method::Get, "/c/{token}", Some(Access::Anyone), clicking)
}

fn agent(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or_default()
}

pub(super) fn signed(app: &App, purpose: Purpose, token: &str) -> Option<String> {
    token::verify(&app.config.token_secret, purpose, token)
}

async fn visitor(app: &App, n: u32, link: i64) -> AppResult<Visitor> {
    store::decode_one(app.run(hits::visitor(n, link, app.now())).await?)?.ok_or_else(AppError::not_found)
}

fn judged(it: &Visitor, request: &Request, links: u32, is_click: bool, app: &App) -> Option<Robot> {
    judge(&Hit {
        is_head: request.method() == Method::HEAD,
        agent: agent(request.headers()),
        since_sent: it.sent_at.map(|at| app.now() - at),
        links_at_once: if is_click { it.links_at_once + 1 } else { 0 },
        links,
    })
}

/// The picture, whatever the token says: a broken image in a mail helps nobody.
async fn open(shared: &Shared, token: &str, request: &Request) -> Response {
    let app = &shared.app;
    let n = signed(app, Purpose::Open, token.trim_end_matches(".gif")).and_then(|it| it.parse::<u32>().ok());
    if let Some(n) = n
        && let Ok(it) = visitor(app, n, -1).await
    {
        let robot = judged(&it, request, 0, false, app);
        let hit = hits::hit(n, &it.campaign_id, "open", -1, robot.map(Robot::as_str), app.now());
        if app.run(hit).await.is_ok() {
            tell(shared);
        }
    }
    let headers = [(header::CONTENT_TYPE, "image/gif"), (header::CACHE_CONTROL, "no-store, private")];
    (headers, PIXEL).into_response()
}

/// To a link of the campaign, and nowhere else.
async fn click(shared: &Shared, token: &str, request: &Request) -> AppResult<Response> {
    let app = &shared.app;
    let id = signed(app, Purpose::Click, token).ok_or_else(AppError::not_found)?;
    let (n, index) = id.split_once('-').ok_or_else(AppError::not_found)?;
    let n: u32 = n.parse().map_err(|_| AppError::not_found())?;
    let link: u16 = index.parse().map_err(|_| AppError::not_found())?;
    let (index, link) = (usize::from(link), i64::from(link));
    let it = visitor(app, n, link).await?;
    let campaign = campaigns::read(app, &it.campaign_id).await?.ok_or_else(AppError::not_found)?;
    let content = jobs::compiled(&campaign);
    let target = content.links.get(index).ok_or_else(AppError::not_found)?;
    let robot = judged(&it, request, content.links.len() as u32, true, app);
    let mut statements = Vec::new();
    if robot == Some(Robot::AllAtOnce) {
        statements.extend(hits::were_robots(n, Robot::AllAtOnce.as_str(), app.now()));
    }
    statements.push(hits::hit(n, &it.campaign_id, "click", link, robot.map(Robot::as_str), app.now()));
    // The reader goes on, whatever becomes of the figures.
    if app.db.batch(statements).await.is_ok() {
        tell(shared);
    }
    let fields = merge::fields(&it.name, &it.address, &campaign.name, &it.fields);
    let url = link_url(&target.url, &fields);
    if !is_link(&url) {
        return Err(AppError::not_found());
    }
    let headers = [
        (header::LOCATION, url),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// Open pages read the results again.
fn tell(shared: &Shared) {
    let app = std::sync::Arc::clone(&shared.app);
    shared.background.add(async move { app.stale(&[tag::CAMPAIGNS.to_owned()]).await });
}

/// What the page of the way out says.
enum Step {
    Ask,
    Done {
        undo: String,
    },
    Undone,
    /// The mail was a test.
    Test,
}

pub(super) fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request
        .uri()
        .query()?
        .split('&')
        .filter_map(|it| it.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// GET asks, POST does: at once, with or without a form (RFC 8058).
async fn leave(shared: &Shared, token: &str, request: &Request) -> AppResult<Response> {
    let app = &shared.app;
    let n = signed(app, Purpose::Unsubscribe, token)
        .and_then(|it| it.parse::<u32>().ok())
        .ok_or_else(AppError::not_found)?;
    let texts = texts(request.headers());
    if n == 0 {
        return Ok(page(&texts, "", &[], token, &Step::Test));
    }
    let it = visitor(app, n, -1).await?;
    let campaign = campaigns::read(app, &it.campaign_id).await?.ok_or_else(AppError::not_found)?;
    let lists: Vec<mailing_lists::Named> =
        store::decode(app.run(mailing_lists::named(&campaign.audience.lists)).await?)?;
    let shown: Vec<&mailing_lists::Named> = lists.iter().filter(|it| it.public).collect();
    if request.method() != Method::POST {
        return Ok(page(&texts, &it.address, &shown, token, &Step::Ask));
    }
    let now = app.now();
    let one = |id: &str| -> AppResult<Vec<MailingListId>> {
        let found = shown.iter().find(|it| it.id.as_str() == id).ok_or_else(AppError::not_found)?;
        Ok(vec![found.id.clone()])
    };
    let (statements, step) = match (parameter(request, "list"), parameter(request, "undo")) {
        (_, Some("all")) => {
            let [remember, resubscribe] = suppressions::resubscribe(&it.address_key, now);
            (vec![remember, resubscribe, hits::forget_unsubscribed(n)], Step::Undone)
        }
        (_, Some(list)) => {
            (vec![mailing_lists::opt_in(&one(list)?, &it.address_key), hits::forget_unsubscribed(n)], Step::Undone)
        }
        (Some(list), None) => (
            vec![
                mailing_lists::opt_out(&one(list)?, &it.address_key, None, now),
                hits::hit(n, &it.campaign_id, "unsubscribe", -1, None, now),
            ],
            Step::Done { undo: list.to_owned() },
        ),
        (None, None) => (hits::unsubscribe(n, &it, &campaign.name, now).into(), Step::Done { undo: "all".to_owned() }),
    };
    app.db.batch(statements).await?;
    tell(shared);
    Ok(page(&texts, &it.address, &shown, token, &step))
}

/// In the language of the browser.
pub(super) fn texts(headers: &HeaderMap) -> Catalogue {
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    Catalogue::load(Lang::of(asked.trim()))
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn form(path: &str, token: &str, query: &str, words: &str, class: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{path}{}{query}\"><button class=\"{class}\">{}</button></form>",
        escape(token),
        escape(words)
    )
}

fn page(texts: &Catalogue, address: &str, lists: &[&mailing_lists::Named], token: &str, step: &Step) -> Response {
    let t = |key: &str| escape(&texts.text(key, &[("address", address)]));
    let plain = |key: &str, list: &str| texts.text(key, &[("list", list)]);
    let (title, text, rest) = match step {
        Step::Ask => {
            let mut rest = form("/u/", token, "", &plain("unsubscribe.all", ""), "main");
            for it in lists {
                rest += &form("/u/", token, &format!("?list={}", it.id), &plain("unsubscribe.one", &it.name), "");
            }
            (t("unsubscribe.title"), t("unsubscribe.text"), rest)
        }
        Step::Done { undo } => (
            t("unsubscribe.done"),
            t("unsubscribe.done.text"),
            form("/u/", token, &format!("?undo={undo}"), &plain("unsubscribe.undo", ""), ""),
        ),
        Step::Undone => (t("unsubscribe.undone"), t("unsubscribe.undone.text"), String::new()),
        Step::Test => (t("unsubscribe.title"), t("unsubscribe.test"), String::new()),
    };
    plain_page(texts, &title, &text, &rest)
}

/// A page for people without a login: nothing is loaded, all is escaped by who calls.
pub(super) fn plain_page(texts: &Catalogue, title: &str, text: &str, rest: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"robots\" content=\"noindex\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title><style>\
         :root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}}\
         h1{{font-size:1.4rem}}button{{font:inherit;padding:.6rem 1.1rem;border-radius:.4rem;border:1px solid #8a93a3;\
         background:none;color:inherit;cursor:pointer;margin-top:.6rem}}.main{{background:#1d4ed8;border-color:#1d4ed8;color:#fff}}\
         </style></head><body><main><h1>{title}</h1><p>{text}</p>{rest}</main></body></html>",
        texts.lang().code()
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        ),
    ];
    (headers, html).into_response()
}
