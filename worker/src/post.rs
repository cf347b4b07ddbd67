//! Writing into a chatter: who is told, what leaves, in one transaction. Used by the composer, its preview, and by
//! mail that came in and has to be passed on to followers.

use std::collections::HashMap;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::messages::HeldBack;
use mailroom_shared::api::messages::LeavesWhen;
use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::messages::NewMessage as Request;
use mailroom_shared::api::messages::PostMode;
use mailroom_shared::api::messages::RecipientView;
use mailroom_shared::api::messages::RecipientsView;
use mailroom_shared::api::messages::TellBy;
use mailroom_shared::api::records::Subtype;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::api::suppressions::SuppressionScope;
use mailroom_shared::gateway::facts::ContactFact;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::id::ContactId;
use mailroom_shared::mail::html::snippet;
use mailroom_shared::mail::rfc_id::make;
use mailroom_shared::outbox::choice::Choice;
use mailroom_shared::outbox::choice::Passed;
use mailroom_shared::outbox::choice::Wish;
use mailroom_shared::outbox::choice::choose;
use mailroom_shared::outbox::state::EnvelopeState;
use mailroom_shared::people::API_SUFFIX;
use mailroom_shared::policy::UNDO_SECONDS;
use mailroom_shared::thread::recipients::Extra;
use mailroom_shared::thread::recipients::Field;
use mailroom_shared::thread::recipients::Follower;
use mailroom_shared::thread::recipients::PostInput;
use mailroom_shared::thread::recipients::Recipient;
use mailroom_shared::thread::recipients::recipients;
use mailroom_shared::thread::references::Ancestor;
use mailroom_shared::thread::references::references;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Fleet;
use crate::ports::Statement;
use crate::store::Answers;
use crate::store::decode;
use crate::store::deliveries;
use crate::store::facts;
use crate::store::messages;
use crate::store::messages::Recipients;
use crate::store::notifications;
use crate::store::posting;
use crate::store::records;
use crate::store::settings;
use crate::store::to_json;

/// Recipients in one message: beyond this a campaign is the right tool.
const MAX_RECIPIENTS: usize = 200;
const MAX_TEXT: usize = 60_000;
const MAX_SUBJECT: usize = 500;
/// How far ahead a message may be scheduled.
const MAX_DAYS: i64 = 366;

/// What posting depends on, read in one round trip.
pub struct Situation {
    record: posting::RecordRow,
    contacts: Vec<ContactFact>,
    followers: Vec<posting::FollowerRow>,
    held: Vec<posting::HeldRow>,
    ancestors: Vec<Ancestor>,
    domains: Vec<DomainRow>,
    trouble: HashMap<String, EnvelopeState>,
    extra: Vec<(Mailbox, Field)>,
}

/// `Name <address>` or an address, as typed.
fn parse_typed(text: &str) -> Option<Mailbox> {
    let text = text.trim();
    if let Ok(address) = EmailAddress::parse(text) {
        return Some(Mailbox::new(None, address));
    }
    mailroom_shared::mail::parse::parse_mailboxes(text).into_iter().next()
}

fn extras(request: &Request) -> AppResult<Vec<(Mailbox, Field)>> {
    let mut out = Vec::new();
    for (name, list, field) in
        [("to", &request.to, Field::To), ("cc", &request.cc, Field::Cc), ("bcc", &request.bcc, Field::Bcc)]
    {
        for text in list.iter().filter(|it| !it.trim().is_empty()) {
            out.push((parse_typed(text).ok_or_else(|| AppError::field(name, "address"))?, field));
        }
    }
    if out.len() > MAX_RECIPIENTS {
        return Err(AppError::field("to", "too_many"));
    }
    Ok(out)
}

