//! Writes accepted mails: full parse, plan, files to storage, one batch.

use std::collections::BTreeSet;

use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::tag;
use mailroom_shared::campaign::ledger::recipient_of;
use mailroom_shared::gateway::arrival::Arrival;
use mailroom_shared::gateway::decide::decide;
use mailroom_shared::gateway::facts::Context;
use mailroom_shared::gateway::facts::Facts;
use mailroom_shared::gateway::inquire::inquire;
use mailroom_shared::gateway::plan::IngestPlan;
use mailroom_shared::gateway::plan::Write;
use mailroom_shared::gateway::plan::plan;
use mailroom_shared::gateway::verdict::Action;
use mailroom_shared::gateway::verdict::Decision;
use mailroom_shared::gateway::verdict::Mark;
use mailroom_shared::gateway::verdict::Verdict;
use mailroom_shared::intake::calendar;
use mailroom_shared::intake::wish::Wish;
use mailroom_shared::mail::inbound::Envelope;
use mailroom_shared::mail::inbound::InboundMail;
use mailroom_shared::mail::parse;
use mailroom_shared::mail::rfc_id::RfcMessageId;
use mailroom_shared::outbox::failure::Reason;
use mailroom_shared::time::Timestamp;

use crate::app::App;
use crate::app::RECEIVING_HOST;
use crate::app::SharedApp;
use crate::inbound::alias_key;
use crate::inbound::sender;
use crate::log;
use crate::ports::BlobError;
use crate::ports::DbError;
use crate::ports::Statement;
use crate::post;
use crate::store::StoreError;
use crate::store::aliases;
use crate::store::campaigns::hits;
use crate::store::contacts;
use crate::store::deliveries;
use crate::store::facts;
use crate::store::ingests;
use crate::store::ingests::Open;
use crate::store::messages;
use crate::store::notifications;
use crate::store::people;
use crate::store::posting;
use crate::store::records;
use crate::store::suppressions;

/// After this many tries a mail is shown to people as unprocessed.
const MAX_TRIES: u32 = 10;
/// Mails worked on at once; their round trips overlap.
const AT_ONCE: usize = 24;

/// Why a mail could not be written now.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error("the raw mail {0} is gone")]
    NoRaw(String),
    #[error("refused after it was accepted: {0}")]
    Refused(String),
    #[error("{0}")]
    Gone(&'static str),
}

impl Fault {
    /// An outage, not something about this mail: it is tried for as long as it takes.
    fn passes(&self) -> bool {
        matches!(self, Self::Blob(_) | Self::Db(_) | Self::Store(StoreError::Db(_)))
    }

    /// Code for people: `fault.<code>`.
    const fn code(&self) -> &'static str {
        match self {
            Self::Store(StoreError::Corrupt(_)) => "corrupt",
            Self::Store(StoreError::Db(_)) | Self::Db(_) => "database",
            Self::Blob(_) => "storage",
            Self::NoRaw(_) => "no_raw",
            Self::Refused(_) => "refused",
            Self::Gone(_) => "gone",
        }
    }
}

/// Writes the mails of a list that still wait. An error means that even looking did not work.
pub async fn run(app: &SharedApp, ids: &[String]) -> Result<(), StoreError> {
    let open = ingests::open(app, ids).await?;
    write_all(app, open).await;
    Ok(())
}

/// What the queue gave up. A mail that breaks the Worker would break the sweep too: it is put before the people first,
/// and only then tried once more, since most letters die of an outage that is over.
pub(super) async fn drain(app: &SharedApp, ids: &[String]) -> Result<(), StoreError> {
    app.db.batch(ingests::give_up(ids, app.now()).to_vec()).await?;
    let dead = ingests::failed_of(app, ids).await?;
    for it in dead {
        write_all(app, vec![it]).await;
    }
    Ok(())
}

