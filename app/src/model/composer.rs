//! The composer: one draft per mode, so that a note can never leave as a message; mentions; who it goes to.

use mailroom_shared::api::messages::NewMessage;
use mailroom_shared::api::messages::PostMode;
use mailroom_shared::api::messages::RecipientView;
use mailroom_shared::api::messages::TellBy;
use mailroom_shared::api::records::AttachmentView;
use mailroom_shared::id::ContactId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;
use serde::Serialize;

/// What is written in one mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Text {
    pub text: String,
    pub attachments: Vec<AttachmentView>,
    /// People called with @, with the name they were called by.
    pub mentions: Vec<(ContactId, String)>,
}

/// All that is written on a record and not yet sent; kept in the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    pub mode: PostMode,
    pub message: Text,
    pub note: Text,
    pub subject: String,
    pub to: String,
    pub cc: String,
    pub bcc: String,
    pub leave_out: Vec<ContactId>,
    /// Leaves at this minute rather than now.
    pub send_at: Option<Timestamp>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            mode: PostMode::Message,
            message: Text::default(),
            note: Text::default(),
            subject: String::new(),
            to: String::new(),
            cc: String::new(),
            bcc: String::new(),
            leave_out: Vec::new(),
            send_at: None,
        }
    }
}

impl Draft {
    /// What is written in the mode that is on.
    pub fn now(&self) -> &Text {
        match self.mode {
            PostMode::Message => &self.message,
            PostMode::Note => &self.note,
        }
    }

    pub fn now_mut(&mut self) -> &mut Text {
        match self.mode {
            PostMode::Message => &mut self.message,
            PostMode::Note => &mut self.note,
        }
    }

    /// Nothing worth keeping.
    pub fn is_blank(&self) -> bool {
        let blank = |it: &Text| it.text.trim().is_empty() && it.attachments.is_empty();
        let fields = [&self.to, &self.cc, &self.bcc, &self.subject];
        blank(&self.message) && blank(&self.note) && fields.iter().all(|it| it.trim().is_empty())
    }

    /// There is something to send in the mode that is on.
    pub fn can_send(&self) -> bool {
        let now = self.now();
        !now.text.trim().is_empty() || !now.attachments.is_empty()
    }

    /// What is posted. The extra fields belong to a message only. A mention counts while its name stands in the text.
    pub fn post(&self, key: &str) -> NewMessage {
        let now = self.now();
        let is_message = self.mode == PostMode::Message;
        let only = |text: &str| if is_message { addresses(text) } else { Vec::new() };
        NewMessage {
            mode: self.mode,
            text: now.text.clone(),
            subject: if is_message { self.subject.trim().to_owned() } else { String::new() },
            to: only(&self.to),
            cc: only(&self.cc),
            bcc: only(&self.bcc),
            leave_out: self.leave_out.clone(),
            mentions: now
                .mentions
                .iter()
                .filter(|(_, name)| now.text.contains(&format!("@{name}")))
                .map(|(id, _)| id.clone())
                .collect(),
            attachments: now.attachments.iter().map(|it| it.id.clone()).collect(),
            send_at: self.send_at.filter(|_| is_message),
            key: key.to_owned(),
        }
    }

    /// After sending: the other mode's text stays.
    pub fn clear_sent(&mut self) {
        *self.now_mut() = Text::default();
        if self.mode == PostMode::Message {
            self.subject.clear();
            self.to.clear();
            self.cc.clear();
            self.bcc.clear();
            self.send_at = None;
        }
        self.leave_out.clear();
    }

    /// Takes a message back into the composer, with its files and those it called by name.
    pub fn put_back(
        &mut self,
        message: &NewMessage,
        attachments: Vec<AttachmentView>,
        called: Vec<(ContactId, String)>,
    ) {
        self.mode = message.mode;
        let now = self.now_mut();
        // What was typed meanwhile is not thrown away.
        now.text = match (message.text.is_empty(), now.text.trim().is_empty()) {
            (_, true) => message.text.clone(),
            (true, false) => now.text.clone(),
            (false, false) => format!("{}\n\n{}", message.text, now.text),
        };
        now.attachments.extend(attachments);
        now.mentions.extend(called);
        self.subject.clone_from(&message.subject);
        self.to = message.to.join(", ");
        self.cc = message.cc.join(", ");
        self.bcc = message.bcc.join(", ");
        self.leave_out.clone_from(&message.leave_out);
        self.send_at = message.send_at;
    }

    /// A filled template goes in front of what is written; one without a subject keeps that of the conversation.
    pub fn begin_with(&mut self, subject: &str, text: &str) {
        let now = self.now_mut();
        now.text = match now.text.trim() {
            "" => text.to_owned(),
            typed => format!("{text}\n\n{typed}"),
        };
        if !subject.is_empty() {
            subject.clone_into(&mut self.subject);
        }
    }
}

/// Addresses of a field, separated by comma, semicolon or line; a comma within quotes belongs to a name.
pub fn addresses(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut now, mut quoted) = (String::new(), false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                now.push(c);
            }
            ',' | ';' | '\n' if !quoted => out.push(std::mem::take(&mut now)),
            _ => now.push(c),
        }
    }
    out.push(now);
    out.iter().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

/// The `@word` the caret stands behind: where it starts (in characters) and what is typed of the name.
pub fn mention_at(text: &str, caret: usize) -> Option<(usize, String)> {
    let before: Vec<char> = text.chars().take(caret).collect();
    let start = before.iter().rposition(|c| *c == '@')?;
    let typed: String = before.iter().skip(start + 1).collect();
    let starts_word = start == 0 || before.get(start - 1).is_some_and(|c| c.is_whitespace() || "([,;".contains(*c));
    // A name may have two spaces; more is a sentence.
    let fits = typed.chars().count() <= 32 && !typed.contains('\n') && typed.matches(' ').count() <= 2;
    (starts_word && fits).then_some((start, typed))
}