/// Reads what posting to a record depends on.
pub async fn situation(app: &App, record: &str, request: &Request) -> AppResult<Situation> {
    let extra = extras(request)?;
    let keys = to_json(&extra.iter().map(|(it, _)| it.address.key()).collect::<Vec<_>>());
    let mentions = to_json(&request.mentions);
    let statements = posting::facts(record, &mentions, &keys);
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let row = answers.one::<posting::RecordRow>()?.ok_or_else(AppError::not_found)?;
    let followers = answers.rows()?;
    let contacts = answers.rows::<facts::ContactRow>()?.into_iter().map(Into::into).collect();
    let held = answers.rows()?;
    let mut ancestors: Vec<Ancestor> = answers
        .rows::<posting::AncestorRow>()?
        .into_iter()
        .map(|it| Ancestor {
            id: it.id,
            message_id: it.rfc_id,
            internal: it.internal,
            log: matches!(it.kind, MessageKind::System | MessageKind::Notification),
        })
        .collect();
    ancestors.reverse();
    let domains = answers.rows()?;
    let mut trouble = HashMap::new();
    for it in answers.rows::<posting::TroubleRow>()? {
        trouble.entry(it.address_key).or_insert_with(|| EnvelopeState::of(it.state));
    }
    Ok(Situation { record: row, contacts, followers, held, ancestors, domains, trouble, extra })
}

impl Situation {
    fn contact(&self, id: &ContactId) -> Option<&ContactFact> {
        self.contacts.iter().find(|it| &it.id == id)
    }

    fn is_suppressed(&self, address: &EmailAddress) -> bool {
        let key = address.key();
        self.held.iter().any(|it| it.scope == SuppressionScope::All && it.address_key == key)
    }

    /// Why an address is held back, and what other one its contact has. What holds back all mail says more.
    fn held_back(&self, it: &Recipient) -> Option<HeldBack> {
        let key = it.address.as_ref()?.key();
        let row = self.held.iter().find(|row| row.address_key == key)?;
        let all =
            it.contact.as_ref().and_then(|id| self.contact(id)).map(|it| it.emails.as_slice()).unwrap_or_default();
        let others = all.iter().filter(|it| it.key() != key && !self.is_suppressed(it)).cloned().collect();
        Some(HeldBack {
            scope: row.scope,
            source: row.source,
            reason: row.reason,
            note: row.note.clone(),
            evidence: row.evidence.clone(),
            report: row.report.clone(),
            since: row.created,
            expires: row.expires,
            others,
        })
    }

    /// When mail of this record that a person writes leaves. `me` writes it.
    pub fn leaves(&self, fleet: &Fleet, me: &Me) -> Option<LeavesWhen> {
        let domain = self.domain()?;
        let from = self.sender(domain, me)?;
        let notifications = fleet.notifications(domain.name.as_str());
        let wish = Wish {
            from: &from,
            notifications: notifications.as_ref(),
            bounce_domain: domain.name.as_str(),
            bulk: false,
            size: None,
            forced: None,
            on_mismatch: fleet.rules.on_mismatch,
        };
        let name = |index: usize| fleet.servers.get(index).map(|it| it.name.clone()).unwrap_or_default();
        Some(match choose(&wish, &fleet.candidates(true)).choice {
            Choice::Leaves { server, .. } => LeavesWhen::AtOnce { server: name(server) },
            Choice::Waits { until, because: Passed::Full, server } => LeavesWhen::Limit { server: name(server), until },
            Choice::Waits { until, server, .. } => LeavesWhen::Rest { server: name(server), until },
            Choice::Never(_) => LeavesWhen::Never,
        })
    }

    /// Who is told.
    pub fn recipients(&self, request: &Request, author: &ContactId) -> Vec<Recipient> {
        let subtype = if request.mode == PostMode::Note { Subtype::Note } else { Subtype::Message };
        self.told(request, author, subtype)
    }

