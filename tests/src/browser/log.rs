//! Lines of the browser's console.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, Deserialize)]
pub struct LogEntry {
    pub level: String,
    pub message: String,
}

impl LogEntry {
    pub fn is_error(&self) -> bool {
        self.level == "SEVERE"
    }

    /// The address of a `Network.requestWillBeSent` of the DevTools protocol; its lines of the log are JSON.
    pub fn requested(&self) -> Option<String> {
        let event: Value = serde_json::from_str(&self.message).ok()?;
        let is_request = event.pointer("/message/method")? == "Network.requestWillBeSent";
        let url = event.pointer("/message/params/request/url")?.as_str()?;
        is_request.then(|| url.to_owned())
    }
}
