//! The HTTP API as a browser would call it: JSON, the session cookie, and the header that writes need.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Method, Request};

pub struct Client {
    agent: Agent,
    base: String,
    cookies: Mutex<BTreeMap<String, String>>,
    token: Option<String>,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub content_type: String,
    pub bytes: Vec<u8>,
    /// What was asked, for messages.
    request: String,
}

impl Client {
    /// `base` is `http://127.0.0.1:8787`.
    pub fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_mins(1)))
            .build();
        Self {
            agent: config.new_agent(),
            base: base.trim_end_matches('/').to_owned(),
            cookies: Mutex::default(),
            token: None,
        }
    }

    /// Calls with an API token instead of a session.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub fn get(&self, path: &str) -> Result<Response> {
        self.call(Method::GET, path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Response> {
        self.call(Method::POST, path, Some(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Result<Response> {
        self.call(Method::PUT, path, Some(body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Result<Response> {
        self.call(Method::PATCH, path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Result<Response> {
        self.call(Method::DELETE, path, None)
    }

    /// Uploads a file.
    pub fn upload(&self, path: &str, kind: &str, bytes: &[u8]) -> Result<Response> {
        self.send(Method::POST, path, Some((kind, bytes)))
    }

    /// Moves the hour at which daily limits begin anew half a day away: a test may run at midnight.
    pub fn postpone_reset(&self) -> Result<()> {
        let hour = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() / 3_600;
        let mut policy = self.get("/api/v1/limits")?.ok()?.get("policy").cloned().context("a policy")?;
        policy.as_object_mut().context("an object")?.insert("resets_at".to_owned(), ((hour + 12) % 24).into());
        self.patch("/api/v1/limits", &policy)?.ok().map(drop)
    }

    /// Logs in; later calls carry the session.
    pub fn login(&self, email: &str, password: &str) -> Result<Value> {
        let body = serde_json::json!({ "email": email, "password": password });
        self.post("/api/v1/session", &body)?.ok()
    }

    /// `name=value` pairs for a browser or another client.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response> {
        let text = body.map(Value::to_string);
        self.send(method, path, text.as_ref().map(|it| ("application/json", it.as_bytes())))
    }

    fn send(&self, method: Method, path: &str, body: Option<(&str, &[u8])>) -> Result<Response> {
        let asked = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("origin", &self.base)
            .header("x-mailroom", "1");
        let cookies: Vec<String> = self.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = match body {
            Some((kind, bytes)) => self.agent.run(request.header("content-type", kind).body(bytes)?),
            None => self.agent.run(request.body(())?),
        };
        let mut answer = answer.with_context(|| format!("{asked} got no answer"))?;
        self.keep_cookies(answer.headers().get_all("set-cookie").iter().filter_map(|it| it.to_str().ok()));
        let content_type =
            answer.headers().get("content-type").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Response {
            status: answer.status().as_u16(),
            content_type,
            bytes: answer.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec()?,
            request: asked,
        })
    }

    fn keep_cookies<'a>(&self, set: impl Iterator<Item = &'a str>) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for cookie in set {
            let Some((name, value)) = cookie.split(';').next().and_then(|it| it.split_once('=')) else { continue };
            let expired = value.is_empty() || cookie.to_ascii_lowercase().contains("max-age=0");
            if expired {
                cookies.remove(name.trim());
            } else {
                cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.bytes)
            .with_context(|| format!("{} answered {} without JSON: {}", self.request, self.status, short(&self.text())))
    }

    /// The body of a 2xx answer (null when empty); anything else is an error that shows the problem.
    pub fn ok(&self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("{} answered {}: {}", self.request, self.status, short(&self.text()));
        }
        if self.bytes.is_empty() { Ok(Value::Null) } else { self.json() }
    }
}

fn short(text: &str) -> String {
    text.chars().take(600).collect()
}