    fn told(&self, request: &Request, author: &ContactId, subtype: Subtype) -> Vec<Recipient> {
        let by_address = |it: &EmailAddress| self.contacts.iter().find(|c| !c.archived && c.has(&it.key()));
        recipients(&PostInput {
            subtype,
            author: Some(author),
            followers: self
                .followers
                .iter()
                .filter_map(|it| Some(Follower { contact: self.contact(&it.contact_id)?, wants: it.wants.into() }))
                .collect(),
            customer: self.record.customer_id.as_ref().and_then(|id| self.contact(id)),
            extra: self
                .extra
                .iter()
                .map(|(mailbox, field)| Extra {
                    mailbox,
                    field: *field,
                    contact: by_address(&mailbox.address),
                    suppressed: self.is_suppressed(&mailbox.address),
                })
                .collect(),
            mentions: request.mentions.iter().filter_map(|id| self.contact(id)).collect(),
            leave_out: request.leave_out.iter().collect(),
            already: Vec::new(),
            colleagues_only: false,
        })
    }

    /// The goes-to line.
    pub fn view(&self, people: Vec<Recipient>) -> RecipientsView {
        let count = |by| people.iter().filter(|it| it.by == by).count() as u32;
        RecipientsView {
            by_email: count(TellBy::Email),
            in_mailroom: count(TellBy::Mailroom),
            leaves: None,
            people: people
                .into_iter()
                .map(|it| RecipientView {
                    held_back: self.held_back(&it).filter(|_| it.by == TellBy::Email || it.why == "suppressed"),
                    trouble: it
                        .address
                        .as_ref()
                        .and_then(|a| self.trouble.get(&a.key()))
                        .copied()
                        .filter(|state| matches!(state, EnvelopeState::Failing | EnvelopeState::Waiting)),
                    contact: it.contact,
                    name: it.name,
                    email: it.address,
                    by: it.by,
                    why: it.why.to_owned(),
                })
                .collect(),
        }
    }

    /// The alias domain mail of this record belongs to: that of the alias it came by, else the first.
    fn domain(&self) -> Option<&DomainRow> {
        let of_alias = self.record.alias.as_ref().map(EmailAddress::domain);
        self.domains.iter().find(|it| Some(it.name.as_str()) == of_alias).or_else(|| self.domains.first())
    }

    fn sender(&self, domain: &DomainRow, me: &Me) -> Option<Mailbox> {
        sender_of(&self.domains, domain, me)
    }
}

/// From: the author's own address when it is on one of our domains, else the domain's default with his name.
fn sender_of(domains: &[DomainRow], domain: &DomainRow, me: &Me) -> Option<Mailbox> {
    // Customers need not know that a program wrote.
    let name = me.name.strip_suffix(API_SUFFIX).unwrap_or(&me.name);
    if domains.iter().any(|it| it.name.as_str() == me.email.domain()) {
        return Some(Mailbox::new(Some(name), me.email.clone()));
    }
    let address = EmailAddress::parse(&format!("{}@{}", domain.default_from, domain.name.as_str())).ok()?;
    Some(Mailbox::new(Some(name), address))
}

/// A message ready to be written.
pub struct Posted {
    pub id: String,
    pub statements: Vec<Statement>,
    /// Something leaves by email.
    pub has_mail: bool,
}

