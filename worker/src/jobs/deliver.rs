//! Sends what is due: claim, render, hand over, record. A claim is a lease, so two runs never hold one delivery, and one
//! that dies leaves *unknown*, which a person or a report settles; nothing is ever sent twice by ourselves.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::rc::Rc;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::tag;
use mailroom_shared::gateway::loops::loop_value;
use mailroom_shared::mail::compose::AutoSubmitted;
use mailroom_shared::mail::compose::ExtraHeader;
use mailroom_shared::mail::compose::Outgoing;
use mailroom_shared::mail::compose::OutgoingFile;
use mailroom_shared::mail::compose::compose;
use mailroom_shared::mail::html;
use mailroom_shared::mail::rfc_id::RfcMessageId;
use mailroom_shared::mail::rfc_id::make;
use mailroom_shared::outbox::failure;
use mailroom_shared::outbox::reply;
use mailroom_shared::outbox::retry;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::policy::HEADER_LOOP;
use mailroom_shared::policy::HEADER_MESSAGE;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use mailroom_shared::token;

use crate::app::App;
use crate::app::SharedApp;
use crate::log;
use crate::ports::DbError;
use crate::ports::Envelope;
use crate::ports::SendOutcome;
use crate::ports::ServerAccess;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::deliveries;
use crate::store::deliveries::Claimed;
use crate::store::deliveries::ClaimedFile;
use crate::store::deliveries::Outcome;
use crate::store::messages;
use crate::store::servers;
use crate::store::settings;
use crate::store::suppressions;

/// Deliveries claimed at once: what a crash may leave unknown.
const CLAIM: u32 = 48;
/// Connections to one server at once; the platform allows six in all.
const CONNECTIONS: usize = 4;
/// Outcomes written together.
const RECORD: usize = 12;
/// A lease outlives every timeout of one hand-over several times.
const LEASE: Span = Span::minutes(10);
/// Nothing new is started this close to the end of the lease.
const LEASE_MARGIN: Span = Span::minutes(3);
/// Deliveries per run; what is left is nudged again, in a fresh invocation with fresh limits.
const MAX_PER_RUN: u32 = 2_400;

/// A delivery ready to go.
struct Prepared {
    id: String,
    envelope: Envelope,
    tries: u32,
    first_due: Timestamp,
}

/// Sends everything that is due.
pub async fn run(app: &SharedApp) -> Result<(), StoreError> {
    let mut sent = 0;
    loop {
        let n = batch(app).await?;
        sent += n;
        if n < CLAIM {
            break;
        }
        if sent >= MAX_PER_RUN {
            app.nudge(super::Job::Deliver, 0).await;
            break;
        }
    }
    Ok(())
}

/// One claim. Returns how many deliveries it took.
async fn batch(app: &SharedApp) -> Result<u32, StoreError> {
    let claim = app.new_id();
    let now = app.now();
    let lease = now + LEASE;
    let statements = vec![
        deliveries::claim(&claim, now, lease, CLAIM),
        deliveries::claimed(&claim),
        deliveries::claimed_files(&claim),
        servers::list_enabled(),
        settings::list_domains(),
        deliveries::forget_drafts(&claim),
    ];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let _ = answers.changes();
    let rows: Vec<Claimed> = answers.rows()?;
    if rows.is_empty() {
        return Ok(0);
    }
    let files: Vec<ClaimedFile> = answers.rows()?;
    let servers: Vec<servers::Server> = answers.rows()?;
    let domains: Vec<mailroom_shared::api::aliases::DomainRow> = answers.rows()?;
    let n = rows.len() as u32;
    let records: BTreeSet<String> =
        rows.iter().filter_map(|it| it.record_id.as_ref()).map(|it| tag::record(it.as_str())).collect();
    let run = Run { app, claim: &claim, stop_at: lease - LEASE_MARGIN, outcomes: RefCell::default() };
    let Some(server) = servers.iter().find(|it| !it.bulk).or_else(|| servers.first()) else {
        run.give_back(&rows, "no outgoing server is set up").await?;
        return Ok(n);
    };
    let access = server.access(domains.first().map_or("mailroom.invalid", |it| it.name.as_str()));
    match prepare(app, &rows, &files, &domains).await {
        Ok(prepared) => run.send(&access, prepared).await?,
        // A file could not be read: nothing has left, so all of it waits for the next try.
        Err(error) => run.give_back(&rows, &error).await?,
    }
    let mut tags: Vec<String> = records.into_iter().collect();
    tags.extend([tag::EMAILS.to_owned(), tag::SHELL.to_owned(), tag::RECORDS.to_owned()]);
    app.stale(&tags).await;
    Ok(n)
}

