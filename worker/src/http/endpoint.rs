//! How an operation type becomes a route: session, CSRF, role, query, body, answer, each in one place.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::MethodRouter;
use axum::routing::delete;
use axum::routing::get;
use axum::routing::patch;
use axum::routing::post;
use mailroom_shared::api::Endpoint;
use mailroom_shared::api::Method;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::Role;
use serde::de::DeserializeOwned;

use super::Background;
use super::local;
use super::session;
use crate::app::App;
use crate::app::SharedApp;
use crate::error::AppError;
use crate::error::AppResult;

/// Name of the session cookie. `__Host-` binds it to this host, HTTPS (or localhost) and the root path.
pub(super) const COOKIE: &str = "__Host-mailroom";

/// JSON bodies are small; files have a route of their own.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No login.
    Anyone,
    /// Any login.
    User,
    /// May write to customers: agents and administrators.
    Agent,
    /// May write to many: campaign managers and administrators.
    Campaigns,
    Administrator,
}

impl Access {
    const fn allows(self, role: Role) -> bool {
        match self {
            Self::Anyone | Self::User => true,
            Self::Agent => matches!(role, Role::Administrator | Role::Agent | Role::CampaignManager),
            Self::Campaigns => matches!(role, Role::Administrator | Role::CampaignManager),
            Self::Administrator => matches!(role, Role::Administrator),
        }
    }
}

/// State of the router.
#[derive(Clone)]
pub(super) struct Shared {
    pub app: SharedApp,
    pub background: Background,
}

/// One call of an operation.
pub(super) struct Call<E: Endpoint> {
    pub app: SharedApp,
    pub background: Background,
    me: Option<Me>,
    path: Vec<String>,
    pub query: E::Query,
    pub body: E::Body,
    pub headers: HeaderMap,
}

impl<E: Endpoint> Call<E> {
    /// Who calls. Only operations that need a login ask.
    pub(super) fn me(&self) -> AppResult<&Me> {
        self.me.as_ref().ok_or_else(|| AppError::new(ProblemCode::Unauthorized))
    }

    /// The nth path parameter.
    pub(super) fn path(&self, n: usize) -> &str {
        self.path.get(n).map_or("", String::as_str)
    }

    /// Tells open pages after the answer.
    pub(super) fn stale(&self, tags: Vec<String>) {
        let app = SharedApp::clone(&self.app);
        self.background.add(async move { app.stale(&tags).await });
    }

    /// Nudges after the answer.
    pub(super) fn nudge(&self, job: crate::jobs::Job, delay_seconds: u32) {
        let app = SharedApp::clone(&self.app);
        self.background.add(async move { app.nudge(job, delay_seconds).await });
    }
}

/// What an operation answers: its reply, and perhaps a cookie.
pub(super) struct Answer<T> {
    reply: T,
    cookie: Option<String>,
}

impl<T> From<T> for Answer<T> {
    fn from(reply: T) -> Self {
        Self { reply, cookie: None }
    }
}

impl<T> Answer<T> {
    pub(super) fn with_cookie(reply: T, cookie: String) -> Self {
        Self { reply, cookie: Some(cookie) }
    }
}

