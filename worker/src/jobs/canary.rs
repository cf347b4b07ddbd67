//! A mail that goes through the whole loop: out by the server that would take it, through the world, in by the front door.
//! It carries a signed token, is recognised by that before anything is decided, and never becomes a message.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::status::CanaryView;
use mailroom_shared::gateway::arrival::Arrival;
use mailroom_shared::mail::compose::AutoSubmitted;
use mailroom_shared::mail::compose::ExtraHeader;
use mailroom_shared::mail::compose::Outgoing;
use mailroom_shared::mail::compose::compose;
use mailroom_shared::mail::rfc_id;
use mailroom_shared::outbox::choice::Choice;
use mailroom_shared::outbox::choice::Wish;
use mailroom_shared::outbox::choice::choose;
use mailroom_shared::policy::HEADER_CANARY;
use mailroom_shared::received;
use mailroom_shared::token;
use mailroom_shared::token::Purpose;

use super::Fleet;
use super::deliver::sign;
use crate::app::App;
use crate::ports::Envelope;
use crate::ports::SendOutcome;
use crate::store::StoreError;
use crate::store::canaries;
use crate::store::limits;

/// Why none can be sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoCanary {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no alias domain is set up")]
    NoDomain,
    #[error("no outgoing server takes it now")]
    NoServer,
    #[error("{0}")]
    Server(String),
}

impl From<crate::ports::DbError> for NoCanary {
    fn from(error: crate::ports::DbError) -> Self {
        Self::Store(error.into())
    }
}

/// Sends one to an address of ours and says what the server answered.
pub async fn send(app: &App, to: &EmailAddress, by: &str) -> Result<CanaryView, NoCanary> {
    let fleet = Fleet::load(app).await?;
    let domain = fleet.domains.iter().find(|it| it.name.as_str() == to.domain()).or_else(|| fleet.domains.first());
    let domain = domain.map(|it| it.name.as_str()).ok_or(NoCanary::NoDomain)?;
    let address = fleet.notifications(domain).ok_or(NoCanary::NoDomain)?;
    let from = Mailbox::new(Some("Mailroom"), address.clone());
    let wish = Wish {
        from: &from,
        notifications: Some(&address),
        bounce_domain: domain,
        bulk: false,
        size: None,
        forced: None,
        on_mismatch: fleet.rules.on_mismatch,
    };
    let Choice::Leaves { server, from, .. } = choose(&wish, &fleet.candidates(true)).choice else {
        return Err(NoCanary::NoServer);
    };
    let server = fleet.servers.get(server).ok_or(NoCanary::NoServer)?;
    let access = server.access(app, fleet.ehlo()).map_err(|e| NoCanary::Server(e.to_string()))?;
    let (id, now) = (app.new_id(), app.now());
    let token = token::sign(&app.config.token_secret, Purpose::Canary, &id);
    let mail = Outgoing {
        from: from.clone(),
        sender: None,
        to: vec![Mailbox::new(None, to.clone())],
        cc: Vec::new(),
        reply_to: Vec::new(),
        subject: "Mailroom canary".to_owned(),
        date: now,
        message_id: rfc_id::make(&format!("canary-{}", id.to_lowercase()), domain),
        in_reply_to: None,
        references: Vec::new(),
        text: Some("Mailroom sent this mail to itself to see that mail flows. Nobody needs to read it.".to_owned()),
        html: None,
        attachments: Vec::new(),
        extra_headers: ExtraHeader::new(HEADER_CANARY, &token).into_iter().collect(),
        auto_submitted: Some(AutoSubmitted::Generated),
    };
    let envelope = Envelope {
        mail_from: from.address.to_smtp(),
        rcpt_to: to.to_smtp(),
        header_from: from.address.to_smtp(),
        raw: if server.dkim {
            sign(app, &fleet, &from, compose(&mail)).await.map_err(NoCanary::Server)?
        } else {
            compose(&mail)
        },
    };
    let row = canaries::NewCanary {
        id: &id,
        by,
        server: &server.name,
        mail_from: &envelope.mail_from,
        rcpt_to: &envelope.rcpt_to,
    };
    app.run(canaries::insert(&row, now)).await?;
    let mut session = app.mailer.open(&access);
    let sent = session.send(&envelope).await;
    session.close().await;
    let (is_taken, answer) = match sent {
        // What was lost may come back all the same.
        SendOutcome::Accepted { text, .. } | SendOutcome::Lost { text } => (true, text),
        SendOutcome::Refused { code, text } if code > 0 => (false, format!("{code} {text}")),
        SendOutcome::Refused { text, .. } | SendOutcome::Down { text } | SendOutcome::Full { text } => (false, text),
    };
    let mut statements = vec![canaries::answered(&id, is_taken, &answer, app.now())];
    if is_taken {
        statements.push(limits::count(server.id.as_str(), fleet.hour, "automatic", 1));
    }
    app.db.batch(statements).await?;
    canaries::read(app, &id).await?.ok_or(NoCanary::NoServer)
}

/// Whether this mail is a canary of ours that was still out. Costs a round trip only when it says so itself.
pub async fn came_back(app: &App, arrival: &Arrival) -> Result<bool, StoreError> {
    let Some(token) = arrival.head.first(HEADER_CANARY) else { return Ok(false) };
    let Some(id) = token::verify(&app.config.token_secret, Purpose::Canary, token.trim()) else { return Ok(false) };
    let now = app.now();
    let way = received::way(&received::hops(arrival.head.all("Received")), arrival.head.date, Some(now), "Mailroom");
    Ok(app.run(canaries::returned(&id, &way, now)).await?.changes > 0)
}