/// The text with the typed `@word` replaced by a name, and where the caret goes.
pub fn insert_mention(text: &str, start: usize, caret: usize, name: &str) -> (String, usize) {
    let before: String = text.chars().take(start).collect();
    let after: String = text.chars().skip(caret).collect();
    let space = if after.starts_with(' ') { "" } else { " " };
    (format!("{before}@{name}{space}{after}"), start + name.chars().count() + 2)
}

/// Whether a name or address matches what is typed: every word starts some word of it.
pub fn matches(typed: &str, name: &str, email: &str) -> bool {
    let name = name.to_lowercase();
    typed
        .to_lowercase()
        .split_whitespace()
        .all(|part| name.split_whitespace().any(|it| it.starts_with(part)) || email.to_lowercase().starts_with(part))
}

/// People of the goes-to line: those who are told, and those who are not.
pub fn split_told(people: &[RecipientView]) -> (Vec<RecipientView>, Vec<RecipientView>) {
    people.iter().cloned().partition(|it| it.by != TellBy::Nobody)
}

/// First names for the placeholder: up to two, and how many more.
pub fn placeholder_names(people: &[RecipientView]) -> (Vec<String>, usize) {
    let told: Vec<_> = people.iter().filter(|it| it.by != TellBy::Nobody).collect();
    let names = told.iter().take(2).map(|it| it.name.split_whitespace().next().unwrap_or(&it.name).to_owned());
    (names.collect(), told.len().saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(mode: PostMode) -> Draft {
        Draft {
            mode,
            message: Text { text: "Hello".into(), ..Text::default() },
            note: Text { text: "secret".into(), ..Text::default() },
            cc: "a@x.test".into(),
            subject: " S ".into(),
            ..Draft::default()
        }
    }

    #[test]
    fn a_note_is_never_sent_as_a_message() {
        let post = draft(PostMode::Note).post("k");
        assert_eq!((post.text.as_str(), post.cc.len(), post.subject.as_str()), ("secret", 0, ""));
        let post = draft(PostMode::Message).post("k");
        assert_eq!((post.text.as_str(), post.cc.len(), post.subject.as_str()), ("Hello", 1, "S"));
        let mut sent = draft(PostMode::Message);
        sent.clear_sent();
        assert_eq!((sent.message.text.as_str(), sent.note.text.as_str()), ("", "secret"));
    }

    #[test]
    fn undo_loses_nothing() {
        let mut draft = draft(PostMode::Note);
        let message =
            super::Draft { message: Text { text: "sent".into(), ..Text::default() }, ..Draft::default() }.post("k");
        let bo = ContactId::parse("bo").unwrap();
        draft.put_back(&message, Vec::new(), vec![(bo.clone(), "Bo".into())]);
        assert_eq!(draft.message.text, "sent\n\nHello");
        draft.message.text = "@Bo look".into();
        assert_eq!(draft.post("k").mentions, [bo], "who was called is called again");
        assert_eq!(draft.note.text, "secret");
    }

    #[test]
    fn a_template_keeps_what_was_typed_and_a_time_belongs_to_messages() {
        let mut draft = draft(PostMode::Message);
        draft.send_at = Some(Timestamp::from_millis(60_000));
        draft.begin_with("", "Dear Ann,");
        assert_eq!((draft.message.text.as_str(), draft.subject.as_str()), ("Dear Ann,\n\nHello", " S "));
        let post = draft.post("k");
        assert_eq!(post.send_at, draft.send_at);
        draft.clear_sent();
        draft.begin_with("Boat", "Dear Ann,");
        assert_eq!((draft.message.text.as_str(), draft.subject.as_str()), ("Dear Ann,", "Boat"));
        assert_eq!(draft.send_at, None);
        draft.put_back(&post, Vec::new(), Vec::new());
        assert_eq!(draft.send_at, post.send_at, "what was cancelled does not leave at once");
        draft.mode = PostMode::Note;
        assert_eq!(draft.post("k").send_at, None);
    }

    #[test]
    fn addresses_split_outside_quotes() {
        assert_eq!(addresses("a@x.test; \"Lee, Ann\" <b@x.test>,, "), ["a@x.test", "\"Lee, Ann\" <b@x.test>"]);
    }

    #[test]
    fn mentions_are_found_and_inserted() {
        assert_eq!(mention_at("Hi @Ma", 6), Some((3, "Ma".into())));
        assert_eq!(mention_at("Hi @Ma now", 6), Some((3, "Ma".into())));
        assert_eq!(mention_at("a@b", 3), None, "an address is no mention");
        assert_eq!(mention_at("Hi", 2), None);
        let (text, caret) = insert_mention("ấy @Ma!", 3, 6, "Mai Lê");
        assert_eq!(text, "ấy @Mai Lê !");
        assert_eq!(caret, 11);
        assert!(matches("li ma", "Mai Lindqvist", "mai@x.test"));
        assert!(!matches("bo", "Mai Lindqvist", "mai@x.test"));
    }

    #[test]
    fn a_mention_that_was_deleted_tells_nobody() {
        let id = ContactId::parse("c1").unwrap();
        let mut draft = draft(PostMode::Note);
        draft.note.mentions.push((id, "Mai".into()));
        assert!(draft.post("k").mentions.is_empty());
        draft.note.text = "ask @Mai".into();
        assert_eq!(draft.post("k").mentions.len(), 1);
    }
}