/// Turns a request into rows. Nothing is written yet.
pub fn prepare(app: &App, record: &str, me: &Me, request: &Request, situation: &Situation) -> AppResult<Posted> {
    let text = request.text.trim_end();
    if text.trim().is_empty() && request.attachments.is_empty() {
        return Err(AppError::field("text", "required"));
    }
    if text.len() > MAX_TEXT {
        return Err(AppError::field("text", "too_long"));
    }
    if request.subject.chars().count() > MAX_SUBJECT {
        return Err(AppError::field("subject", "too_long"));
    }
    let is_note = request.mode == PostMode::Note;
    let people: Vec<Recipient> =
        situation.recipients(request, &me.contact).into_iter().filter(Recipient::is_told).collect();
    let mailed: Vec<&Recipient> = people.iter().filter(|it| it.by == TellBy::Email && it.address.is_some()).collect();
    if !is_note && people.is_empty() {
        return Err(AppError::field("to", "nobody"));
    }
    // A sender nobody can answer makes us look like spam; colleagues know him anyway.
    if !me.confirmed && mailed.iter().any(|it| it.user.is_none()) {
        return Err(AppError::new(ProblemCode::AddressUnconfirmed).detail("confirm your address in My Profile"));
    }
    let domain = situation.domain().ok_or_else(|| AppError::field("domain", "required"))?;
    let sender = situation.sender(domain, me).ok_or_else(|| AppError::field("domain", "domain"))?;
    let now = app.now();
    let undo = now + Span::seconds(i64::from(UNDO_SECONDS));
    let leaves_at = request.send_at.filter(|_| !is_note).map_or(undo, |it| it.max(undo));
    if leaves_at > now + Span::days(MAX_DAYS) {
        return Err(AppError::field("send_at", "too_far"));
    }
    let id = app.new_id();
    let has_history = situation.ancestors.iter().any(|it| !it.internal && !it.log);
    let subject = match request.subject.trim() {
        "" if has_history => format!("Re: {}", situation.record.title.trim_start_matches("Re: ")),
        "" => situation.record.title.clone(),
        subject => subject.to_owned(),
    };
    let parent = situation.ancestors.iter().rev().find(|it| is_note || !it.internal).map(|it| it.id.clone());
    let refs: Vec<String> = references(&situation.ancestors, parent.as_ref()).into_iter().map(Into::into).collect();
    let shown = |field: Field| -> Vec<Mailbox> {
        mailed
            .iter()
            .filter(|it| it.field == field)
            .filter_map(|it| it.address.clone().map(|address| Mailbox::new(Some(&it.name), address)))
            .collect()
    };
    let draft = messages::Draft { request: request.clone(), waiting_since: situation.record.waiting_since };
    let message = messages::NewMessage {
        id: id.clone(),
        record: record.to_owned(),
        parent: parent.map(Into::into),
        kind: Some(if is_note { MessageKind::Note } else { MessageKind::Comment }),
        internal: is_note,
        author: Some(me.contact.as_str().to_owned()),
        author_name: me.name.clone(),
        author_email: Some(me.email.clone()),
        subject: subject.clone(),
        recipients: Recipients { to: shown(Field::To), cc: shown(Field::Cc), reply_to: Vec::new() },
        text: text.to_owned(),
        rfc_id: Some(make(&id.to_lowercase(), domain.name.as_str()).into()),
        post_key: Some(request.key.trim()).filter(|it| !it.is_empty()).map(str::to_owned),
        draft: Some(to_json(&draft)),
        leaves_at: Some(leaves_at),
        ..messages::NewMessage::default()
    };
    let mut statements = vec![messages::insert(&message, now)];
    if !request.attachments.is_empty() {
        let ids: Vec<String> = request.attachments.iter().map(|it| it.as_str().to_owned()).collect();
        statements.push(messages::adopt_attachments(&ids, &id, record, me.user.as_str()));
    }
    // Nobody hears earlier of what leaves later.
    let told_at = request.send_at.filter(|_| !is_note).map_or(now, |_| leaves_at);
    let preview = snippet(text, 140);
    statements.push(messages::touch_record(record, &me.name, &preview, request.attachments.len(), now));
    if !is_note {
        statements.push(records::set_waiting(record, None));
    }
    // Who writes to the customer follows; a note takes nobody in (FO-12).
    if !is_note {
        statements.push(records::author_follows(record, me.contact.as_str(), now));
    }
    statements.push(records::mark_read(&me.user, record, now));
    statements.extend(messages::index_words(&id, record, &format!("{subject} {text} {}", me.name)));
    statements.extend(notifications::insert(&people, &id, record, told_at));
    if !mailed.is_empty() {
        let email = deliveries::NewEmail {
            id: &app.new_id(),
            message: &id,
            record,
            lane: "urgent",
            sender: &sender,
            domain: domain.name.as_str(),
            subject: &subject,
            refs: &refs,
        };
        statements.extend(deliver(app, &email, &mailed, leaves_at, now));
    }
    Ok(Posted { id, statements, has_mail: !mailed.is_empty() })
}