/// The session token in a Cookie header.
pub(super) fn session_token(cookies: &str) -> Option<String> {
    cookies
        .split(';')
        .filter_map(|it| it.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
        .filter(|it| !it.is_empty())
}

/// Whether Origin, when there is one, names the host that was asked.
pub(super) fn is_own_origin(origin: Option<&str>, host: &str) -> bool {
    match origin {
        None => true,
        Some(origin) => origin.split_once("://").is_some_and(|(_, it)| it.eq_ignore_ascii_case(host)),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|it| it.to_str().ok())
}

/// A write must come from our own page or an integrator: a form on another site can neither set a header nor a JSON
/// body without asking first, and the cookie is SameSite=Lax besides.
pub(super) fn check_origin(headers: &HeaderMap, uri: &axum::http::Uri) -> AppResult<()> {
    let host =
        header(headers, "host").or_else(|| uri.authority().map(axum::http::uri::Authority::as_str)).unwrap_or("");
    let has_own_header = headers.contains_key("x-mailroom");
    if has_own_header && is_own_origin(header(headers, "origin"), host) {
        Ok(())
    } else {
        Err(AppError::new(ProblemCode::CrossSite).detail("send the header X-Mailroom: 1 from our own origin"))
    }
}

/// Who calls, by cookie.
pub(super) async fn who(app: &App, headers: &HeaderMap) -> AppResult<Option<Me>> {
    match header(headers, "cookie").and_then(session_token) {
        Some(token) => session::of_token(app, &token).await,
        None => Ok(None),
    }
}

/// Who calls, when the operation asks for that much.
pub(super) async fn authorise(app: &App, headers: &HeaderMap, access: Access) -> AppResult<Option<Me>> {
    if access == Access::Anyone {
        return Ok(None);
    }
    let me = who(app, headers).await?.ok_or_else(|| AppError::new(ProblemCode::Unauthorized))?;
    if access.allows(me.role) { Ok(Some(me)) } else { Err(AppError::new(ProblemCode::Forbidden)) }
}

/// The parameters in a path, by the route's pattern.
fn parameters(route: &str, path: &str) -> Vec<String> {
    route
        .split('/')
        .zip(path.split('/'))
        .filter(|(pattern, _)| pattern.starts_with('{'))
        .map(|(_, value)| percent_decode(value))
        .collect()
}

pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|it| it.and_then(|d| char::from(d).to_digit(16)));
        if let [Some(high), Some(low)] = digits {
            bytes.push((high << 4 | low) as u8);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn query<Q: DeserializeOwned>(uri: &axum::http::Uri) -> AppResult<Q> {
    // Nothing to read is `()`, which urlencoded data can't say.
    if let Ok(nothing) = serde_json::from_str("null") {
        return Ok(nothing);
    }
    axum::extract::Query::<Q>::try_from_uri(uri)
        .map(|it| it.0)
        .map_err(|e| AppError::new(ProblemCode::Malformed).detail(e.to_string()))
}

async fn body<B: DeserializeOwned>(body: Body) -> AppResult<B> {
    let bytes = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| AppError::new(ProblemCode::TooLarge))?;
    let text = if bytes.is_empty() { &b"null"[..] } else { &bytes[..] };
    serde_json::from_slice(text).map_err(|e| AppError::new(ProblemCode::Malformed).detail(e.to_string()))
}

async fn answer<E, F, Fut, A>(shared: Shared, request: Request, access: Access, handler: F) -> AppResult<Response>
where
    E: Endpoint,
    F: FnOnce(Call<E>) -> Fut,
    Fut: Future<Output = AppResult<A>>,
    A: Into<Answer<E::Reply>>,
{
    let (parts, raw) = request.into_parts();
    if E::METHOD != Method::Get {
        check_origin(&parts.headers, &parts.uri)?;
    }
    let me = authorise(&shared.app, &parts.headers, access).await?;
    let call = Call {
        app: shared.app,
        background: shared.background,
        me,
        path: parameters(E::ROUTE, parts.uri.path()),
        query: query(&parts.uri)?,
        body: body(raw).await?,
        headers: parts.headers,
    };
    let answer: Answer<E::Reply> = handler(call).await?.into();
    let text =
        serde_json::to_string(&answer.reply).map_err(|e| AppError::new(ProblemCode::Internal).detail(e.to_string()))?;
    let mut response = if text == "null" {
        axum::http::StatusCode::NO_CONTENT.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], text).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    if let Some(cookie) = answer.cookie.and_then(|it| header::HeaderValue::from_str(&it).ok()) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Adds the route of an operation.
pub(super) fn mount<E, Fut, A>(router: Router<Shared>, access: Access, handler: fn(Call<E>) -> Fut) -> Router<Shared>
where
    E: Endpoint + 'static,
    Fut: Future<Output = AppResult<A>> + 'static,
    A: Into<Answer<E::Reply>> + 'static,
{
    let route = move |State(shared): State<Shared>, request: Request| {
        local(async move {
            let id = shared.app.new_id();
            match answer::<E, _, Fut, A>(shared, request, access, handler).await {
                Ok(response) => response,
                Err(mut error) => {
                    error.0.request_id = id;
                    error.into_response()
                }
            }
        })
    };
    let method: MethodRouter<Shared> = match E::METHOD {
        Method::Get => get(route),
        Method::Post => post(route),
        Method::Patch => patch(route),
        Method::Delete => delete(route),
    };
    router.route(E::ROUTE, method)
}