/// Writes what the sweep found; tells how many could not be written.
pub async fn write_all(app: &SharedApp, open: Vec<Open>) -> usize {
    let mut failed = 0;
    let mut tags = BTreeSet::new();
    let mut has_mail = false;
    for chunk in chunks(open) {
        let done = futures::future::join_all(chunk.iter().map(|it| one(app, it))).await;
        for (result, open) in done.into_iter().zip(&chunk) {
            match result {
                Ok(written) => {
                    has_mail |= written.has_mail;
                    tags.extend(written.tags);
                }
                Err(error) => {
                    log::error("mail_not_written", &[("mail", &open.id), ("error", &error.to_string())]);
                    // Should this fail too, the row stays as it is and the sweep comes back to it.
                    let most = if error.passes() { u32::MAX } else { MAX_TRIES };
                    let row = ingests::failed(&open.id, error.code(), &error.to_string(), most);
                    let now = app.now();
                    let event = ingests::event(&open.id, "write_failed", None, &error.to_string(), now);
                    let _ = app.db.batch(vec![row, event, ingests::alias_fails(&open.id, now)]).await;
                    tags.extend([tag::SHELL.to_owned(), tag::INCOMING.to_owned()]);
                    failed += 1;
                }
            }
        }
        // Told after each chunk, so that a burst is seen as it comes.
        if !tags.is_empty() {
            let list: Vec<String> = std::mem::take(&mut tags).into_iter().collect();
            app.stale(&list).await;
        }
    }
    if has_mail {
        app.nudge(super::Job::Deliver, 0).await;
    }
    failed
}

/// What is worked on at once. The first mail of each sender comes in an earlier chunk than his others: what it makes, a
/// contact above all, is there when they are decided.
fn chunks(open: Vec<Open>) -> Vec<Vec<Open>> {
    let mut seen = BTreeSet::new();
    let (firsts, others): (Vec<Open>, Vec<Open>) =
        open.into_iter().partition(|it| it.mail_from.is_empty() || seen.insert(it.mail_from.to_lowercase()));
    firsts.chunks(AT_ONCE).chain(others.chunks(AT_ONCE)).map(<[Open]>::to_vec).collect()
}

/// What writing a mail changed for others.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub tags: Vec<String>,
    pub has_mail: bool,
}

/// A mail with everything that is decided about it.
pub(super) struct Decided {
    pub mail: InboundMail,
    pub arrival: Arrival,
    pub facts: Facts,
    pub context: Context,
    pub verdict: Verdict,
}

/// Decides about a stored mail, again: a reply may have come before our own copy of what it answers was written, and a
/// person may have decided meanwhile.
pub(super) async fn decide_again(app: &App, open: &Open, wish: Option<&Wish>) -> Result<Decided, Fault> {
    let raw = app.blobs.get(&open.raw_key).await?.ok_or_else(|| Fault::NoRaw(open.raw_key.clone()))?;
    let envelope = Envelope { mail_from: sender(&open.mail_from), rcpt_to: open.rcpt_to.clone() };
    let mut arrival = Arrival::read(envelope, &raw, RECEIVING_HOST);
    if let Some(wish) = wish {
        wish.address(&mut arrival);
    }
    let mail = parse::parse(&raw);
    let inquiry = inquire(&arrival, &app.config.token_secret);
    let (mut context, mut facts) = facts::load(app, &inquiry, Some(&open.id)).await?;
    if let Some(wish) = wish {
        wish.admit(&mut facts, &mut context);
    }
    let verdict = decide(&arrival, &facts, &context, open.received);
    Ok(Decided { mail, arrival, facts, context, verdict })
}

async fn one(app: &App, open: &Open) -> Result<Written, Fault> {
    let Decided { mail, arrival, facts, context, verdict } = decide_again(app, open, open.wish.as_ref()).await?;
    if verdict.decision == Decision::Refused {
        let why = verdict.refusal.map(|it| it.text).unwrap_or_default();
        return Err(Fault::Refused(why));
    }
    let held = verdict.routes.iter().find_map(|it| it.held);
    if let Some(held) = held.filter(|_| verdict.routes.iter().all(|it| it.action == Action::Create)) {
        // A record is made when somebody wants it; until then the hand-over waits in the tray.
        let mut statements = vec![
            ingests::hold(&open.id, held.as_str()),
            ingests::event(&open.id, "held", None, held.as_str(), app.now()),
        ];
        statements.extend(of_colleague(&arrival, &facts, app.now()));
        app.db.batch(statements).await?;
        return Ok(Written { tags: vec![tag::INCOMING.to_owned(), tag::SHELL.to_owned()], has_mail: false });
    }
    let mut ids = || app.new_id();
    let plan = plan(&mail, &arrival, &verdict, &facts, &context, &mut ids, open.received);
    for file in plan.writes.iter().flat_map(|it| &it.attachments) {
        if let Some(source) = mail.attachments.iter().find(|it| it.sha256 == file.sha256) {
            app.blobs.put(&messages::blob_key(&file.sha256), &source.bytes).await?;
        }
    }
    let (statements, written) = statements(app, open, &mail, &arrival, &verdict, &plan, &facts, &context);
    match app.db.batch(statements).await {
        Ok(_) => Ok(written),
        // Somebody else wrote it meanwhile: exactly what the key is for.
        Err(DbError::Unique(what)) if what.starts_with("ingests_done") => Ok(Written::default()),
        Err(error) => Err(error.into()),
    }
}

