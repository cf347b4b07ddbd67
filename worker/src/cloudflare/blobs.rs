//! R2. A mail is read again a moment after it was kept, mostly by the same isolate: what was just written is remembered.
//! Keys are content hashes, so what is remembered is never out of date.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use async_trait::async_trait;

use mailroom_shared::time::Timestamp;

use super::env::DEV_FAULTS;
use super::halt;
use crate::ports::BlobError;
use crate::ports::BlobPage;
use crate::ports::Blobs;
use crate::ports::StoredBlob;

/// Larger ones are not remembered, and all together take no more than that: an isolate has 128 MB.
const REMEMBER_EACH: usize = 256 * 1024;
const REMEMBER_ALL: usize = 4 * 1024 * 1024;
/// Mails as they came in: files are not read again soon.
const REMEMBERED: &str = "raw/";

/// The newest last.
static RECENT: Mutex<VecDeque<(String, Vec<u8>)>> = Mutex::new(VecDeque::new());

fn remember(key: &str, bytes: &[u8]) {
    if !key.starts_with(REMEMBERED) || bytes.len() > REMEMBER_EACH {
        return;
    }
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.push_back((key.to_owned(), bytes.to_vec()));
    let mut size: usize = recent.iter().map(|(_, it)| it.len()).sum();
    while size > REMEMBER_ALL {
        let Some((_, oldest)) = recent.pop_front() else { return };
        size -= oldest.len();
    }
}

/// Given away: it is asked for once.
fn recall(key: &str) -> Option<Vec<u8>> {
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let place = recent.iter().position(|(it, _)| it == key)?;
    recent.remove(place).map(|(_, bytes)| bytes)
}

pub(super) struct R2(pub(super) worker::Bucket);

#[async_trait(?Send)]
impl Blobs for R2 {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), BlobError> {
        if DEV_FAULTS.blobs.load(Ordering::Relaxed) {
            return Err(BlobError("made to fail".to_owned()));
        }
        halt::before("R2 put").await;
        let put = self.0.put(key, bytes.to_vec()).execute().await;
        put.map(|_| remember(key, bytes)).map_err(|e| BlobError(e.to_string()))
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BlobError> {
        if DEV_FAULTS.blobs.load(Ordering::Relaxed) {
            return Err(BlobError("made to fail".to_owned()));
        }
        halt::before("R2 get").await;
        if let Some(bytes) = recall(key) {
            return Ok(Some(bytes));
        }
        let object = self.0.get(key).execute().await.map_err(|e| BlobError(e.to_string()))?;
        match object.as_ref().and_then(worker::Object::body) {
            Some(body) => body.bytes().await.map(Some).map_err(|e| BlobError(e.to_string())),
            None => Ok(None),
        }
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>, most: u32) -> Result<BlobPage, BlobError> {
        let mut list = self.0.list().prefix(prefix).limit(most);
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let objects = list.execute().await.map_err(|e| BlobError(e.to_string()))?;
        let blobs = objects
            .objects()
            .into_iter()
            .map(|it| StoredBlob {
                key: it.key(),
                size: it.size(),
                stored: Timestamp::from_millis(it.uploaded().as_millis().cast_signed()),
            })
            .collect();
        Ok(BlobPage { blobs, next: objects.cursor().filter(|_| objects.truncated()) })
    }

    async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        self.0.delete_multiple(keys.to_vec()).await.map_err(|e| BlobError(e.to_string()))
    }
}