/// Tells followers who want it of a new stage; `line` is the system line that the chatter shows, its text what mail says.
pub async fn tell_stage(
    app: &App,
    record: &str,
    me: &Me,
    line: &messages::NewMessage,
    now: Timestamp,
) -> AppResult<Vec<Statement>> {
    let request = Request::default();
    let situation = situation(app, record, &request).await?;
    let people: Vec<Recipient> =
        situation.told(&request, &me.contact, Subtype::Stage).into_iter().filter(Recipient::is_told).collect();
    let mailed: Vec<&Recipient> = people.iter().filter(|it| it.by == TellBy::Email && it.address.is_some()).collect();
    let mut statements = notifications::insert(&people, &line.id, record, now);
    if let Some(domain) = situation.domain().filter(|_| !mailed.is_empty()) {
        let sender = situation.sender(domain, me).ok_or_else(|| AppError::field("domain", "domain"))?;
        let email = deliveries::NewEmail {
            id: &app.new_id(),
            message: &line.id,
            record,
            lane: "urgent",
            sender: &sender,
            domain: domain.name.as_str(),
            subject: &situation.record.title,
            refs: &[],
        };
        statements.extend(deliver(app, &email, &mailed, now, now));
    }
    Ok(statements)
}

/// Tells somebody that a colleague made him responsible (FO-10); `line` is the system line that the chatter shows, its text
/// what mail says. Who takes it on himself knows.
pub async fn tell_assigned(
    app: &App,
    record: (&str, &str),
    me: &Me,
    to: &Me,
    line: &messages::NewMessage,
    now: Timestamp,
) -> AppResult<Vec<Statement>> {
    if to.user == me.user {
        return Ok(Vec::new());
    }
    let (record, title) = record;
    let person = Recipient {
        contact: Some(to.contact.clone()),
        user: Some(to.user.clone()),
        name: to.name.clone(),
        address: Some(to.email.clone()),
        by: match to.notify_by {
            NotifyBy::Email => TellBy::Email,
            NotifyBy::Mailroom => TellBy::Mailroom,
        },
        why: "assigned",
        field: Field::To,
    };
    let mut statements = notifications::insert(std::slice::from_ref(&person), &line.id, record, now);
    if person.by == TellBy::Email {
        let domains: Vec<DomainRow> = decode(app.run(settings::list_domains()).await?)?;
        let domain = domains.first().ok_or_else(|| AppError::field("domain", "required"))?;
        let sender = sender_of(&domains, domain, me).ok_or_else(|| AppError::field("domain", "domain"))?;
        let texts = Catalogue::load(Lang::of(&to.language));
        let email = deliveries::NewEmail {
            id: &app.new_id(),
            message: &line.id,
            record,
            lane: "urgent",
            sender: &sender,
            domain: domain.name.as_str(),
            subject: &texts.text("assigned.subject", &[("title", title)]),
            refs: &[],
        };
        statements.extend(deliver(app, &email, &[&person], now, now));
    }
    Ok(statements)
}

/// The email row and one delivery per recipient; whoever gets mail takes part in the conversation.
pub fn deliver(
    app: &App,
    email: &deliveries::NewEmail<'_>,
    mailed: &[&Recipient],
    due: Timestamp,
    now: Timestamp,
) -> Vec<Statement> {
    let rows: Vec<deliveries::NewDelivery> = mailed
        .iter()
        .filter_map(|it| {
            let address = it.address.as_ref()?;
            Some(deliveries::NewDelivery {
                id: app.new_id(),
                contact: it.contact.as_ref().map(|id| id.as_str().to_owned()),
                name: it.name.clone(),
                address: address.as_str().to_owned(),
                key: address.key(),
                field: it.field.as_str(),
                follows: u8::from(it.why == "follower"),
            })
        })
        .collect();
    let keys: Vec<&str> = rows.iter().map(|it| it.key.as_str()).collect();
    let mut statements = vec![deliveries::insert_email(email, now)];
    statements.extend(deliveries::insert_deliveries(email, &rows, due, now));
    statements.push(posting::take_part(email.record, &keys));
    statements
}