#[expect(clippy::too_many_arguments, reason = "everything that is known about one mail")]
fn statements(
    app: &App,
    open: &Open,
    mail: &InboundMail,
    arrival: &Arrival,
    verdict: &Verdict,
    plan: &IngestPlan,
    facts: &Facts,
    context: &Context,
) -> (Vec<Statement>, Written) {
    let now = app.now();
    let mut written = Written::default();
    let mut out = vec![ingests::claim_done(&open.id)];
    for contact in &plan.contacts {
        out.push(contacts::insert(contact.id.as_str(), &contact.name, false, now));
        out.push(contacts::insert_email(contact.id.as_str(), &contact.address, 0));
    }
    for write in &plan.writes {
        written.tags.extend([tag::record(write.record.as_str()), tag::RECORDS.to_owned(), tag::SHELL.to_owned()]);
        written.has_mail |= push_write(&mut out, app, open, arrival, write, context, now);
        let unknown = unknown_ids(arrival, facts);
        if !unknown.is_empty() {
            out.push(messages::await_ids(write.message.id.as_str(), &unknown, now));
        }
    }
    if let Some(report) = &verdict.report {
        for mark in &plan.marks {
            push_mark(&mut out, &open.id, mark, report.reports.get(mark.report.unwrap_or(0)), now);
        }
        written.tags.extend([tag::SHELL.to_owned(), tag::EMAILS.to_owned(), tag::RECORDS.to_owned()]);
        // Whose chatter the envelope stands in.
        let owners = facts.deliveries.iter().filter(|d| plan.marks.iter().any(|m| m.delivery == d.id));
        written.tags.extend(owners.filter_map(|it| it.record.as_ref()).map(|it| tag::record(it.as_str())));
    }
    let first = plan.writes.first();
    let route = verdict.routes.first();
    out.extend(remarks(open, verdict, plan, mail));
    if let Some(person) = &verdict.alive {
        out.extend(suppressions::wrote(person, now));
    }
    if let Some(alias) = &verdict.failing {
        out.push(aliases::mark_failing(alias.as_str(), now));
    }
    out.extend(of_colleague(arrival, facts, now));
    let held = plan.writes.iter().find_map(|it| it.message.held);
    let (word, text) = match (verdict.decision, held) {
        (Decision::Report, _) => ("report", ""),
        (Decision::Ignored, _) => ("ignored", verdict.ignored.map_or("", |it| it.as_str())),
        (_, Some(held)) => ("held", held.as_str()),
        _ => ("written", ""),
    };
    out.push(ingests::event(&open.id, word, None, text, now));
    out.push(ingests::done(
        &open.id,
        first.map(|it| it.record.as_str()),
        first.map(|it| it.message.id.as_str()),
        alias_key(route).as_deref(),
        route.map(|it| it.r#type.as_str()),
    ));
    (out, written)
}

/// More references of one mail are not waited for.
const MAX_AWAITED: usize = 8;

/// What a mail refers to and nobody here knows, the nearest first. Machines refer to what they like.
fn unknown_ids<'a>(arrival: &'a Arrival, facts: &Facts) -> Vec<&'a str> {
    let head = &arrival.head;
    let is_known = |id: &RfcMessageId| facts.messages.iter().any(|it| it.message_id.as_ref() == Some(id));
    let mut out: Vec<&str> = Vec::new();
    for id in head.in_reply_to.iter().chain(head.references.iter().rev()) {
        if out.len() < MAX_AWAITED && arrival.automatic.is_none() && !is_known(id) && !out.contains(&id.as_str()) {
            out.push(id.as_str());
        }
    }
    out
}

/// A mail from the address of a user says whether the address is his, and whether others will believe it.
fn of_colleague(arrival: &Arrival, facts: &Facts, now: Timestamp) -> Option<Statement> {
    let is_proven = arrival.authentication.as_flag()?;
    let key = arrival.sender_address()?.key();
    let is_user = |it: &mailroom_shared::gateway::facts::ContactFact| {
        it.is_internal() && it.emails.iter().any(|address| address.key() == key)
    };
    facts.contacts.iter().any(is_user).then(|| people::wrote(&key, is_proven, now))
}

