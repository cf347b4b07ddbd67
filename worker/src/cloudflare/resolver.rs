//! DNS over HTTPS (RFC 8484).

use std::cell::Cell;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::Either;
use futures::future::select;
use mailroom_shared::doctor::dns::Answer;
use mailroom_shared::doctor::dns::Question;
use mailroom_shared::doctor::wire;
use worker::Fetch;
use worker::Headers;
use worker::Method;
use worker::Request;
use worker::RequestInit;

use crate::log;
use crate::ports::Resolver;

/// For one question, with one more try.
const TIMEOUT: Duration = Duration::from_secs(4);
/// The platform has six connections that wait for an answer; mail needs some.
const AT_ONCE: usize = 4;
/// Failures in a row after which the rest is not asked.
const GIVE_UP: u32 = 8;
/// Longest answer that is read.
const MAX_ANSWER: usize = 65_535;

const UNREACHABLE: &str = "the DNS resolver could not be reached";

pub(super) struct DnsOverHttps;

#[async_trait(?Send)]
impl Resolver for DnsOverHttps {
    async fn resolve(&self, url: &str, questions: &[Question]) -> Vec<Answer> {
        // A resolver that can't be reached at all is not waited for question by question.
        let in_a_row = Cell::new(0);
        let one = async |question: &Question| {
            if in_a_row.get() >= GIVE_UP {
                return Answer::failed("no answer in time");
            }
            let answer = ask(url, question).await;
            in_a_row.set(if answer.failure().is_some() { in_a_row.get() + 1 } else { 0 });
            answer
        };
        futures::stream::iter(questions).map(one).buffered(AT_ONCE).collect().await
    }
}

async fn ask(url: &str, question: &Question) -> Answer {
    let query = match wire::query(question) {
        Ok(query) => query,
        Err(error) => return Answer::failed(&error),
    };
    let mut last = String::new();
    for _ in 0..2 {
        let asked = select(Box::pin(post(url, &query)), Box::pin(worker::Delay::from(TIMEOUT))).await;
        match asked {
            Either::Left((Ok(bytes), _)) => return wire::read(question, &bytes),
            Either::Left((Err(error), _)) => last = error,
            Either::Right(_) => "no answer in time".clone_into(&mut last),
        }
    }
    Answer::failed(&last)
}

async fn post(url: &str, query: &[u8]) -> Result<Vec<u8>, String> {
    let text = |e: worker::Error| e.to_string();
    let headers = Headers::new();
    headers.set("content-type", wire::MEDIA).map_err(text)?;
    headers.set("accept", wire::MEDIA).map_err(text)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(headers).with_body(Some(js_sys::Uint8Array::from(query).into()));
    let request = Request::new_with_init(url, &init).map_err(text)?;
    let mut response = Fetch::Request(request).send().await.map_err(|error| {
        // What the runtime says is for the log; a person needs to know whom we could not ask.
        log::warn("resolver_unreachable", &[("error", &error.to_string())]);
        UNREACHABLE.to_owned()
    })?;
    if response.status_code() != 200 {
        return Err(format!("the DNS resolver answered HTTP {}", response.status_code()));
    }
    let bytes = response.bytes().await.map_err(|_| UNREACHABLE.to_owned())?;
    if bytes.len() > MAX_ANSWER { Err("answer too long".to_owned()) } else { Ok(bytes) }
}
