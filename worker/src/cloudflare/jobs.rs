//! The queue of nudges. Bodies travel as JSON text: structured values would become JavaScript Maps on the way.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use wasm_bindgen::JsValue;
use worker::QueueContentType;
use worker::RawMessageBuilder;

use super::env::DEV_FAULTS;
use super::halt;
use crate::jobs::Job;
use crate::ports::JobError;
use crate::ports::Jobs;

pub(super) struct Queue(pub(super) worker::Queue);

#[async_trait(?Send)]
impl Jobs for Queue {
    async fn send(&self, job: &Job, delay_seconds: u32) -> Result<(), JobError> {
        if DEV_FAULTS.jobs.load(Ordering::Relaxed) {
            return Err(JobError("made to fail".to_owned()));
        }
        halt::before("queue send").await;
        let text = serde_json::to_string(job).map_err(|e| JobError(e.to_string()))?;
        let message = RawMessageBuilder::new(JsValue::from_str(&text))
            .delay_seconds(delay_seconds)
            .build_with_content_type(QueueContentType::Text);
        self.0.send_raw(message).await.map_err(|e| JobError(e.to_string()))
    }
}
