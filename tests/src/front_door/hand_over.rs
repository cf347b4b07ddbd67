//! One mail to the Worker through the poster (`tests/poster`), and what became of it.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    /// The Worker said no, with this reason.
    Rejected(String),
    /// The Worker threw, or nobody answered.
    Failed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Rejected(reason) => write!(f, "refused: {reason}"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    outcome: String,
    reject_reason: Option<String>,
    error: Option<String>,
}

#[derive(Clone)]
pub struct Poster {
    agent: Agent,
    url: String,
}

impl Poster {
    /// `worker` is the development address of the stack, `http://127.0.0.1:8787`.
    pub fn new(worker: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_mins(2)))
            .build();
        Self { agent: config.new_agent(), url: format!("{}/__post", worker.trim_end_matches('/')) }
    }

    /// `from` empty is the null sender.
    pub fn post(&self, from: &str, to: &str, raw: &[u8]) -> Outcome {
        self.post_to(&[("from", from), ("to", to)], raw)
    }

    /// With any query, for benchmarks that hand over to another Worker.
    pub fn post_to(&self, query: &[(&str, &str)], raw: &[u8]) -> Outcome {
        let mut request = self.agent.post(&self.url).content_type("message/rfc822");
        for (name, value) in query {
            request = request.query(name, value);
        }
        match request.send(raw).and_then(|mut it| it.body_mut().read_to_string()) {
            Ok(text) => read(&text),
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }
}

fn read(text: &str) -> Outcome {
    let Ok(report) = serde_json::from_str::<Report>(text) else {
        return Outcome::Failed(format!("unexpected answer: {}", text.chars().take(200).collect::<String>()));
    };
    match report.outcome.as_str() {
        "ok" => Outcome::Accepted,
        "rejected" => Outcome::Rejected(report.reject_reason.unwrap_or_else(|| "refused".to_owned())),
        _ => Outcome::Failed(report.error.unwrap_or(report.outcome)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_an_outcome() {
        assert_eq!(read(r#"{"outcome":"ok"}"#), Outcome::Accepted);
        assert_eq!(read(r#"{"outcome":"rejected","rejectReason":"no"}"#), Outcome::Rejected("no".into()));
        assert_eq!(read(r#"{"outcome":"exception","error":"boom"}"#), Outcome::Failed("boom".into()));
        assert!(matches!(read("<html>"), Outcome::Failed(_)));
    }
}
