//! From a verdict and the whole mail to rows. Nothing is looked up and nothing is made up here: ids are arguments.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::api::messages::MessageKind;
use crate::id::AliasId;
use crate::id::AttachmentId;
use crate::id::ContactId;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::id::TypeName;
use crate::id::UserId;
use crate::mail::automatic::Automatic;
use crate::mail::html;
use crate::mail::inbound::InboundMail;
use crate::mail::inbound::ParseIssue;
use crate::mail::quote;
use crate::mail::rfc_id::RfcMessageId;
use crate::thread::recipients::Recipient;
use crate::time::Timestamp;

use super::arrival::Arrival;
use super::case::Case;
use super::facts::ContactFact;
use super::facts::Context;
use super::facts::Facts;
use super::finish::told;
use super::verdict::Held;
use super::verdict::Mark;
use super::verdict::Route;
use super::verdict::Verdict;

/// Longest text of a row in bytes; the raw mail keeps the whole (design: short texts in the database).
pub const MAX_TEXT: usize = 64 * 1024;
/// Longest title and subject of a row in characters.
const MAX_TITLE: usize = 300;

/// A source of new ids, unique and in order, for example ULIDs.
pub trait Ids {
    /// The next id, 1 to 64 characters of [`crate::id`].
    fn next_id(&mut self) -> String;
}

impl<F: FnMut() -> String> Ids for F {
    fn next_id(&mut self) -> String {
        self()
    }
}

/// Everything that is written for one hand-over, in one database batch.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct IngestPlan {
    /// The author, when he is nobody we know: written before the messages.
    pub contacts: Vec<NewContact>,
    pub writes: Vec<Write>,
    /// What happens to deliveries.
    pub marks: Vec<Mark>,
}

/// A contact made from a From header. He follows nothing: customers are not silently added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewContact {
    pub id: ContactId,
    pub name: String,
    pub address: EmailAddress,
}