/// What is noted beside the rows of the plan: why it is no plain message, invitations, a record it may be meant for, a
/// provider that asks to confirm a forwarding.
fn remarks(open: &Open, verdict: &Verdict, plan: &IngestPlan, mail: &InboundMail) -> Vec<Statement> {
    let mut out = Vec::new();
    match (verdict.decision, plan.writes.iter().find_map(|it| it.message.held)) {
        (Decision::Report, _) => out.push(ingests::set_outcome(&open.id, "report", None)),
        (Decision::Ignored, _) => out.push(ingests::set_outcome(&open.id, "ignored", None)),
        (_, Some(held)) => out.push(ingests::set_outcome(&open.id, "held", Some(held.as_str()))),
        _ => {}
    }
    let calendar = calendar::events(&mail.attachments);
    let suggestion = verdict.suggestion.as_ref().filter(|_| plan.writes.iter().all(|it| it.new_record.is_some()));
    if !calendar.is_empty() || suggestion.is_some() {
        for write in &plan.writes {
            out.push(messages::set_remarks(write.message.id.as_str(), &calendar, suggestion.map(|it| it.as_str())));
        }
    }
    if let Some(it) = &verdict.confirmation {
        out.push(ingests::set_confirmation(&open.id, &crate::store::to_json(it)));
    }
    out
}

fn push_write(
    out: &mut Vec<Statement>,
    app: &App,
    open: &Open,
    arrival: &Arrival,
    write: &Write,
    context: &Context,
    now: Timestamp,
) -> bool {
    let record = write.record.as_str();
    let m = &write.message;
    let message = m.id.as_str();
    if let Some(new) = &write.new_record {
        let row = records::NewRecord {
            id: record,
            r#type: new.r#type.as_str(),
            title: &new.title,
            stage: new.stage.as_deref(),
            email: new.email.as_ref(),
            customer: new.customer.as_ref().map(|it| it.as_str()),
            responsible: new.responsible.as_ref().map(|it| it.as_str()),
            alias: new.alias.as_deref(),
            tags: &new.tags,
            fields: &new.fields,
        };
        out.extend(records::insert(&row, m.at));
        let args = [("alias", new.alias.as_deref().unwrap_or_default())];
        // A moment before the mail, so that the line stands above it.
        let before = m.at - mailroom_shared::time::Span::millis(1);
        let author = m.author.as_ref().map(|it| (it.as_str(), m.author_name.as_str()));
        let mut line = messages::system_line(&app.new_id(), record, author, "record_created_by_mail", &args);
        line.author_name.clone_from(&m.author_name);
        out.push(messages::insert(&line, before));
        out.push(records::index_words(record, &new.title));
    }
    for contact in &write.follow {
        out.push(records::follow(record, contact.as_str(), now));
    }
    out.push(messages::insert(
        &messages::NewMessage {
            id: message.to_owned(),
            record: record.to_owned(),
            parent: m.parent.as_ref().map(|it| it.as_str().to_owned()),
            kind: Some(m.kind),
            internal: m.internal,
            incoming: true,
            automatic: m.automatic.map(|it| it.as_str().to_owned()),
            author: m.author.as_ref().map(|it| it.as_str().to_owned()),
            author_name: m.author_name.clone(),
            author_email: m.author_email.clone(),
            subject: m.subject.clone(),
            recipients: messages::Recipients { to: m.to.clone(), cc: m.cc.clone(), reply_to: m.reply_to.clone() },
            delivered_to: Some(m.delivered_to.clone()),
            text: m.text.clone(),
            folded: m.folded.clone(),
            has_html: m.has_html,
            has_remote_images: m.has_remote_images,
            authenticated: m.authenticated,
            system: None,
            issues: m
                .issues
                .iter()
                .filter_map(|it| serde_json::to_value(it).ok()?.as_str().map(str::to_owned))
                .collect(),
            held: m.held.map(|it| it.as_str().to_owned()),
            rfc_id: m.message_id.as_ref().map(|it| it.as_str().to_owned()),
            raw_key: Some(open.raw_key.clone()),
            post_key: None,
            draft: None,
            leaves_at: None,
        },
        m.at,
    ));
    for file in &write.attachments {
        let row = messages::NewAttachment {
            id: file.id.as_str(),
            message: Some(message),
            record: Some(record),
            name: &file.name,
            content_type: &file.content_type,
            size: file.size,
            sha256: &file.sha256,
            inline: file.inline,
            cid: file.cid.as_deref(),
            uploaded_by: None,
        };
        out.push(messages::insert_attachment(&row, m.at));
    }
    let shown_files = write.attachments.iter().filter(|it| !it.inline).count();
    out.push(messages::touch_record(record, &m.author_name, &m.snippet, shown_files, m.at));
    let words = [m.subject.as_str(), &m.text, &m.author_name, m.author_email.as_ref().map_or("", |it| it.as_str())];
    out.extend(messages::index_words(message, record, &words.join(" ")));
    push_effects(out, app, arrival, write, context, now)
}

