//! The chatter as a list of entries: day lines and messages, filtered.

use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::messages::MessageView;
use mailroom_shared::id::MessageId;
use mailroom_shared::time::Timestamp;

use super::when::local_day;

/// What the segmented control above the chatter shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Show {
    #[default]
    All,
    Messages,
    Notes,
}

impl Show {
    pub const ALL: [Self; 3] = [Self::All, Self::Messages, Self::Notes];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Messages => "messages",
            Self::Notes => "notes",
        }
    }

    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|it| it.as_str() == text).unwrap_or_default()
    }

    fn shows(self, message: &MessageView) -> bool {
        match self {
            Self::All => true,
            Self::Messages => !message.internal && message.kind != MessageKind::System,
            Self::Notes => message.internal && message.kind != MessageKind::System,
        }
    }
}

/// One line of the chatter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A new day begins; the number of the local day and a time within it.
    Day(i64, Timestamp),
    Message(MessageId),
}

impl Entry {
    /// Unique within a chatter.
    pub fn key(&self) -> String {
        match self {
            Self::Day(day, _) => format!("day{day}"),
            Self::Message(id) => id.to_string(),
        }
    }
}

/// Day lines between messages, which are oldest first.
pub fn entries(messages: &[MessageView], show: Show, offset: impl Fn(Timestamp) -> i64) -> Vec<Entry> {
    let mut out = Vec::with_capacity(messages.len() + 8);
    let mut last = None;
    for message in messages.iter().filter(|it| show.shows(it)) {
        let day = local_day(message.at, offset(message.at));
        if last != Some(day) {
            out.push(Entry::Day(day, message.at));
            last = Some(day);
        }
        out.push(Entry::Message(message.id.clone()));
    }
    out
}

/// Puts an older page before what is there, or a fresh newest page over it, without doubles; oldest first.
pub fn join(old: &[MessageView], page: &[MessageView]) -> Vec<MessageView> {
    let mut out: Vec<MessageView> =
        old.iter().filter(|it| page.iter().all(|new| new.id != it.id)).chain(page).cloned().collect();
    out.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    out
}

/// A fresh newest page: what it no longer has though it is as new (a message that was taken back) goes away.
pub fn refresh(old: &[MessageView], fresh: &[MessageView]) -> Vec<MessageView> {
    let Some(first) = fresh.first() else { return Vec::new() };
    let kept: Vec<_> = old.iter().filter(|it| (it.at, &it.id) < (first.at, &first.id)).cloned().collect();
    join(&kept, fresh)
}

/// The subject of a mail without what clients put before it.
fn bare_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some((prefix, tail)) = rest.split_once(':') {
        let known = ["re", "aw", "fw", "fwd", "wg", "tl", "trả lời", "chuyển tiếp"];
        if known.contains(&prefix.trim().to_lowercase().as_str()) {
            rest = tail.trim();
        } else {
            break;
        }
    }
    rest.to_lowercase()
}

/// Whether a message's subject says something that the title of the record does not.
pub fn subject_is_news(subject: &str, title: &str) -> bool {
    let subject = bare_subject(subject);
    !subject.is_empty() && subject != bare_subject(title)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn message(id: &str, at: &str, kind: &str) -> MessageView {
        let json = serde_json::json!({
            "id": id, "kind": kind, "internal": kind == "note", "incoming": kind == "email", "author_name": "Ann",
            "author_internal": false, "subject": "", "to": [], "cc": [], "reply_to": [], "text": "", "has_html": false,
            "has_remote_images": false, "attachments": [], "issues": [], "has_original": false,
            "at": Timestamp::parse_rfc3339(at).unwrap().as_millis(),
        });
        serde_json::from_value(json).unwrap()
    }

    fn check(messages: &[MessageView], show: Show, expected: &[&str]) {
        let got: Vec<_> = entries(messages, show, |_| 0)
            .into_iter()
            .map(|it| if let Entry::Message(id) = it { id.to_string() } else { "-".to_owned() })
            .collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_line_stands_where_the_day_changes() {
        let all = [
            message("1", "2026-11-23T08:00:00Z", "email"),
            message("2", "2026-11-23T09:00:00Z", "note"),
            message("3", "2026-11-24T09:00:00Z", "comment"),
            message("4", "2026-11-24T09:10:00Z", "system"),
        ];
        check(&all, Show::All, &["-", "1", "2", "-", "3", "4"]);
        check(&all, Show::Notes, &["-", "2"]);
        check(&all, Show::Messages, &["-", "1", "-", "3"]);
        check(&[], Show::All, &[]);
    }

    #[test]
    fn pages_join_without_doubles_and_what_was_taken_back_goes() {
        let ids = |all: &[MessageView]| all.iter().map(|it| it.id.to_string()).collect::<Vec<_>>();
        let (a, b, c) = (
            message("a", "2026-11-23T08:00:00Z", "email"),
            message("b", "2026-11-23T09:00:00Z", "email"),
            message("c", "2026-11-23T10:00:00Z", "comment"),
        );
        let joined = join(&[b.clone(), c.clone()], &[a.clone(), b.clone()]);
        assert_eq!(ids(&joined), ["a", "b", "c"]);
        assert_eq!(ids(&refresh(&[a.clone(), b.clone(), c], std::slice::from_ref(&b))), ["a", "b"]);
        assert!(refresh(&[a], &[]).is_empty());
    }

    #[test]
    fn a_reply_prefix_is_no_news() {
        assert!(!subject_is_news("Re: AW: Chairs", "Chairs"));
        assert!(!subject_is_news("", "Chairs"));
        assert!(subject_is_news("Invoice: overdue", "Chairs"));
    }
}
