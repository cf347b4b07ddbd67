//! The chatter: messages, the composer, the envelope and its delivery dialog.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use super::records::AttachmentView;
use super::suppressions::SuppressionScope;
use super::suppressions::SuppressionSource;
use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::id::AttachmentId;
use crate::id::ContactId;
use crate::id::DeliveryId;
use crate::id::MessageId;
use crate::outbox::failure::Fault;
use crate::outbox::failure::Reason;
use crate::outbox::state::DeliveryState;
use crate::outbox::state::EnvelopeState;
use crate::time::Timestamp;

/// What an entry of the chatter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Written here, sent to people.
    Comment,
    /// Written here, internal.
    Note,
    /// Came in by mail.
    Email,
    /// Told to somebody automatically.
    Notification,
    /// A line of what happened: created, stage moved.
    System,
}

impl MessageKind {
    pub const ALL: [Self; 5] = [Self::Comment, Self::Note, Self::Email, Self::Notification, Self::System];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Note => "note",
            Self::Email => "email",
            Self::Notification => "notification",
            Self::System => "system",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// Which messages of a record: newest page first, each page oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// 1 to 100, 40 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The envelope of a message: colour, and how many recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvelopeView {
    pub state: EnvelopeState,
    pub recipients: u32,
    /// Sent or delivered.
    pub done: u32,
    /// Failed plus waiting after an error, once one of them needs a person.
    pub failing: u32,
    /// When the undo window closes, while it is open.
    pub leaves_at: Option<Timestamp>,
}

/// One entry of the chatter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageView {
    pub id: MessageId,
    pub kind: MessageKind,
    pub internal: bool,
    /// Came in from outside rather than written here.
    pub incoming: bool,
    /// `auto-reply`, `list`, `bulk`, `bounce-like`.
    pub automatic: Option<String>,
    pub author: Option<ContactId>,
    pub author_name: String,
    pub author_email: Option<EmailAddress>,
    /// The author is a colleague.
    pub author_internal: bool,
    pub subject: String,
    /// To and Cc as written, for incoming mail; recipients, for ours.
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    /// Reply-To when it differs from From.
    pub reply_to: Vec<Mailbox>,
    /// The alias an incoming mail was delivered to.
    pub delivered_to: Option<EmailAddress>,
    /// Plain text of the visible part (quotes and signature folded away).
    pub text: String,
    /// Quoted history and signature, folded.
    pub folded: Option<String>,
    /// There is an HTML body to show in a frame: `GET /api/v1/messages/{id}/body`.
    pub has_html: bool,
    /// The HTML refers to remote images (blocked until asked).
    pub has_remote_images: bool,
    pub attachments: Vec<AttachmentView>,
    pub at: Timestamp,
    /// Absent on notes without recipients and on incoming mail.
    pub envelope: Option<EnvelopeView>,
    /// True: sender proven, false: proven false or failed, absent: unknown or our own.
    pub authenticated: Option<bool>,
    /// Parts of a system line: key of the sentence and its arguments.
    pub system: Option<SystemLine>,
    /// Names of `mail::inbound::ParseIssue`.
    pub issues: Vec<String>,
    /// Held: shown, but not treated as a reply until a person lets the sender in.
    pub held: Option<String>,
    /// There is a raw source: `GET /api/v1/messages/{id}/original`.
    pub has_original: bool,
    /// Invitations it carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendar: Vec<CalendarEvent>,
    /// It may be the answer to another record; for a person to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<SuggestionView>,
}

/// An event of an invitation, as its sender wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CalendarEvent {
    /// `request`, `cancel`, `reply`, … or empty.
    pub method: String,
    pub summary: String,
    /// `2026-11-24`, `2026-11-24T10:00` in `zone`, or `2026-11-24T10:00Z`.
    pub start: String,
    pub end: String,
    /// Name of the time zone, where one is named.
    pub zone: String,
    pub location: String,
    pub organizer: String,
    pub repeats: bool,
}

/// A record that an unthreaded mail may belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SuggestionView {
    pub record: crate::id::RecordId,
    pub number: String,
    pub title: String,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MoveTo {
    /// Absent: it stays, and the suggestion goes.
    #[serde(default)]
    pub record: Option<crate::id::RecordId>,
}

/// How a mail came: the checks of its sender in words, the alias, the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OriginView {
    /// Results of the checks: `pass`, `fail`, …
    pub spf: String,
    pub dkim: String,
    pub dmarc: String,
    /// It authenticated as the domain of From.
    pub from_trusted: bool,
    pub alias: Option<EmailAddress>,
    pub why: Vec<String>,
    /// Its line in the journal of what came in.
    pub incoming: Option<String>,
}

