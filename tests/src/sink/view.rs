//! What the sink accepted, by HTTP, for tests and people without access to this process.

use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::{Result, anyhow};
use serde_json::json;
use tiny_http::{Header, Method, Request, Response};

use super::store::Store;

pub(super) struct View {
    server: Arc<tiny_http::Server>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl View {
    pub(super) fn start(address: SocketAddr, store: Arc<Store>) -> Result<Self> {
        let server = tiny_http::Server::http(address).map_err(|error| {
            anyhow!("cannot listen on {address} for the sink's HTTP view ({error}); is another copy running?")
        })?;
        let server = Arc::new(server);
        let address = server.server_addr().to_ip().unwrap_or(address);
        let thread = thread::Builder::new().name("sink view".to_owned()).spawn({
            let server = Arc::clone(&server);
            move || {
                for request in server.incoming_requests() {
                    let response = answer(&request, &store);
                    // The peer may have gone; there is nobody to tell.
                    let _ = request.respond(response);
                }
            }
        })?;
        Ok(Self { server, address, thread: Some(thread) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

type Body = Response<Cursor<Vec<u8>>>;

fn answer(request: &Request, store: &Store) -> Body {
    let (path, query) = request.url().split_once('?').unwrap_or((request.url(), ""));
    match (request.method(), path.strip_prefix("/messages")) {
        (Method::Get, Some("")) => {
            let to = parameter(query, "to");
            json_body(&json!(store.find(to.as_deref())))
        }
        (Method::Delete, Some("")) => {
            store.clear();
            Response::from_data(Vec::new()).with_status_code(204)
        }
        (Method::Get, Some(rest)) => {
            let id = rest.trim_start_matches('/').parse().ok();
            match id.and_then(|id| store.get(id)) {
                Some(mail) => with_type(Response::from_data(mail.bytes), "message/rfc822"),
                None => not_found(),
            }
        }
        (Method::Get, None) if path == "/count" => json_body(&json!({ "count": store.total() })),
        _ => not_found(),
    }
}

fn json_body(value: &serde_json::Value) -> Body {
    with_type(Response::from_data(value.to_string().into_bytes()), "application/json")
}

fn not_found() -> Body {
    let help = "GET /messages?to=ADDRESS, GET /messages/ID, GET /count, DELETE /messages\n";
    with_type(Response::from_data(help.as_bytes().to_vec()).with_status_code(404), "text/plain")
}

fn with_type(response: Body, kind: &str) -> Body {
    match Header::from_bytes("content-type", kind) {
        Ok(header) => response.with_header(header),
        Err(()) => response,
    }
}

fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').filter_map(|it| it.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| decode(value))
}

/// Percent-decoding. A plus stays a plus: it is common in addresses, and blanks are not.
fn decode(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        if let Some(byte) = escaped.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_a_query_are_decoded() {
        assert_eq!(parameter("a=1&to=ok%2Bx%40sink.test", "to").as_deref(), Some("ok+x@sink.test"));
        assert_eq!(parameter("to=ok+x@sink.test", "to").as_deref(), Some("ok+x@sink.test"));
        assert_eq!(parameter("to=%zz", "to").as_deref(), Some("%zz"));
        assert_eq!(parameter("", "to"), None);
    }
}
