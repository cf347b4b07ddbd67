//! R2.

use std::sync::atomic::Ordering;

use async_trait::async_trait;

use mailroom_shared::time::Timestamp;

use super::env::DEV_FAULTS;
use crate::ports::BlobError;
use crate::ports::BlobPage;
use crate::ports::Blobs;
use crate::ports::StoredBlob;

pub(super) struct R2(pub(super) worker::Bucket);

#[async_trait(?Send)]
impl Blobs for R2 {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), BlobError> {
        if DEV_FAULTS.blobs.load(Ordering::Relaxed) {
            return Err(BlobError("made to fail".to_owned()));
        }
        let put = self.0.put(key, bytes.to_vec()).execute().await;
        put.map(|_| ()).map_err(|e| BlobError(e.to_string()))
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BlobError> {
        if DEV_FAULTS.blobs.load(Ordering::Relaxed) {
            return Err(BlobError("made to fail".to_owned()));
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
