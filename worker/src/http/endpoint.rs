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
use mailroom_shared::access::Access;
use mailroom_shared::access::Need;
use mailroom_shared::access::need;
use mailroom_shared::api::Endpoint;
use mailroom_shared::api::Method;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::session::Me;
use mailroom_shared::i18n::Lang;
use mailroom_shared::people::TOKEN_REQUESTS;
use mailroom_shared::time::Span;
use serde::de::DeserializeOwned;

use super::Background;
use super::local;
use super::session;
use crate::app::App;
use crate::app::SharedApp;
use crate::error::AppError;
use crate::error::AppResult;
use crate::ports::Statement;
use crate::store::changes;
use crate::store::changes::Area;
use crate::store::sight::Sight;
use crate::store::users;
use crate::store::users::Caller;

/// Name of the session cookie. `__Host-` binds it to this host, HTTPS (or localhost) and the root path.
pub(super) const COOKIE: &str = "__Host-mailroom";

/// JSON bodies are small; files have a route of their own.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// How often it is noted that somebody is here.
const SEEN: Span = Span::minutes(2);

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
    caller: Option<Caller>,
    path: Vec<String>,
    pub query: E::Query,
    pub body: E::Body,
    pub headers: HeaderMap,
}

impl<E: Endpoint> Call<E> {
    /// Who calls. Only operations that need a login ask.
    pub(super) fn me(&self) -> AppResult<&Me> {
        self.caller().map(|it| &it.me)
    }

    /// What the caller reads.
    pub(super) fn lang(&self) -> AppResult<Lang> {
        self.me().map(|it| Lang::of(&it.language))
    }

    pub(super) fn caller(&self) -> AppResult<&Caller> {
        self.caller.as_ref().ok_or_else(|| AppError::new(ProblemCode::Unauthorized))
    }

    /// What the caller may see; without a login nothing is asked.
    pub(super) fn sight(&self) -> AppResult<&Sight> {
        self.caller().map(|it| &it.sight)
    }

    /// A record of a hidden type is not there.
    pub(super) async fn must_see_record(&self, id: &str) -> AppResult<()> {
        found(self.sight()?.sees_record(&self.app, id).await?)
    }

    pub(super) async fn must_see_message(&self, id: &str) -> AppResult<()> {
        found(self.sight()?.sees_message(&self.app, id).await?)
    }

    pub(super) async fn must_see_ingest(&self, id: &str) -> AppResult<()> {
        found(self.sight()?.sees_ingest(&self.app, id).await?)
    }

    /// The nth path parameter.
    pub(super) fn path(&self, n: usize) -> &str {
        self.path.get(n).map_or("", String::as_str)
    }

    /// Statements that change a setting, with who changed what noted in the same batch: one statement more before them,
    /// two after.
    pub(super) fn noted(
        &self,
        area: Area,
        key: &str,
        work: impl IntoIterator<Item = Statement>,
    ) -> AppResult<Vec<Statement>> {
        let app = &self.app;
        Ok(changes::around(&app.new_id(), &self.me()?.name, area, key, app.now(), work))
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

/// What is hidden is not found.
pub(super) fn found(is_seen: bool) -> AppResult<()> {
    if is_seen { Ok(()) } else { Err(AppError::not_found()) }
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
///
/// A browser adds a cookie by itself, but never a bearer token: who has one means it.
pub(super) fn check_origin(headers: &HeaderMap, uri: &axum::http::Uri) -> AppResult<()> {
    if bearer(headers).is_some() {
        return Ok(());
    }
    let host =
        header(headers, "host").or_else(|| uri.authority().map(axum::http::uri::Authority::as_str)).unwrap_or("");
    let has_own_header = headers.contains_key("x-mailroom");
    if has_own_header && is_own_origin(header(headers, "origin"), host) {
        Ok(())
    } else {
        Err(AppError::new(ProblemCode::CrossSite).detail("send the header X-Mailroom: 1 from our own origin"))
    }
}

/// The token of `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (kind, token) = header(headers, "authorization")?.split_once(' ')?;
    kind.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who calls, by token or by cookie.
pub(super) async fn who(app: &App, headers: &HeaderMap) -> AppResult<Option<Caller>> {
    if let Some(token) = bearer(headers) {
        let caller = session::of_api_token(app, token).await?;
        if caller.as_ref().is_some_and(|it| it.requests > TOKEN_REQUESTS) {
            let mut error = AppError::new(ProblemCode::Limited);
            error.0.retry_after = u32::try_from(60 - app.now().as_millis() / 1_000 % 60).ok();
            return Err(error);
        }
        return Ok(caller);
    }
    match header(headers, "cookie").and_then(session_token) {
        Some(token) => session::of_token(app, &token).await,
        None => Ok(None),
    }
}

/// Who calls, when the operation asks for that much.
pub(super) async fn authorise(
    app: &App,
    headers: &HeaderMap,
    access: Access,
    method: Method,
    route: &str,
) -> AppResult<Option<Caller>> {
    if access == Access::Anyone {
        return Ok(None);
    }
    let caller = who(app, headers).await?.ok_or_else(|| AppError::new(ProblemCode::Unauthorized))?;
    if let Some(scopes) = &caller.scopes {
        match need(access, method, route) {
            Need::Nothing => {}
            Need::Scope(scope) if scopes.contains(&scope) => {}
            Need::Scope(scope) => return Err(AppError::new(ProblemCode::TokenScope).detail(scope.as_str())),
            Need::Person => {
                return Err(AppError::new(ProblemCode::Forbidden).detail("a person does this, not an API token"));
            }
        }
    }
    if access.allows(caller.me.role) { Ok(Some(caller)) } else { Err(AppError::new(ProblemCode::Forbidden)) }
}

/// Notes now and then that the caller is here.
fn note_seen(shared: &Shared, caller: &Caller) {
    let now = shared.app.now();
    let Some((session, _)) = caller.session.as_ref().filter(|(_, at)| at.is_none_or(|it| it + SEEN < now)) else {
        return;
    };
    let (app, session, user) = (SharedApp::clone(&shared.app), session.clone(), caller.me.user.clone());
    shared.background.add(async move {
        // Losing one is no loss.
        let _ = app.db.batch(users::seen(&session, &user, now).to_vec()).await;
    });
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
    let caller = authorise(&shared.app, &parts.headers, access, E::METHOD, E::ROUTE).await?;
    if let Some(caller) = &caller {
        note_seen(&shared, caller);
    }
    let call = Call {
        app: shared.app,
        background: shared.background,
        caller,
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

/// The router with a list of what it was given.
#[derive(Default)]
pub(super) struct Routes {
    router: Router<Shared>,
    /// Method, route, and who may call it as far as that is known here.
    pub list: Vec<(&'static str, &'static str, Option<Access>)>,
}

impl Routes {
    /// A route made by hand; it looks itself who calls.
    pub(super) fn hand(
        mut self,
        method: Method,
        route: &'static str,
        access: Option<Access>,
        handler: MethodRouter<Shared>,
    ) -> Self {
        self.list.push((method.as_str(), route, access));
        self.router = self.router.route(route, handler);
        self
    }

    pub(super) fn into_router(self) -> Router<Shared> {
        self.router
    }
}

/// Adds the route of an operation.
pub(super) fn mount<E, Fut, A>(routes: Routes, access: Access, handler: fn(Call<E>) -> Fut) -> Routes
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
    routes.hand(E::METHOD, E::ROUTE, Some(access), method)
}
