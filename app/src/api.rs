//! The only file that talks to the Worker over HTTP.

use gloo::net::http::Method as HttpMethod;
use gloo::net::http::RequestBuilder;
use mailroom_shared::api::Endpoint;
use mailroom_shared::api::Method;
use mailroom_shared::api::Problem;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::messages::UploadAttachment;
use mailroom_shared::api::messages::UploadQuery;
use mailroom_shared::api::percent_encode;
use mailroom_shared::api::records::AttachmentView;
use mailroom_shared::api::url;
use serde::Serialize;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use crate::json;
use crate::json::Json;

/// Why there is no answer. Worded by `widgets::problem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// Nothing came back.
    Offline,
    /// The Worker said no.
    Problem(Box<Problem>),
    /// The answer is not what this build of the page knows: after an update, a reload helps.
    Decode(String),
}

impl ApiError {
    pub fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            Self::Offline | Self::Decode(_) => None,
        }
    }
}

/// The address of an operation with its query string.
pub fn address<E: Endpoint>(path: &[&str], query: &E::Query) -> String {
    with_query(url::<E>(path), query)
}

fn with_query(mut url: String, query: &impl Serialize) -> String {
    // A query is flat.
    let fields = serde_json::to_string(query).ok().and_then(|it| json::parse(&it).ok());
    let Some(Json::Object(fields)) = fields else { return url };
    for (i, (name, value)) in fields.iter().filter(|(_, it)| *it != Json::Null).enumerate() {
        url.push(if i == 0 { '?' } else { '&' });
        url.push_str(name);
        url.push('=');
        match value {
            Json::Text(text) => url.push_str(&percent_encode(text)),
            Json::Int(number) => url.push_str(&number.to_string()),
            Json::Bool(is) => url.push_str(if *is { "true" } else { "false" }),
            Json::Null | Json::List(_) | Json::Object(_) => {}
        }
    }
    url
}

/// Calls an operation.
pub async fn call<E: Endpoint>(path: &[&str], query: &E::Query, body: &E::Body) -> Result<E::Reply, ApiError> {
    let body = serde_json::to_string(body).ok().filter(|it| it != "null");
    decode(&send(E::METHOD, &address::<E>(path, query), body).await?)
}

/// Calls an operation whose answer is of no interest: it is read again anyway.
pub async fn tell<E: Endpoint>(path: &[&str], body: &E::Body) -> Result<(), ApiError> {
    let body = serde_json::to_string(body).ok().filter(|it| it != "null");
    send(E::METHOD, &url::<E>(path), body).await.map(drop)
}

/// A file of the page's own, as text.
pub async fn asset(url: &str) -> Result<String, ApiError> {
    let request = RequestBuilder::new(url).method(HttpMethod::GET).build().map_err(|_| ApiError::Offline)?;
    let response = request.send().await.map_err(|_| ApiError::Offline)?;
    response.text().await.map_err(|_| ApiError::Offline)
}

/// Reads an answer; nothing at all is `()`.
pub fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let text = if text.is_empty() { "null" } else { text };
    json::read(text).map_err(|error| ApiError::Decode(error.0.to_owned()))
}

/// One request, text in and out: compiled once however many operations there are.
pub async fn send(method: Method, url: &str, body: Option<String>) -> Result<String, ApiError> {
    let method = match method {
        Method::Get => HttpMethod::GET,
        Method::Post => HttpMethod::POST,
        Method::Patch => HttpMethod::PATCH,
        Method::Delete => HttpMethod::DELETE,
    };
    let mut request = RequestBuilder::new(url).method(method).header("x-mailroom", "1");
    let request = match body {
        Some(body) => {
            request = request.header("content-type", "application/json");
            request.body(body)
        }
        None => request.build(),
    };
    let response = request.map_err(|_| ApiError::Offline)?.send().await.map_err(|_| ApiError::Offline)?;
    let text = response.text().await.map_err(|_| ApiError::Offline)?;
    if response.ok() { Ok(text) } else { Err(problem(response.status(), &text)) }
}

fn problem(status: u16, text: &str) -> ApiError {
    match json::read::<Problem>(text) {
        Ok(problem) => ApiError::Problem(Box::new(problem)),
        // Not from our Worker: a proxy, or the platform before it.
        Err(_) if status >= 502 => ApiError::Problem(Box::new(Problem::new(ProblemCode::Unavailable))),
        Err(_) => ApiError::Problem(Box::new(Problem::new(ProblemCode::Internal))),
    }
}

/// Uploads a file and tells how far it is, in percent. `fetch` can't tell, hence the older request object.
pub async fn upload(file: web_sys::File, progress: impl Fn(u32) + 'static) -> Result<AttachmentView, ApiError> {
    let content_type = if file.type_().is_empty() { "application/octet-stream".to_owned() } else { file.type_() };
    let query = UploadQuery { name: file.name(), content_type };
    let url = address::<UploadAttachment>(&[], &query);
    let request = web_sys::XmlHttpRequest::new().map_err(|_| ApiError::Offline)?;
    let started = request
        .open(UploadAttachment::METHOD.as_str(), &url)
        .and_then(|()| request.set_request_header("x-mailroom", "1"))
        .and_then(|()| request.set_request_header("content-type", &query.content_type));
    started.map_err(|_| ApiError::Offline)?;

    let on_progress = Closure::<dyn Fn(web_sys::ProgressEvent)>::new(move |event: web_sys::ProgressEvent| {
        if event.total() > 0.0 {
            progress((event.loaded() * 100.0 / event.total()) as u32);
        }
    });
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
    }
    let (done, finished) = futures::channel::oneshot::channel::<()>();
    let done = std::cell::RefCell::new(Some(done));
    let on_end = Closure::<dyn Fn()>::new(move || {
        if let Some(done) = done.borrow_mut().take() {
            let _ = done.send(());
        }
    });
    request.set_onloadend(Some(on_end.as_ref().unchecked_ref()));
    request.send_with_opt_blob(Some(&file)).map_err(|_| ApiError::Offline)?;
    let _ = finished.await;
    drop(on_progress);

    let status = request.status().unwrap_or(0);
    let text = request.response_text().ok().flatten().unwrap_or_default();
    match status {
        200..=299 => decode(&text),
        0 => Err(ApiError::Offline),
        _ => Err(problem(status, &text)),
    }
}
