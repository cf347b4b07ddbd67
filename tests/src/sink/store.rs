//! Mail the sink accepted, in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;

use crate::smtp::Envelope;

/// Oldest mail goes first beyond this, so that a benchmark cannot fill the memory.
const MAX_BYTES: usize = 512 * 1024 * 1024;

#[derive(Debug, Clone, Serialize)]
pub struct Received {
    pub id: u64,
    /// Milliseconds since 1970.
    pub time: u64,
    pub from: String,
    pub to: Vec<String>,
    pub helo: String,
    pub tls: bool,
    pub login: Option<String>,
    /// As it came, with anything that is not UTF-8 replaced; the exact bytes are in `bytes` and under `/messages/ID`.
    pub raw: String,
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

#[derive(Default)]
pub struct Store {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    total: u64,
    bytes: usize,
    mails: VecDeque<Stored>,
}

struct Stored {
    id: u64,
    time: u64,
    envelope: Envelope,
    raw: Vec<u8>,
}

impl Store {
    pub(super) fn add(&self, envelope: Envelope, raw: Vec<u8>) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.next += 1;
        inner.total += 1;
        inner.bytes += raw.len();
        let id = inner.next;
        inner.mails.push_back(Stored { id, time: now(), envelope, raw });
        while inner.bytes > MAX_BYTES {
            let Some(oldest) = inner.mails.pop_front() else { break };
            inner.bytes -= oldest.raw.len();
        }
        id
    }

    /// Mail for `to`, or all of it, oldest first.
    pub fn find(&self, to: Option<&str>) -> Vec<Received> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.mails.iter().filter(|it| to.is_none_or(|to| it.is_for(to))).map(Stored::shown).collect()
    }

    pub fn get(&self, id: u64) -> Option<Received> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.mails.iter().find(|it| it.id == id).map(Stored::shown)
    }

    /// Accepted since the start or the last [`Store::clear`], including what was dropped for room.
    pub fn total(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).total
    }

    pub fn clear(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.mails.clear();
        inner.bytes = 0;
        inner.total = 0;
    }
}

impl Stored {
    fn is_for(&self, to: &str) -> bool {
        self.envelope.to.iter().any(|it| it.eq_ignore_ascii_case(to))
    }

    fn shown(&self) -> Received {
        Received {
            id: self.id,
            time: self.time,
            from: self.envelope.from.clone(),
            to: self.envelope.to.clone(),
            helo: self.envelope.helo.clone(),
            tls: self.envelope.tls,
            login: self.envelope.login.clone(),
            raw: String::from_utf8_lossy(&self.raw).into_owned(),
            bytes: self.raw.clone(),
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