struct Run<'a> {
    app: &'a App,
    claim: &'a str,
    stop_at: Timestamp,
    outcomes: RefCell<Vec<Outcome>>,
}

impl Run<'_> {
    /// Back into the queue as if it had not been claimed, a minute later.
    async fn give_back(&self, rows: &[Claimed], why: &str) -> Result<(), StoreError> {
        let now = self.app.now();
        let outcomes = rows.iter().map(|it| Outcome {
            id: it.id.as_str().to_owned(),
            state: DeliveryState::Deferred.as_str(),
            due: (now + Span::minutes(1)).as_millis(),
            reason: Some("systemerror"),
            permanent: 0,
            code: None,
            status: None,
            text: Some(why.to_owned()),
            provider: None,
            server: String::new(),
            server_name: String::new(),
            event: "deferred",
        });
        self.outcomes.borrow_mut().extend(outcomes);
        self.record(0).await?;
        Ok(())
    }

    /// Hands over on several connections at once.
    async fn send(&self, access: &ServerAccess, prepared: Vec<Prepared>) -> Result<(), StoreError> {
        let queue = Rc::new(RefCell::new(VecDeque::from(prepared)));
        let lines = (0..CONNECTIONS).map(|_| self.line(access, &queue));
        futures::future::try_join_all(lines).await?;
        self.record(0).await?;
        Ok(())
    }

    /// One connection, one envelope after the other.
    async fn line(&self, access: &ServerAccess, queue: &RefCell<VecDeque<Prepared>>) -> Result<(), StoreError> {
        let mut session = self.app.mailer.open(access);
        loop {
            let next = queue.borrow_mut().pop_front();
            let Some(next) = next else { break };
            let outcome = if self.app.now() < self.stop_at {
                let sent = session.send(&next.envelope).await;
                self.judge(access, &next, sent)
            } else {
                self.released(access, &next)
            };
            self.outcomes.borrow_mut().push(outcome);
            self.record(RECORD).await?;
        }
        session.close().await;
        Ok(())
    }

    /// Writes outcomes when there are at least so many.
    async fn record(&self, at_least: usize) -> Result<(), DbError> {
        if self.outcomes.borrow().len() < at_least.max(1) {
            return Ok(());
        }
        let outcomes = self.outcomes.take();
        let mut statements = deliveries::record(self.claim, &outcomes, self.app.now()).to_vec();
        let failed: Vec<&str> =
            outcomes.iter().filter(|it| it.state == DeliveryState::Failed.as_str()).map(|it| it.id.as_str()).collect();
        if !failed.is_empty() {
            statements.extend(suppressions::of_failures(&failed, self.app.now()));
        }
        // Two tries: what was sent must be known to be sent.
        match self.app.db.batch(statements.clone()).await {
            Ok(_) => Ok(()),
            Err(_) => self.app.db.batch(statements).await.map(|_| ()),
        }
    }

    fn released(&self, access: &ServerAccess, it: &Prepared) -> Outcome {
        Outcome {
            id: it.id.clone(),
            state: DeliveryState::Outgoing.as_str(),
            due: self.app.now().as_millis(),
            reason: None,
            permanent: 0,
            code: None,
            status: None,
            text: None,
            provider: None,
            server: access.id.clone(),
            server_name: access.name.clone(),
            event: "queued",
        }
    }

    /// What a hand-over means: the state machine and the retry schedule decide.
    fn judge(&self, access: &ServerAccess, it: &Prepared, sent: SendOutcome) -> Outcome {
        let now = self.app.now();
        let mut outcome = self.released(access, it);
        match sent {
            SendOutcome::Accepted { text, provider_id } => {
                outcome.state = DeliveryState::Sent.as_str();
                outcome.event = "accepted";
                outcome.text = Some(text);
                outcome.provider = provider_id;
            }
            SendOutcome::Lost { text } => {
                outcome.state = DeliveryState::Unknown.as_str();
                outcome.event = "unknown";
                outcome.reason = Some("networkerror");
                outcome.text = Some(text);
            }
            SendOutcome::Refused { code, text } => {
                let (_, found) = reply::scan(&text);
                let status = found.map(str::to_owned);
                let failure = failure::classify((code > 0).then_some(code), status.as_deref(), &text);
                let next = if failure.temporary { retry::next_try(it.tries, it.first_due, now) } else { None };
                outcome.reason = Some(failure.reason.as_str());
                outcome.code = (code > 0).then_some(code);
                outcome.status = status;
                outcome.permanent = u8::from(failure.permanent);
                outcome.text = Some(if code > 0 { format!("{code} {text}") } else { text });
                if let Some(at) = next {
                    outcome.state = DeliveryState::Deferred.as_str();
                    outcome.event = "deferred";
                    outcome.due = at.as_millis();
                } else {
                    outcome.state = DeliveryState::Failed.as_str();
                    outcome.event = "refused";
                }
            }
        }
        log::info("mail_handed_over", &[("delivery", &outcome.id), ("state", outcome.state), ("server", &access.name)]);
        outcome
    }
}