/// A mail that came as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachedMail {
    pub subject: String,
    pub from: Vec<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub date: Option<Timestamp>,
    pub text: String,
    /// Made safe to show, without pictures from elsewhere.
    pub html: Option<String>,
    /// Names of its files.
    pub files: Vec<String>,
}

/// A line of what happened; translated by the page (`system.<key>`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SystemLine {
    pub key: String,
    pub args: std::collections::BTreeMap<String, String>,
}

/// Mode of the composer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PostMode {
    #[default]
    Message,
    Note,
}

/// What the composer posts. The same shape asks who would be told (`PreviewRecipients`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewMessage {
    pub mode: PostMode,
    /// Plain text; a light mark-up (paragraphs, links) becomes the HTML part.
    pub text: String,
    /// Empty: `Re: <title>`.
    #[serde(default)]
    pub subject: String,
    /// Extra recipients in To, as addresses or `Name <address>`.
    #[serde(default)]
    pub to: Vec<String>,
    #[serde(default)]
    pub cc: Vec<String>,
    #[serde(default)]
    pub bcc: Vec<String>,
    /// Contacts left out of the goes-to line by hand.
    #[serde(default)]
    pub leave_out: Vec<ContactId>,
    /// Contacts called with @, told whatever they follow.
    #[serde(default)]
    pub mentions: Vec<ContactId>,
    #[serde(default)]
    pub attachments: Vec<AttachmentId>,
    /// Mail leaves at this minute rather than now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
    /// Made by the page; posting twice with the same key posts once.
    #[serde(default)]
    pub key: String,
}

/// How one person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TellBy {
    Email,
    Mailroom,
    /// Not told; `why` says the reason.
    Nobody,
}

/// One chip of the goes-to line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecipientView {
    pub contact: Option<ContactId>,
    pub name: String,
    pub email: Option<EmailAddress>,
    pub by: TellBy,
    /// Key `goes.<why>`: `follower`, `customer`, `added`, `mention`, `author`, `left_out`, `suppressed`, `no_address`,
    /// `internal_only`, `already`.
    pub why: String,
    /// State of the last delivery to this address, when it was not fine.
    pub trouble: Option<EnvelopeState>,
    /// Why this address is held back; with scope *campaigns* this mail goes all the same.
    #[serde(default)]
    pub held_back: Option<HeldBack>,
}

/// A suppressed address in the goes-to line, and the way on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldBack {
    pub scope: SuppressionScope,
    pub source: SuppressionSource,
    pub reason: Option<Reason>,
    /// What a colleague noted.
    pub note: Option<String>,
    /// What the other side said.
    pub evidence: Option<String>,
    /// The report that said it, as long as it is kept: an id of incoming mail.
    pub report: Option<String>,
    pub since: Timestamp,
    /// Writes again from then on.
    pub expires: Option<Timestamp>,
    /// Addresses of the contact that are not held back.
    pub others: Vec<EmailAddress>,
}

/// When what the composer sends leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum LeavesWhen {
    /// When the undo window is over.
    AtOnce { server: String },
    /// The limit is used up, its reserve too.
    Limit { server: String, until: Timestamp },
    /// Every server that may take it rests.
    Rest { server: String, until: Timestamp },
    /// No server may take it.
    Never,
}

/// Answer of `PreviewRecipients`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecipientsView {
    pub people: Vec<RecipientView>,
    pub by_email: u32,
    pub in_mailroom: u32,
    /// Absent when nobody gets it by email.
    #[serde(default)]
    pub leaves: Option<LeavesWhen>,
}

/// One recipient in the delivery dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeliveryView {
    pub id: DeliveryId,
    pub contact: Option<ContactId>,
    pub name: String,
    pub address: EmailAddress,
    pub state: DeliveryState,
    /// When it came into this state.
    pub at: Timestamp,
    /// When we try again by ourselves.
    pub next_try: Option<Timestamp>,
    /// When we stop trying.
    pub gives_up: Option<Timestamp>,
    pub tries: u32,
    /// Why; its short name is `reason.<name>.title`.
    pub reason: Option<Reason>,
    /// Same address again can't work.
    pub permanent: bool,
    /// SMTP reply code and enhanced status (RFC 3463).
    pub reply_code: Option<u16>,
    pub status: Option<String>,
    /// The server's own words.
    pub server_text: Option<String>,
    /// Name of the outgoing server that handed it over.
    pub server: Option<String>,
    pub events: Vec<EventView>,
    /// Whether *Try again* makes sense now.
    pub can_retry: bool,
    /// In the reader's language; none for what went well.
    #[serde(default)]
    pub advice: Option<AdviceView>,
}

