//! What the stories in `tests/tests` do again and again: a set-up stack, an agent behind the API, a clock that moves, and
//! asking until there is an answer. Whatever goes wrong here is a failed test, so these panic with what is known.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` makes values")]
#![allow(clippy::missing_panics_doc, reason = "said above")]

use std::thread;
use std::time::Duration;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;

use crate::client::Client;
use crate::sink::Received;
use crate::stack::Stack;
use crate::stack::StackOptions;

pub const DOMAIN: &str = "corp.example";
/// The administrator of a story's company.
pub const AGENT: &str = "mai@corp.example";
pub const PASSWORD: &str = "a good password";

/// A stack of its own, set up, with an administrator logged in; mail goes out to the sink. The clock does not move by
/// itself here.
pub fn start(name: &str) -> (Stack, Client) {
    start_with(name, |stack| stack.sink().address().port())
}

/// The same with another outgoing server: `server` starts it and says its port.
pub fn start_with(name: &str, server: impl FnOnce(&Stack) -> u16) -> (Stack, Client) {
    start_by(name, |stack| json!({ "host": "127.0.0.1", "port": server(stack) }))
}

/// The same with all that the first-run form asks of an outgoing server.
pub fn start_by(name: &str, smtp: impl FnOnce(&Stack) -> Value) -> (Stack, Client) {
    let stack = Stack::start(StackOptions::test(name)).unwrap();
    let form = json!({
        "company": "Corp", "name": "Mai Lindqvist", "email": AGENT, "password": PASSWORD, "domain": DOMAIN,
        "language": "en", "smtp": smtp(&stack),
    });
    assert!(stack.set_up(&form).unwrap());
    let api = stack.client();
    api.login(AGENT, PASSWORD).unwrap();
    (stack, api)
}

/// Asks until there is an answer; the test says how long a user would wait.
pub fn within<T>(limit: Duration, what: &str, stack: &Stack, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "waited {limit:?} for {what}\n{}", stack.log_tail(60));
        thread::sleep(Duration::from_millis(50));
    }
}

/// How long a queue may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(10);

/// The JSON of a path.
pub fn get(api: &Client, path: &str) -> Value {
    api.get(path).unwrap().ok().unwrap()
}

/// The newest records, of all types.
pub fn records(api: &Client) -> Vec<Value> {
    get(api, "/api/v1/records?limit=200")["items"].as_array().unwrap().clone()
}

/// The chatter without its system lines.
pub fn messages(api: &Client, record: &str) -> Vec<Value> {
    let all = get(api, &format!("/api/v1/records/{record}/messages?limit=100"));
    all["items"].as_array().unwrap().iter().filter(|it| it["kind"] != "system").cloned().collect()
}

/// Waits for it.
pub fn record_titled(api: &Client, stack: &Stack, title: &str) -> Value {
    within(SOON, &format!("the record {title}"), stack, || records(api).into_iter().find(|it| it["title"] == title))
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// Moves the Worker's clock.
pub fn set_clock(api: &Client, ahead: Duration) {
    let offset = i64::try_from(ahead.as_millis()).unwrap();
    api.post("/api/dev/switches", &json!({ "clock_offset": offset })).unwrap().ok().unwrap();
}

/// Closes the undo window and sends what is due.
pub fn send_now(stack: &Stack, api: &Client, ahead: Duration) {
    set_clock(api, ahead);
    stack.cron(None).unwrap();
}

/// Posts a message on a record; `body` says what differs from an empty one.
pub fn post(api: &Client, record: &str, body: Value) -> Value {
    let mut message = json!({ "mode": "message", "text": "" });
    for (key, value) in body.as_object().unwrap() {
        message[key] = value.clone();
    }
    api.post(&format!("/api/v1/records/{record}/messages"), &message).unwrap().ok().unwrap()
}

pub fn deliveries(api: &Client, message: &str) -> Value {
    get(api, &format!("/api/v1/messages/{message}/deliveries"))
}

/// State of one recipient, empty when there is none.
pub fn state_of(api: &Client, message: &str, address: &str) -> String {
    let all = deliveries(api, message);
    let found = all["deliveries"].as_array().unwrap().iter().find(|it| it["address"] == address).cloned();
    found.map(|it| it["state"].as_str().unwrap().to_owned()).unwrap_or_default()
}

pub fn received(stack: &Stack, address: &str) -> Vec<Received> {
    stack.sink().messages_to(address)
}

/// A raw mail with its lines joined and its base64 parts opened: enough to look for a link in it.
fn readable(raw: &str) -> String {
    let mut text = raw.replace("=\r\n", "");
    for part in raw.split("\r\n\r\n") {
        let block: String = part.lines().take_while(|it| !it.starts_with("--")).collect();
        if let Ok(bytes) = STANDARD.decode(block.trim()) {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    text
}

/// The path of the newest link to a page of ours in mail to an address; waits for the mail.
pub fn link_to(stack: &Stack, address: &str, page: &str) -> String {
    let marker = format!("{}/{page}/", stack.base_url());
    within(SOON, &format!("a mail to {address} with a link to /{page}"), stack, || {
        let text = readable(&received(stack, address).pop()?.raw);
        let (_, rest) = text.split_once(&marker)?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)))?;
        Some(format!("/{page}/{}", rest.get(..end)?))
    })
}

/// A header of a raw mail, unfolded.
pub fn header(raw: &str, name: &str) -> String {
    let head = raw.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n\t", " ").replace("\r\n ", " ");
    let wanted = format!("{}: ", name.to_lowercase());
    let line = head.lines().find(|it| it.to_lowercase().starts_with(&wanted)).unwrap_or_default();
    line.get(wanted.len()..).unwrap_or_default().trim().to_owned()
}
