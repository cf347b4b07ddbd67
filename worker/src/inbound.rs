//! A mail arrives. One read batch, one decision, at most one blob and one write batch: then the peer has its answer.
//!
//! A fault of ours (database, storage) is an `Err`, which makes the sender try again; it is never a 550.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::tag;
use mailroom_shared::gateway::arrival::Arrival;
use mailroom_shared::gateway::decide::decide;
use mailroom_shared::gateway::inquire::inquire;
use mailroom_shared::gateway::verdict::Decision;
use mailroom_shared::gateway::verdict::Ignored;
use mailroom_shared::gateway::verdict::Route;
use mailroom_shared::gateway::verdict::Verdict;
use mailroom_shared::mail::inbound::Envelope;
use mailroom_shared::mail::rfc_id::RfcMessageId;
use mailroom_shared::token;

use crate::app::App;
use crate::app::RECEIVING_HOST;
use crate::jobs::Job;
use crate::jobs::canary;
use crate::journal;
use crate::ports::BlobError;
use crate::ports::DbError;
use crate::store::StoreError;
use crate::store::campaigns::hits;
use crate::store::facts;
use crate::store::incoming;
use crate::store::ingests;
use crate::store::settings;

/// Largest mail that is read into memory; Email Routing takes 25 MiB.
pub const MAX_READ: usize = 26 * 1024 * 1024;

/// What the peer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// 250. The nudge is what remains to be sent.
    Accepted { nudge: Option<Job> },
    /// 550 with this text.
    Refused { text: String },
}

/// A fault of ours: the sender keeps the mail and tries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboundFault {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// Reads an envelope sender; `<>`, nothing and nonsense are the null sender.
pub fn sender(mail_from: &str) -> Option<EmailAddress> {
    EmailAddress::parse(mail_from.trim().trim_start_matches('<').trim_end_matches('>')).ok()
}

/// Decides about one mail for one recipient and keeps it, or says why not. `size` is what the platform claims; `raw` is
/// empty when that is too much.
pub async fn admit(
    app: &App,
    mail_from: &str,
    rcpt_to: &str,
    raw: Vec<u8>,
    size: usize,
) -> Result<Admission, InboundFault> {
    let Ok(rcpt_to) = EmailAddress::parse(rcpt_to.trim().trim_start_matches('<').trim_end_matches('>')) else {
        return Ok(Admission::Refused { text: format!("5.1.3 {rcpt_to} is no mail address") });
    };
    let envelope = Envelope { mail_from: sender(mail_from), rcpt_to };
    let mut arrival = Arrival::read(envelope, &raw, RECEIVING_HOST);
    arrival.size = arrival.size.max(size);
    if canary::came_back(app, &arrival).await? {
        return Ok(Admission::Accepted { nudge: None });
    }
    let inquiry = inquire(&arrival, &app.config.token_secret);
    let (context, facts) = facts::load(app, &inquiry, None).await?;
    let now = app.now();
    let verdict = decide(&arrival, &facts, &context, now);
    let id = app.new_id();
    match verdict.decision {
        Decision::Refused => refuse(app, &id, &arrival, &verdict, inquiry.sender.as_deref()).await,
        // Other content under a known Message-ID is kept for a person to see.
        Decision::Ignored if verdict.ignored == Some(Ignored::Conflict) => {
            keep(app, &id, &arrival, &verdict, inquiry.sender.as_deref(), &raw).await
        }
        Decision::Ignored if verdict.ignored == Some(Ignored::Unsubscribe) => {
            let local = arrival.envelope.rcpt_to.local();
            let n = token::read_unsubscribe_local(&app.config.token_secret, &local).unwrap_or_default();
            let mut statements = hits::unsubscribe_by_mail(app, n).await?;
            statements.push(journal::dropped(&id, &arrival, &verdict, inquiry.sender.as_deref(), now));
            app.db.batch(statements).await?;
            app.stale(&[tag::CAMPAIGNS.to_owned(), tag::SUPPRESSIONS.to_owned()]).await;
            Ok(Admission::Accepted { nudge: None })
        }
        Decision::Ignored => {
            app.run(journal::dropped(&id, &arrival, &verdict, inquiry.sender.as_deref(), now)).await?;
            Ok(Admission::Accepted { nudge: None })
        }
        Decision::Accepted | Decision::Held | Decision::Report => {
            keep(app, &id, &arrival, &verdict, inquiry.sender.as_deref(), &raw).await
        }
    }
}

async fn refuse(
    app: &App,
    id: &str,
    arrival: &Arrival,
    verdict: &Verdict,
    sender: Option<&str>,
) -> Result<Admission, InboundFault> {
    let Some(refusal) = &verdict.refusal else {
        // `decide` always says why; should it not, the sender gets a clear answer all the same.
        return Ok(Admission::Refused { text: "5.7.1 not accepted".to_owned() });
    };
    app.db.batch(journal::refused(id, arrival, verdict, refusal, sender, app.now())).await?;
    Ok(Admission::Refused { text: format!("{} {}", refusal.status, refusal.text) })
}

/// Key of the alias a route came by.
pub fn alias_key(route: Option<&Route>) -> Option<String> {
    let address = route?.alias.as_deref()?;
    EmailAddress::parse(address).ok().map(|it| it.key())
}

/// Raw bytes first, then the row; whoever finds a row finds the bytes.
async fn keep(
    app: &App,
    id: &str,
    arrival: &Arrival,
    verdict: &Verdict,
    sender: Option<&str>,
    raw: &[u8],
) -> Result<Admission, InboundFault> {
    let raw_key = format!("raw/{}.eml", arrival.sha256);
    if let Err(error) = app.blobs.put(&raw_key, raw).await {
        // The sender keeps the mail; that people are told must not change what he is told.
        let _ = app.run(settings::set(incoming::STORAGE_FAILED, &app.now().as_millis().to_string())).await;
        return Err(error.into());
    }
    let route = verdict.routes.first();
    let alias = alias_key(route);
    let verdict_text = serde_json::to_string(verdict).unwrap_or_default();
    let is_conflict = verdict.ignored == Some(Ignored::Conflict);
    let conflict_key = format!("{}:{}", verdict.key, arrival.content_sha256);
    let row = ingests::NewIngest {
        id,
        key: if is_conflict { &conflict_key } else { &verdict.key },
        mail_from: arrival.envelope.mail_from.as_ref().map_or("", EmailAddress::as_str),
        rcpt_to: &arrival.envelope.rcpt_to,
        rfc_id: arrival.head.message_id.as_ref().map(RfcMessageId::as_str),
        sha256: &arrival.sha256,
        content_sha256: &arrival.content_sha256,
        size: arrival.size,
        raw_key: &raw_key,
        sender_key: sender,
        alias_key: alias.as_deref(),
        r#type: route.map(|it| it.r#type.as_str()),
        record: route.and_then(|it| it.record.as_ref()).map(|it| it.as_str()),
        from: &arrival.author_from(),
        subject: &arrival.head.subject,
        is_conflict,
        verdict: &verdict_text,
    };
    match app.run(ingests::insert(&row, app.now())).await {
        Ok(_) if is_conflict => Ok(Admission::Accepted { nudge: None }),
        Ok(_) => Ok(Admission::Accepted { nudge: Some(Job::Ingest { id: id.to_owned() }) }),
        // The same hand-over came twice at once.
        Err(DbError::Unique(_)) => {
            app.run(journal::dropped(id, arrival, verdict, sender, app.now())).await?;
            Ok(Admission::Accepted { nudge: None })
        }
        Err(error) => Err(error.into()),
    }
}