/// What a message means for others: somebody waits, took part, is told. A held one means nothing yet; when it is let in
/// this is what happens then.
pub(super) fn push_effects(
    out: &mut Vec<Statement>,
    app: &App,
    arrival: &Arrival,
    write: &Write,
    context: &Context,
    now: Timestamp,
) -> bool {
    let record = write.record.as_str();
    let m = &write.message;
    let message = m.id.as_str();
    if let Some(since) = write.waiting_since {
        out.push(records::start_waiting(record, since));
    }
    if m.held.is_none() {
        let mut keys: Vec<String> = m.author_email.iter().map(mailroom_shared::address::EmailAddress::key).collect();
        keys.extend(m.to.iter().chain(&m.cc).map(|it| it.address.key()));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        out.push(posting::take_part(record, &keys));
        // Whoever answers a campaign counts as one who did; a machine does not.
        let head = &arrival.head;
        let named =
            head.in_reply_to.iter().chain(head.references.iter().rev()).find_map(|it| recipient_of(it.as_str()));
        if let Some((campaign, n)) = named.filter(|_| arrival.automatic.is_none()) {
            out.push(hits::answered(&campaign, n, m.at));
        }
        if let Some(alias) = &write.alias {
            out.extend(aliases::mark_received(alias.as_str(), &arrival.envelope.rcpt_to.key(), m.at));
        }
    }
    out.extend(notifications::insert(&write.notify, message, record, now));
    pass_on(out, app, arrival, write, context, now)
}

/// Followers who are told by email get the message from us, under the author's name and with a reply address of ours.
fn pass_on(
    out: &mut Vec<Statement>,
    app: &App,
    arrival: &Arrival,
    write: &Write,
    context: &Context,
    now: Timestamp,
) -> bool {
    use mailroom_shared::address::EmailAddress;
    use mailroom_shared::address::Mailbox;
    use mailroom_shared::api::messages::TellBy;
    // Never answer or pass on what a machine wrote: that is how loops begin (RFC 3834).
    if write.message.automatic.is_some() || write.message.kind == MessageKind::System {
        return false;
    }
    let mailed: Vec<_> = write.notify.iter().filter(|it| it.by == TellBy::Email && it.address.is_some()).collect();
    let own = arrival.envelope.rcpt_to.domain();
    let domain = context.domains.iter().find(|it| it.name.as_str() == own).or_else(|| context.domains.first());
    let (Some(domain), false) = (domain, mailed.is_empty()) else { return false };
    let Ok(address) = EmailAddress::parse(&format!("{}@{}", domain.default_from, domain.name.as_str())) else {
        return false;
    };
    let refs: Vec<String> = write.message.message_id.iter().map(|it| it.as_str().to_owned()).collect();
    let email = deliveries::NewEmail {
        id: &app.new_id(),
        message: write.message.id.as_str(),
        record: write.record.as_str(),
        lane: "urgent",
        sender: &Mailbox::new(Some(&write.message.author_name), address),
        domain: domain.name.as_str(),
        subject: &write.message.subject,
        refs: &refs,
    };
    out.extend(post::deliver(app, &email, &mailed, now, now));
    true
}

fn push_mark(
    out: &mut Vec<Statement>,
    ingest: &str,
    mark: &Mark,
    item: Option<&mailroom_shared::gateway::report::ReportItem>,
    now: Timestamp,
) {
    let event = match mark.state.state() {
        mailroom_shared::outbox::state::DeliveryState::Bounced => "bounced",
        mailroom_shared::outbox::state::DeliveryState::Deferred => "deferred",
        mailroom_shared::outbox::state::DeliveryState::Delivered => "delivered",
        _ => "complained",
    };
    let row = deliveries::Mark {
        delivery: &mark.delivery,
        from: deliveries::sources(mark.state.event()),
        to: mark.state.state(),
        reason: item.and_then(|it| it.reason.as_deref()).and_then(Reason::parse),
        permanent: item.and_then(|it| it.permanent).unwrap_or(false),
        code: item.and_then(|it| it.reply_code),
        status: item.and_then(|it| it.status.as_deref()),
        text: item.and_then(|it| it.diagnostic.as_deref()).unwrap_or_default(),
        event,
        ingest: Some(ingest),
    };
    out.extend(deliveries::mark(&row, now));
    out.extend(suppressions::of_failures(&[mark.delivery.as_str()], now));
    out.push(crate::store::failures::tell(&[mark.delivery.as_str()], now));
}