/// Renders each email once; its deliveries differ in their envelopes only.
async fn prepare(
    app: &App,
    rows: &[Claimed],
    files: &[ClaimedFile],
    domains: &[mailroom_shared::api::aliases::DomainRow],
) -> Result<Vec<Prepared>, String> {
    let mut rendered: HashMap<&str, Vec<u8>> = HashMap::new();
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let email = row.email_id.as_str();
        if !rendered.contains_key(email) {
            let mut attachments = Vec::new();
            for file in files.iter().filter(|it| it.message_id == row.message_id.as_str()) {
                let bytes = app.blobs.get(&messages::blob_key(&file.sha256)).await.map_err(|e| e.to_string())?;
                attachments.push(OutgoingFile {
                    name: file.name.clone(),
                    content_type: file.content_type.clone(),
                    bytes: bytes.ok_or_else(|| format!("the file {} is gone", file.name))?,
                    cid: file.cid.clone(),
                });
            }
            rendered.insert(email, compose(&content(app, row, attachments)));
        }
        let raw = rendered.get(email).cloned().unwrap_or_default();
        let bounce = domains.iter().find(|it| it.name.as_str() == row.domain).map_or("bounce", |it| it.bounce.as_str());
        let local = token::bounce_local(&app.config.token_secret, bounce, row.id.as_str());
        out.push(Prepared {
            id: row.id.as_str().to_owned(),
            envelope: Envelope {
                mail_from: format!("{local}@{}", row.domain),
                rcpt_to: row.address.to_smtp(),
                header_from: row.sender.address.to_smtp(),
                raw,
            },
            tries: row.tries,
            first_due: row.first_due,
        });
    }
    Ok(out)
}

fn content(app: &App, row: &Claimed, attachments: Vec<OutgoingFile>) -> Outgoing {
    let reply = token::reply_local(&app.config.token_secret, row.message_id.as_str());
    let reply_to = EmailAddress::parse(&format!("{reply}@{}", row.domain)).ok();
    let references: Vec<RfcMessageId> = row.refs.iter().filter_map(|it| RfcMessageId::parse(it).ok()).collect();
    let header = |name: &str, value: &str| ExtraHeader::new(name, value).ok();
    let passed_on = row.rfc_id.as_deref().is_some_and(|id| row.refs.iter().any(|it| it == id));
    // A mail that came in and is passed on to followers keeps its own id for itself.
    let message_id = match &row.rfc_id {
        Some(id) if !passed_on => RfcMessageId::parse(id).ok(),
        _ => None,
    };
    Outgoing {
        from: row.sender.clone(),
        sender: None,
        to: if row.recipients.to.is_empty() || passed_on {
            vec![Mailbox::new(None, row.address.clone())]
        } else {
            row.recipients.to.clone()
        },
        cc: if passed_on { Vec::new() } else { row.recipients.cc.clone() },
        reply_to: reply_to.map(|it| Mailbox::new(row.sender.name.as_deref(), it)).into_iter().collect(),
        subject: row.subject.clone(),
        date: row.email_created,
        message_id: message_id.unwrap_or_else(|| make(&row.email_id.as_str().to_lowercase(), &row.domain)),
        in_reply_to: references.last().cloned(),
        references,
        text: Some(row.text.clone()),
        html: Some(html::from_text(&row.text)),
        attachments,
        extra_headers: [
            header(HEADER_MESSAGE, row.message_id.as_str()),
            header(HEADER_LOOP, &loop_value(&app.config.token_secret)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        auto_submitted: (row.lane != "urgent" || passed_on).then_some(AutoSubmitted::Generated),
    }
}
