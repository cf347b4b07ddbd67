//! R2.

use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::env::DEV_FAULTS;
use crate::ports::BlobError;
use crate::ports::Blobs;

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
}