/// What happened, whose move it is and what can be done, in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdviceView {
    /// Without a full stop.
    pub headline: String,
    pub fault: Fault,
    pub whose_move: String,
    /// What Mailroom does by itself.
    pub we_do: String,
    pub you_can: String,
    pub codes: Vec<CodeView>,
    /// Likely causes, when the other side said nothing that helps.
    pub causes: Vec<String>,
}

/// A reply code or enhanced status in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CodeView {
    pub code: String,
    pub text: String,
}

/// One line of a delivery's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventView {
    pub at: Timestamp,
    /// Key `event.<kind>`: `queued`, `connected`, `accepted`, `deferred`, `refused`, `bounced`, `delivered`,
    /// `complained`, `unknown`, `retried`, `ignored`, `cancelled`, `address_changed`.
    pub kind: String,
    pub text: String,
    /// Who did it, when a person did.
    pub by: Option<String>,
    /// The report that said so, as long as it is kept: an id of incoming mail, whose original is the raw report.
    #[serde(default)]
    pub report: Option<String>,
}

/// Answer of `ReadDeliveries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeliveriesView {
    pub message: MessageId,
    pub subject: String,
    pub author_name: String,
    pub sent_at: Timestamp,
    pub envelope: EnvelopeView,
    pub deliveries: Vec<DeliveryView>,
}

/// *Send & close*: what is listed is tried again, with the address corrected where given; `ignore` turns white.
/// Deliveries in neither list stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettleDeliveries {
    #[serde(default)]
    pub retry: Vec<RetryDelivery>,
    #[serde(default)]
    pub ignore: Vec<DeliveryId>,
    /// *Ignore all*: every failing delivery of the message.
    #[serde(default)]
    pub ignore_all: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RetryDelivery {
    pub delivery: DeliveryId,
    /// A corrected address.
    #[serde(default)]
    pub address: Option<String>,
    /// Change it in the contact too.
    #[serde(default)]
    pub update_contact: bool,
}

/// A file to attach, uploaded before the message: the body of the request is the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadQuery {
    pub name: String,
    pub content_type: String,
}

/// How to show an HTML body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BodyQuery {
    /// Load remote images.
    #[serde(default)]
    pub images: bool,
}

/// A sanitised HTML body. Inline images point at `/api/v1/attachments/{id}`; show it in a sandboxed frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BodyView {
    /// The visible part.
    pub html: String,
    /// Quoted history, folded.
    pub folded: Option<String>,
    pub has_remote_images: bool,
}

crate::endpoints! {
    MoveMessage: Post "/api/v1/messages/{id}/move" "Move a message to another record" { query: (), body: MoveTo } -> ();
    ReadOrigin: Get "/api/v1/messages/{id}/origin" "How a mail came: checks, alias, rules" { query: (), body: () } -> OriginView;
    ReadAttachedMail: Get "/api/v1/attachments/{id}/mail" "A mail that came as a file, opened" { query: (), body: () } -> AttachedMail;
    ListMessages: Get "/api/v1/records/{id}/messages" "The chatter" { query: MessageQuery, body: () } -> Page<MessageView>;
    PostMessage: Post "/api/v1/records/{id}/messages" "Send a message or log a note" { query: (), body: NewMessage } -> MessageView;
    PreviewRecipients: Post "/api/v1/records/{id}/recipients" "Who would be told, and how" { query: (), body: NewMessage } -> RecipientsView;
    SendMessageNow: Post "/api/v1/messages/{id}/send-now" "Send a scheduled message now" { query: (), body: () } -> MessageView;
    UndoMessage: Delete "/api/v1/messages/{id}" "Take a message back while its undo window is open" { query: (), body: () } -> NewMessage;
    ReadBody: Get "/api/v1/messages/{id}/body" "The sanitised HTML body" { query: BodyQuery, body: () } -> BodyView;
    ReadDeliveries: Get "/api/v1/messages/{id}/deliveries" "What became of each recipient" { query: (), body: () } -> DeliveriesView;
    SettleMessage: Post "/api/v1/messages/{id}/deliveries" "Try again, correct, ignore" { query: (), body: SettleDeliveries } -> DeliveriesView;
    UploadAttachment: Post "/api/v1/attachments" "Upload a file; the request body is its bytes" { query: UploadQuery, body: () } -> AttachmentView;
}