/// What one route writes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Write {
    /// The record the message goes to.
    pub record: RecordId,
    /// Set when the record is made too.
    pub new_record: Option<NewRecord>,
    pub message: NewMessage,
    /// Bytes are those of `InboundMail::attachments` with the same hash.
    pub attachments: Vec<NewAttachment>,
    /// Contacts who follow a new record: its creator and its responsible.
    pub follow: Vec<ContactId>,
    /// Who is told and how, those with a reason for silence included.
    pub notify: Vec<Recipient>,
    /// Somebody outside waits for an answer since then.
    pub waiting_since: Option<Timestamp>,
    /// Counts one more mail, and is proven to work (RT-42).
    pub alias: Option<AliasId>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewRecord {
    pub id: RecordId,
    pub r#type: TypeName,
    /// Never empty: the subject, else the first words, else the sender.
    pub title: String,
    pub email: Option<EmailAddress>,
    pub customer: Option<ContactId>,
    pub responsible: Option<UserId>,
    pub creator: Option<UserId>,
    /// The alias' default; `None` takes the type's first stage.
    pub stage: Option<String>,
    /// Other defaults of the alias.
    pub fields: BTreeMap<String, String>,
    pub tags: Vec<String>,
    pub alias: Option<String>,
    pub created: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewMessage {
    pub id: MessageId,
    pub record: RecordId,
    pub parent: Option<MessageId>,
    pub kind: MessageKind,
    pub internal: bool,
    pub automatic: Option<Automatic>,
    pub author: Option<ContactId>,
    pub author_name: String,
    pub author_email: Option<EmailAddress>,
    pub subject: String,
    /// Without our own addresses (PAR-8).
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    /// When it differs from From.
    pub reply_to: Vec<Mailbox>,
    /// The envelope recipient.
    pub delivered_to: EmailAddress,
    /// Visible part, at most [`MAX_TEXT`] bytes.
    pub text: String,
    /// Quoted history and signature, at most [`MAX_TEXT`] bytes.
    pub folded: Option<String>,
    /// One line for lists.
    pub snippet: String,
    pub has_html: bool,
    pub has_remote_images: bool,
    pub issues: Vec<ParseIssue>,
    /// Sender proven, failed, or nothing known.
    pub authenticated: Option<bool>,
    pub held: Option<Held>,
    pub message_id: Option<RfcMessageId>,
    /// Date of the mail as its sender claims.
    pub date: Option<Timestamp>,
    /// When it came.
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewAttachment {
    pub id: AttachmentId,
    pub name: String,
    pub content_type: String,
    pub size: usize,
    pub sha256: String,
    pub inline: bool,
    pub cid: Option<String>,
}

/// The rows of an accepted mail. `now` is when it came. A verdict without routes and marks gives an empty plan.
pub fn plan(
    mail: &InboundMail,
    arrival: &Arrival,
    verdict: &Verdict,
    facts: &Facts,
    context: &Context,
    ids: &mut dyn Ids,
    now: Timestamp,
) -> IngestPlan {
    let mut planner = Planner { mail, arrival, facts, case: Case::new(arrival, facts, context, now), ids, now };
    let mut out = IngestPlan::default();
    if let Some(report) = &verdict.report {
        out.marks.clone_from(&report.marks);
    }
    for route in &verdict.routes {
        let customer = planner.new_contact(route, &out.contacts);
        out.writes.extend(planner.write(route, customer.as_ref().map(|it| it.id.clone())));
        out.contacts.extend(customer.filter(|it| out.contacts.iter().all(|other| other.id != it.id)));
    }
    out
}

struct Planner<'a> {
    mail: &'a InboundMail,
    arrival: &'a Arrival,
    facts: &'a Facts,
    case: Case<'a>,
    ids: &'a mut dyn Ids,
    now: Timestamp,
}

impl Planner<'_> {
    /// A contact for an unknown author: a person or system that may be answered. Not for automatic mail, for what is
    /// held, or for an address that is ours or somebody's already.
    fn new_contact(&mut self, route: &Route, made: &[NewContact]) -> Option<NewContact> {
        if route.author.is_some() || route.held.is_some() || self.arrival.automatic.is_some() {
            return None;
        }
        self.arrival.envelope.mail_from.as_ref()?;
        let mailbox = self.arrival.sender()?;
        let key = mailbox.address.key();
        if let Some(it) = made.iter().find(|it| it.address == mailbox.address) {
            return Some(it.clone());
        }
        if self.case.is_ours(&key) || self.facts.contacts.iter().any(|it| it.has(&key)) {
            return None;
        }
        let id = ContactId::parse(self.ids.next_id()).ok()?;
        Some(NewContact { id, name: mailbox.short().to_owned(), address: mailbox.address.clone() })
    }

    fn write(&mut self, route: &Route, new_contact: Option<ContactId>) -> Option<Write> {
        let known = route.author.as_ref().and_then(|id| self.facts.contacts.iter().find(|it| &it.id == id));
        let is_colleague = known.is_some_and(ContactFact::is_internal);
        let author = route.author.clone().or(new_contact);
        let record = match &route.record {
            Some(id) => id.clone(),
            None => RecordId::parse(self.ids.next_id()).ok()?,
        };
        let new_record = route.record.is_none().then(|| {
            let customer = author.clone().filter(|_| !is_colleague);
            self.new_record(route, record.clone(), customer)
        });
        let message = self.message(route, record.clone(), author)?;
        let waits = !route.internal && !is_colleague && self.arrival.automatic.is_none() && route.held.is_none();
        let owner =
            route.alias_id.as_ref().and_then(|id| self.facts.aliases.iter().find(|it| &it.id == id)?.owner.as_ref());
        let mut follow: Vec<ContactId> = Vec::new();
        if new_record.is_some() {
            let creator = known.filter(|_| route.creator.is_some());
            for it in creator.into_iter().chain(owner.filter(|it| it.is_internal())) {
                if !follow.contains(&it.id) {
                    follow.push(it.id.clone());
                }
            }
        }
        Some(Write {
            attachments: self.attachments(),
            follow,
            notify: told(self.arrival, self.facts, route),
            waiting_since: Some(self.now).filter(|_| waits),
            alias: route.alias_id.clone().filter(|_| route.held.is_none()),
            record,
            new_record,
            message,
        })
    }

    fn new_record(&self, route: &Route, id: RecordId, customer: Option<ContactId>) -> NewRecord {
        let mut fields = BTreeMap::new();
        for (name, value) in &route.defaults {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !matches!(name.as_str(), "title" | "stage" | "email") && *value != Value::Null {
                fields.insert(name.clone(), text);
            }
        }
        let default = |name: &str| route.defaults.get(name).and_then(Value::as_str);
        let has_email = self.case.r#type(route.r#type.as_str()).is_none_or(|it| it.main_email);
        let email = match default("email") {
            Some(text) => EmailAddress::parse(text).ok(),
            None => self.arrival.sender_address().filter(|_| has_email).cloned(),
        };
        NewRecord {
            id,
            r#type: route.r#type.clone(),
            title: self.title(route),
            email,
            customer,
            responsible: route.responsible.clone(),
            creator: route.creator.clone(),
            stage: default("stage").map(str::to_owned),
            fields,
            tags: route.tags.clone(),
            alias: route.alias.clone(),
            created: self.now,
        }
    }

    /// A list must show something to click on.
    fn title(&self, route: &Route) -> String {
        let candidates =
            [route.title.clone().unwrap_or_default(), html::snippet(&self.mail.text, 80), self.arrival.author_from()];
        let found = candidates.into_iter().map(|it| it.trim().to_owned()).find(|it| !it.is_empty());
        found.unwrap_or_else(|| self.arrival.envelope.rcpt_to.as_str().to_owned()).chars().take(MAX_TITLE).collect()
    }

    fn message(&mut self, route: &Route, record: RecordId, author: Option<ContactId>) -> Option<NewMessage> {
        let head = &self.mail.head;
        let sender = self.arrival.sender();
        let visible = |list: &[Mailbox]| -> Vec<Mailbox> {
            list.iter().filter(|it| !self.case.is_ours(&it.address.key())).cloned().collect()
        };
        let differs = head.reply_to.iter().any(|it| sender.is_none_or(|from| from.address != it.address));
        let quote::Folded { visible: shown, quoted, signature } = quote::fold_text(&self.mail.text);
        let folded: Vec<String> = signature.into_iter().chain(quoted).collect();
        let mut issues = head.issues.clone();
        issues.dedup();
        Some(NewMessage {
            id: MessageId::parse(self.ids.next_id()).ok()?,
            record,
            parent: route.parent.clone(),
            kind: MessageKind::Email,
            internal: route.internal,
            automatic: self.arrival.automatic,
            author,
            author_name: sender.map_or_else(|| self.arrival.author_from(), |it| it.short().to_owned()),
            author_email: self.arrival.sender_address().cloned(),
            subject: head.subject.chars().take(MAX_TITLE).collect(),
            to: visible(&head.to),
            cc: visible(&head.cc),
            reply_to: head.reply_to.iter().filter(|_| differs).cloned().collect(),
            delivered_to: self.arrival.envelope.rcpt_to.clone(),
            snippet: html::snippet(&shown, 160),
            text: cut(shown),
            folded: Some(cut(folded.join("\n\n"))).filter(|it| !it.is_empty()),
            has_html: self.mail.html.is_some(),
            has_remote_images: self.mail.html.as_deref().is_some_and(has_remote_images),
            issues,
            authenticated: self.arrival.authentication.as_flag(),
            held: route.held,
            message_id: head.message_id.clone(),
            date: head.date,
            at: self.now,
        })
    }

    fn attachments(&mut self) -> Vec<NewAttachment> {
        let mut out = Vec::with_capacity(self.mail.attachments.len());
        for it in &self.mail.attachments {
            let Ok(id) = AttachmentId::parse(self.ids.next_id()) else { continue };
            out.push(NewAttachment {
                id,
                name: it.name.clone(),
                content_type: it.content_type.clone(),
                size: it.bytes.len(),
                sha256: it.sha256.clone(),
                inline: it.inline,
                cid: it.cid.clone(),
            });
        }
        out
    }
}

/// Whether showing the HTML would load a picture from somewhere else.
fn has_remote_images(html: &str) -> bool {
    let lower = html.to_ascii_lowercase();
    let is_remote = |value: &str| {
        let value = value.trim_start_matches([' ', '"', '\'', '=', '(', '\n', '\t', '\r']);
        value.starts_with("http:") || value.starts_with("https:") || value.starts_with("//")
    };
    ["src", "background", "url(", "srcset"].iter().any(|name| lower.split(name).skip(1).any(is_remote))
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let mut end = MAX_TEXT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}
