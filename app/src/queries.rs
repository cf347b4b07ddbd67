//! Data of the Worker: one hook per read, one function per write, tags that say what a change makes stale.
//!
//! A read keeps its last good answer while it is asked again and when that fails: nothing flickers, and *stale* is a
//! state that can be shown. The request itself is text to text, so that it is compiled once.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::Endpoint;
use mailroom_shared::api::Method;
use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;

use crate::api;
use crate::api::ApiError;
use crate::model::merge;
use crate::model::merge::Row;
use crate::session::SessionState;
use crate::session::use_session;

pub mod aliases;
pub mod campaigns;
pub mod contacts;
pub mod doctor;
pub mod emails;
pub mod failures;
pub mod incoming;
pub mod logs;
pub mod messages;
pub mod notifications;
pub mod people;
pub mod records;
pub mod servers;
pub mod session;
pub mod shell;
pub mod templates;

/// Counters behind tags; a read watches those of its tags.
#[derive(Clone, Copy)]
pub struct Cache {
    tags: StoredValue<Vec<(String, ArcRwSignal<u32>)>>,
    session: SessionState,
}

impl Cache {
    pub fn provide() -> Self {
        let cache = Self { tags: StoredValue::new(Vec::new()), session: use_session() };
        provide_context(cache);
        cache
    }

    fn counter(self, tag: &str) -> ArcRwSignal<u32> {
        let mut counter = ArcRwSignal::new(0);
        self.tags.try_update_value(|tags| match tags.iter().find(|(it, _)| it == tag) {
            Some((_, known)) => counter = known.clone(),
            None => tags.push((tag.to_owned(), counter.clone())),
        });
        counter
    }

    /// The running read is repeated when this tag goes stale.
    pub fn track(self, tag: &str) {
        self.counter(tag).track();
    }

    /// What carries this tag is read again.
    pub fn stale(self, tag: &str) {
        self.counter(tag).update(|it| *it = it.wrapping_add(1));
    }

    /// Everything is read again.
    pub fn all_stale(self) {
        let all = self.tags.try_with_value(Clone::clone).unwrap_or_default();
        for (_, counter) in all {
            counter.update(|it| *it = it.wrapping_add(1));
        }
    }

    /// After a write: tags go stale when it worked, and an expired session leads to the login.
    pub fn settle<T>(self, result: Result<T, ApiError>, tags: &[&str]) -> Result<T, ApiError> {
        match &result {
            Ok(_) => tags.iter().for_each(|tag| self.stale(tag)),
            Err(error) => self.failed(error),
        }
        result
    }

    fn failed(self, error: &ApiError) {
        if error.code() == Some(ProblemCode::Unauthorized) {
            self.session.leave();
        }
    }
}

pub fn use_cache() -> Cache {
    use_context::<Cache>().unwrap_or_else(|| Cache { tags: StoredValue::new(Vec::new()), session: use_session() })
}

/// What a read knows: the last good answer, and what went wrong since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<T> {
    pub data: Option<T>,
    pub problem: Option<ApiError>,
}

/// A running read.
pub struct Read<T: Send + Sync + 'static> {
    pub state: Memo<Loaded<T>>,
    again: RwSignal<u32>,
}

impl<T: Send + Sync + 'static> Clone for Read<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Read<T> {}

impl<T: Clone + PartialEq + Send + Sync + 'static> Read<T> {
    /// The last good answer; tracked.
    pub fn data(self) -> Option<T> {
        self.state.with(|it| it.data.clone())
    }

    /// A part of the last good answer that changes only when it does.
    pub fn part<P: Clone + PartialEq + Send + Sync + 'static>(
        self,
        pick: impl Fn(&T) -> P + Send + Sync + 'static,
    ) -> Memo<Option<P>> {
        Memo::new(move |_| self.state.with(|it| it.data.as_ref().map(&pick)))
    }

    /// Asks again.
    pub fn retry(self) {
        self.again.update(|it| *it += 1);
    }
}

