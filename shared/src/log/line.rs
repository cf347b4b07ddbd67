//! One line of the log, and the rows it is made of.

use serde::Deserialize;
use serde::Serialize;

use super::Direction;
use super::Kind;
use super::Level;
use super::mask_text;
use super::talk::Step;
use crate::id::RecordId;
use crate::time::Timestamp;

/// One act on a mail. As JSON this is a line of a day file too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogLine {
    /// Stable: the same act has the same id in the page, in the day file and tomorrow.
    pub id: String,
    pub at: Timestamp,
    pub kind: Kind,
    pub level: Level,
    pub direction: Direction,
    /// Envelope sender, or From of what we send.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The recipient; of the house the address or server it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Rule, answer of the server, reason: as it was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Code of the reason: `held.*`, `refusal.*`, `ignored.*`, `fault.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who did it, when it was a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Id for `/trace/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_number: Option<String>,
}

impl LogLine {
    /// For readers who may not see addresses in full.
    #[must_use]
    pub fn masked(mut self) -> Self {
        for it in [&mut self.from, &mut self.to, &mut self.text, &mut self.subject] {
            *it = mask_text(it);
        }
        if self.id.contains('@') {
            self.id = format!("s{}", self.at.as_millis());
        }
        // The local part of a Message-ID may be a person's.
        self.message_id = None;
        self
    }
}

/// A row that says something, from whichever table.
#[derive(Debug, Clone, Default)]
pub struct Fact {
    /// Of the row: `i`, `h`, `r`, `g`, `d`, `s`, `l` and the row's id.
    pub id: String,
    pub at: Timestamp,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub message_id: Option<String>,
    pub server: Option<String>,
    pub text: String,
    pub reason: Option<String>,
    pub by: Option<String>,
    pub trace: Option<String>,
    pub record: Option<RecordId>,
    pub record_number: Option<String>,
}

impl Fact {
    fn line(&self, part: &str, at: Timestamp, kind: Kind, text: String) -> LogLine {
        LogLine {
            id: format!("{}{part}", self.id),
            at,
            kind,
            level: kind.level(),
            direction: kind.direction(),
            from: self.from.clone(),
            to: self.to.clone(),
            subject: self.subject.clone(),
            message_id: self.message_id.clone(),
            server: self.server.clone(),
            text,
            reason: None,
            by: self.by.clone(),
            trace: self.trace.clone(),
            record: self.record.clone(),
            record_number: self.record_number.clone(),
        }
    }

    /// The one line that most rows are.
    pub fn single(self, kind: Kind) -> LogLine {
        let mut line = self.line("", self.at, kind, self.text.clone());
        line.reason = self.reason;
        line
    }

    /// A mail that was accepted: that it came, and by which rule. `rule` is empty when nothing is known.
    pub fn arrival(self, size: u64, rule: &str) -> Vec<LogLine> {
        let mut lines = vec![self.line("", self.at, Kind::Received, format!("{size} bytes"))];
        if !rule.is_empty() {
            lines.push(self.line("-rule", self.at, Kind::Decided, rule.to_owned()));
        }
        lines
    }

    /// A try to hand over: each answer of the server, then what it came to.
    pub fn try_of(self, kind: Kind, talk: &[Step]) -> Vec<LogLine> {
        let mut lines: Vec<LogLine> = talk
            .iter()
            .enumerate()
            .map(|(n, (at, said, answer))| {
                let kind = if said.is_empty() { Kind::Connected } else { Kind::Answered };
                let text = if said.is_empty() { answer.clone() } else { format!("{said} → {answer}") };
                let mut line = self.line(&format!("-{n:02}"), *at, kind, text);
                line.by = None;
                line
            })
            .collect();
        lines.push(self.single(kind));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_is_its_answers_and_its_outcome() {
        let at = Timestamp::from_millis;
        let fact = Fact {
            id: "d7".to_owned(),
            at: at(9),
            to: "ann@x.test".to_owned(),
            text: "250 ok".to_owned(),
            ..Fact::default()
        };
        let talk = [(at(1), String::new(), "220 hi".to_owned()), (at(2), "DATA".to_owned(), "354 go".to_owned())];
        let lines = fact.try_of(Kind::HandedOver, &talk);
        let read: Vec<_> =
            lines.iter().map(|it| (it.id.as_str(), it.at.as_millis(), it.kind, it.text.as_str())).collect();
        assert_eq!(
            read,
            [
                ("d7-00", 1, Kind::Connected, "220 hi"),
                ("d7-01", 2, Kind::Answered, "DATA → 354 go"),
                ("d7", 9, Kind::HandedOver, "250 ok"),
            ]
        );
        let masked = lines.into_iter().next_back().unwrap().masked();
        assert_eq!(masked.to, "a**@x.test");
        let text = serde_json::to_string(&masked).unwrap();
        assert_eq!(serde_json::from_str::<LogLine>(&text).unwrap(), masked);
        assert!(!text.contains("subject"));
    }
}
