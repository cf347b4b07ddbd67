//! The events of the platform. `email` and `queue` are exported by hand instead of the crate's macro: the macro turns
//! an `Err` into a panic, which costs every other request of the isolate; a rejected promise costs nothing.

use tower::Service;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use worker::Context;
use worker::Env;
use worker::event;
use worker::send::SendWrapper;

use super::env::HUB;
use super::env::app_from_env;
use super::halt;
use super::hub::HubClient;
use super::nudges;
use crate::error::AppError;
use crate::http;
use crate::inbound;
use crate::inbound::Admission;
use crate::jobs;

/// Names a panic in the log instead of `unreachable executed`.
#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

fn misconfigured(error: &super::env::Missing) -> axum::response::Response {
    use axum::response::IntoResponse;
    AppError::new(mailroom_shared::api::ProblemCode::Misconfigured).detail(error.to_string()).into_response()
}

#[event(fetch)]
async fn fetch(req: web_sys::Request, env: Env, ctx: Context) -> worker::Result<web_sys::Response> {
    use worker::FromRequest;
    use worker::IntoResponse;
    let to_error = |e: Box<dyn std::error::Error>| worker::Error::RustError(e.to_string());
    let app = match app_from_env(&env) {
        Ok(app) => app,
        Err(error) => return misconfigured(&error).into_raw().map_err(|e| to_error(e.into())),
    };
    let is_live = req.url().split(['?', '#']).next().is_some_and(|it| it.ends_with("/api/live"));
    if is_live && req.headers().get("upgrade").ok().flatten().is_some() {
        let cookie = req.headers().get("cookie").ok().flatten().unwrap_or_default();
        let origin = req.headers().get("origin").ok().flatten();
        let host = req.headers().get("host").ok().flatten().unwrap_or_default();
        if !http::may_listen(&app, &cookie, origin.as_deref(), &host).await {
            return worker::Response::error("unauthorized", 401)?.into_raw().map_err(|e| to_error(e.into()));
        }
        let hub = HubClient(SendWrapper::new(env.durable_object(HUB)?));
        let response = hub.stub()?.fetch_with_request(worker::Request::from(req)).await?;
        return response.into_raw().map_err(|e| to_error(e.into()));
    }
    let limit = env.rate_limiter("LOGIN_LIMIT").ok();
    let request = worker::HttpRequest::from_raw(req).map_err(|e| to_error(e.into()))?;
    if http::is_login(&request)
        && let Some(limit) = limit
    {
        let peer =
            request.headers().get("cf-connecting-ip").and_then(|it| it.to_str().ok()).unwrap_or("local").to_owned();
        if !app.config.is_dev && limit.limit(peer).await.is_ok_and(|it| !it.success) {
            return http::limited().into_raw().map_err(|e| to_error(e.into()));
        }
    }
    let background = http::Background::default();
    let response = http::router(app, background.clone())
        .call(request.map(axum::body::Body::new))
        .await
        .map_err(|e| worker::Error::RustError(e.to_string()))?;
    if let Some(work) = background.take() {
        ctx.wait_until(work);
    }
    response.into_raw().map_err(|e| to_error(e.into()))
}

/// What we read of `ForwardableEmailMessage`: a small surface, so that a double over RPC fits too.
#[wasm_bindgen]
extern "C" {
    type RawEmail;

    #[wasm_bindgen(method, getter)]
    fn from(this: &RawEmail) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn to(this: &RawEmail) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn raw(this: &RawEmail) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = rawSize)]
    fn raw_size(this: &RawEmail) -> JsValue;
    #[wasm_bindgen(method, catch, js_name = setReject)]
    fn set_reject(this: &RawEmail, reason: &str) -> Result<JsValue, JsValue>;
}

/// Reads the stream with one call into the platform instead of one per chunk.
async fn read_all(stream: &JsValue) -> Result<Vec<u8>, JsValue> {
    let init = web_sys::ResponseInit::new();
    let body: web_sys::ReadableStream = stream.clone().unchecked_into();
    let response = web_sys::Response::new_with_opt_readable_stream_and_init(Some(&body), &init)?;
    let buffer = JsFuture::from(response.array_buffer()?).await?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// Email Routing hands over one mail for one recipient. `Err` makes the sender try again.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "exported to JavaScript")]
pub async fn email(message: JsValue, env: Env, ctx: worker::worker_sys::Context) -> Result<(), JsValue> {
    let message: RawEmail = message.unchecked_into();
    let ctx = Context::new(ctx);
    let app = app_from_env(&env).map_err(|e| JsValue::from_str(&e.to_string()))?;
    let mail_from = message.from().as_string().unwrap_or_default();
    let rcpt_to = message.to().as_string().unwrap_or_default();
    let size = message.raw_size().as_f64().unwrap_or_default() as usize;
    let raw = if size > inbound::MAX_READ { Vec::new() } else { read_all(&message.raw()).await? };
    let admission = inbound::admit(&app, &mail_from, &rcpt_to, raw, size).await;
    halt::before("answer to the peer").await;
    match admission {
        Ok(Admission::Accepted { nudge }) => {
            if let Some(job) = nudge {
                // Answer first: the row is written, and the sweep finds it should this be lost.
                nudges::gather(app, &ctx, job);
            }
            Ok(())
        }
        Ok(Admission::Refused { text }) => {
            let answer = message.set_reject(&text)?;
            // Over RPC this is a promise; the peer must not be answered before it arrived.
            if let Ok(promise) = answer.dyn_into::<js_sys::Promise>() {
                JsFuture::from(promise).await?;
            }
            Ok(())
        }
        Err(fault) => Err(JsValue::from_str(&fault.to_string())),
    }
}

/// Name of the last effect of a batch.
const ACKNOWLEDGE: &str = "queue acknowledge";

/// A batch of nudges or provider events.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "exported to JavaScript")]
pub async fn queue(
    batch: worker::worker_sys::MessageBatch,
    env: Env,
    _ctx: worker::worker_sys::Context,
) -> Result<(), JsValue> {
    let app = app_from_env(&env).map_err(|e| JsValue::from_str(&e.to_string()))?;
    let queue = String::from(batch.queue()?);
    let messages = batch.messages()?;
    let mut bodies = Vec::new();
    for message in messages.iter() {
        let message: worker::worker_sys::Message = message.unchecked_into();
        let body = message.body()?;
        bodies.push(match body.as_string() {
            Some(text) => text,
            None => js_sys::JSON::stringify(&body).map(String::from).unwrap_or_default(),
        });
    }
    let failed = jobs::consume(&app, &queue, &bodies).await;
    halt::before(ACKNOWLEDGE).await;
    for (index, message) in messages.iter().enumerate() {
        let message: worker::worker_sys::Message = message.unchecked_into();
        if failed.contains(&index) {
            message.retry(JsValue::UNDEFINED)?;
        } else {
            message.ack()?;
        }
    }
    Ok(())
}

#[event(scheduled)]
async fn scheduled(_event: worker::ScheduledEvent, env: Env, _ctx: worker::ScheduleContext) {
    match app_from_env(&env) {
        Ok(app) => crate::cron::tick(&app).await,
        Err(error) => crate::log::error("misconfigured", &[("error", &error.to_string())]),
    }
}