/// Reads an operation whenever its address changes or one of its tags goes stale. No address, no request.
pub fn read<E>(tags: Vec<String>, address: impl Fn() -> Option<String> + Send + Sync + 'static) -> Read<E::Reply>
where
    E: Endpoint,
    E::Reply: Clone + PartialEq + Send + Sync + 'static,
{
    let cache = use_cache();
    let again = RwSignal::new(0_u32);
    let answer = fetch(cache, tags, again, Signal::derive(address));
    let state = Memo::new(move |before: Option<&Loaded<E::Reply>>| {
        let old = || before.and_then(|it| it.data.clone());
        answer.with(|answer| match answer {
            None => Loaded { data: old(), problem: None },
            Some(Err(problem)) => Loaded { data: old(), problem: Some(problem.clone()) },
            Some(Ok(text)) => match api::decode(text) {
                Ok(data) => Loaded { data: Some(data), problem: None },
                Err(problem) => Loaded { data: old(), problem: Some(problem) },
            },
        })
    });
    Read { state, again }
}

type Answer = Option<Result<String, ApiError>>;

/// The untyped half of [`read`]. Of requests that overtake one another the last one asked counts.
fn fetch(cache: Cache, tags: Vec<String>, again: RwSignal<u32>, address: Signal<Option<String>>) -> RwSignal<Answer> {
    let (answer, asked) = (RwSignal::new(None), StoredValue::new(0_u32));
    Effect::new(move |before: Option<u32>| {
        again.track();
        for tag in &tags {
            cache.track(tag);
        }
        let number = before.unwrap_or(0) + 1;
        asked.set_value(number);
        let Some(address) = address.get() else {
            answer.set(None);
            return number;
        };
        spawn_local(async move {
            let got = api::send(Method::Get, &address, None).await;
            if asked.try_get_value() != Some(number) {
                return;
            }
            if let Err(error) = &got {
                cache.failed(error);
            }
            answer.set(Some(got));
        });
        number
    });
    answer
}

/// A seek-paged list that stays up to date.
pub struct List<T: Send + Sync + 'static> {
    pub rows: RwSignal<Vec<T>>,
    /// The first answer has come.
    pub ready: RwSignal<bool>,
    /// Another query's answer is on its way: what is shown is old.
    pub stale: RwSignal<bool>,
    pub problem: RwSignal<Option<ApiError>>,
    pub total: RwSignal<Option<u32>>,
    next: RwSignal<Option<String>>,
    more: RwSignal<bool>,
    again: RwSignal<u32>,
    url: Signal<String>,
    cache: Cache,
}

impl<T: Send + Sync + 'static> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for List<T> {}

impl<T> List<T>
where
    T: Row + serde::de::DeserializeOwned + Send + Sync + 'static,
{
    /// Reads `url` (with its query) now, when it changes and when a tag goes stale. The next page is `url&cursor=…`.
    pub fn new(tag: &'static str, url: Signal<String>) -> Self {
        let cache = use_cache();
        let list = Self {
            rows: RwSignal::new(Vec::new()),
            ready: RwSignal::new(false),
            stale: RwSignal::new(false),
            problem: RwSignal::new(None),
            total: RwSignal::new(None),
            next: RwSignal::new(None),
            more: RwSignal::new(false),
            again: RwSignal::new(0),
            url,
            cache,
        };
        Effect::new(move |before: Option<String>| {
            cache.track(tag);
            list.again.track();
            let url = url.get();
            let is_other = before.is_some_and(|it| it != url);
            if is_other {
                list.stale.set(true);
            }
            list.read_first(url.clone(), is_other);
            url
        });
        list
    }

    fn read_first(self, url: String, is_other: bool) {
        spawn_local(async move {
            let answer = api::send(Method::Get, &url, None).await.and_then(|it| api::decode::<Page<T>>(&it));
            if self.url.try_get_untracked().is_none_or(|it| it != url) {
                return;
            }
            match answer {
                Ok(page) => {
                    let is_last = page.next.is_none();
                    let kept = if is_other { Vec::new() } else { self.rows.get_untracked() };
                    let rows = merge::refresh(&kept, page.items, is_last);
                    // Rows beyond the first page have their own cursor, which stays good.
                    if is_other || is_last || self.next.get_untracked().is_none() && kept.is_empty() {
                        self.next.set(page.next);
                    }
                    if self.rows.with_untracked(|old| *old != rows) {
                        self.rows.set(rows);
                    }
                    self.total.set(page.total);
                    self.problem.set(None);
                    self.ready.set(true);
                }
                Err(error) => {
                    self.cache.failed(&error);
                    self.problem.set(Some(error));
                }
            }
            self.stale.set(false);
        });
    }

    /// Reads the next page, once.
    pub fn read_more(self) {
        let Some(cursor) = self.next.get_untracked().filter(|_| !self.more.get_untracked()) else { return };
        self.more.set(true);
        let url = self.url.get_untracked();
        let joint = if url.contains('?') { '&' } else { '?' };
        let address = format!("{url}{joint}cursor={}", mailroom_shared::api::percent_encode(&cursor));
        spawn_local(async move {
            let answer = api::send(Method::Get, &address, None).await.and_then(|it| api::decode::<Page<T>>(&it));
            if self.url.try_get_untracked().is_none_or(|it| it != url) {
                let _ = self.more.try_set(false);
                return;
            }
            match answer {
                Ok(page) => {
                    self.rows.update(|rows| merge::append(rows, page.items));
                    self.next.set(page.next);
                }
                Err(error) => self.problem.set(Some(error)),
            }
            self.more.set(false);
        });
    }

    /// There are rows that are not loaded; tracked.
    pub fn has_more(self) -> bool {
        self.next.with(Option::is_some)
    }

    pub fn retry(self) {
        self.problem.set(None);
        self.again.update(|it| *it += 1);
    }

    /// Takes a row out before the Worker says so; the next read brings it back when it was wrong.
    pub fn take_out(self, id: &str) {
        self.rows.update(|rows| rows.retain(|it| it.id() != id));
    }
}
