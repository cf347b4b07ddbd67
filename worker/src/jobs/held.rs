//! Held mail: a person lets it in, or doesn't want it. Letting it in decides again with that wish, and does what the plan
//! says; the message of a record that is there already is not written twice.

use mailroom_shared::api::aliases::ContactRule;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::tag;
use mailroom_shared::gateway::plan::plan;
use mailroom_shared::gateway::verdict::Held;
use mailroom_shared::id::MessageId;
use mailroom_shared::intake::wish::Wish;

use super::ingest;
use super::ingest::Decided;
use super::ingest::Fault;
use super::ingest::Written;
use crate::app::App;
use crate::app::SharedApp;
use crate::ports::DbError;
use crate::ports::Statement;
use crate::store;
use crate::store::aliases;
use crate::store::contacts;
use crate::store::ingests;
use crate::store::ingests::HeldMail;
use crate::store::ingests::Open;
use crate::store::messages;
use crate::store::paused;
use crate::store::records;
use crate::store::suppressions;
use crate::store::to_json;

/// Lets a held mail in; false when somebody else was quicker or it could not be written.
pub async fn release(app: &SharedApp, held: &HeldMail, me: &Me) -> Result<bool, Fault> {
    let wish = Wish { to: None, by: me.name.clone() };
    let text = to_json(&wish);
    let now = app.now();
    let act = ingests::Act {
        id: &held.id,
        kind: "released",
        by: &me.name,
        text: "",
        when: "outcome IN ('held', 'dismissed') AND message_id IS NULL",
        set: "state = 'accepted', outcome = NULL, tries = 0",
        wish: Some(&text),
    };
    let Some(message) = &held.message_id else {
        let mut statements = ingests::act(&act, now).to_vec();
        statements.extend(lasting(app, held, None, None));
        let answers = app.db.batch(statements).await?;
        if answers.get(1).is_none_or(|it| it.changes == 0) {
            return Ok(false);
        }
        let open = ingests::open(app, std::slice::from_ref(&held.id)).await?;
        return Ok(ingest::write_all(app, open).await == 0);
    };
    match write_effects(app, held, message, &wish, me).await {
        Ok(written) => {
            app.stale(&written.tags).await;
            if written.has_mail {
                app.nudge(super::Job::Deliver, 0).await;
            }
            Ok(true)
        }
        // Released twice at once: exactly what the key is for.
        Err(Fault::Db(DbError::Unique(what))) if what.starts_with("ingests_done") => Ok(false),
        Err(error) => Err(error),
    }
}

/// The message is on its record; what it means for others happens now.
async fn write_effects(app: &App, held: &HeldMail, message: &str, wish: &Wish, me: &Me) -> Result<Written, Fault> {
    let open = Open {
        id: held.id.clone(),
        mail_from: held.mail_from.clone(),
        rcpt_to: held.rcpt_to.clone(),
        raw_key: held.raw_key.clone(),
        tries: 0,
        received: held.received,
        wish: None,
    };
    let on_record = |decided: &Decided| {
        let mut ids = || app.new_id();
        let Decided { mail, arrival, facts, context, verdict } = decided;
        let mut plan = plan(mail, arrival, verdict, facts, context, &mut ids, open.received);
        let write = plan.writes.pop().filter(|it| Some(it.record.as_str()) == held.record_id.as_deref())?;
        Some((plan.contacts, write))
    };
    let mut decided = ingest::decide_again(app, &open, Some(wish)).await?;
    let mut found = on_record(&decided);
    // Meanwhile another record may answer to the same reference: the message stays where people saw it.
    if found.is_none()
        && let Some(to) = reply_address(app, held.record_id.as_deref().unwrap_or_default()).await?
    {
        let here = Wish { to: Some(to), ..wish.clone() };
        decided = ingest::decide_again(app, &open, Some(&here)).await?;
        found = on_record(&decided);
    }
    let Some((new_contacts, mut write)) = found else {
        return Err(Fault::Gone("its record is gone; route the mail to another one"));
    };
    let Decided { arrival, context, verdict, .. } = decided;
    write.message.id = MessageId::parse(message).map_err(|_| Fault::Gone("its message has no usable id"))?;
    let now = app.now();
    let mut out = vec![ingests::claim_done(&format!("{}:released", held.id))];
    for contact in &new_contacts {
        out.push(contacts::insert(contact.id.as_str(), &contact.name, false, now));
        out.push(contacts::insert_email(contact.id.as_str(), &contact.address, 0));
    }
    let author = write.message.author.as_ref().map(|it| it.as_str());
    out.push(messages::let_in(message, author));
    if held.outcome == "dismissed" {
        out.push(messages::count_again(write.record.as_str(), message));
    }
    let act = ingests::Act {
        id: &held.id,
        kind: "released",
        by: &me.name,
        text: "",
        when: "outcome IN ('held', 'dismissed')",
        set: "outcome = NULL",
        wish: None,
    };
    out.extend(ingests::act(&act, now));
    out.extend(verdict.alive.as_deref().into_iter().flat_map(|it| suppressions::wrote(it, now)));
    let has_mail = ingest::push_effects(&mut out, app, &arrival, &write, &context, now);
    out.extend(lasting(app, held, author, Some(write.record.as_str())));
    app.db.batch(out).await?;
    let tags = vec![
        tag::record(write.record.as_str()),
        tag::RECORDS.to_owned(),
        tag::SHELL.to_owned(),
        tag::INCOMING.to_owned(),
        tag::CONTACTS.to_owned(),
    ];
    Ok(Written { tags, has_mail })
}

/// So that the next mail of this sender passes: he is released, listed, or follows. A contact and a participant he
/// becomes by the mail itself. Nothing helps against a missing proof: the next such mail is held again.
fn lasting(app: &App, held: &HeldMail, author: Option<&str>, record: Option<&str>) -> Vec<Statement> {
    let Some(sender) = held.sender_key.as_deref() else { return Vec::new() };
    let reason = held.held.as_deref().unwrap_or_default();
    let mut out = Vec::new();
    if reason == Held::Paused.as_str() {
        out.push(paused::release(sender, app.now()));
    }
    if reason == Held::ContactRule.as_str()
        && let Some(alias) = held.alias_key.as_deref()
    {
        out.push(aliases::add_listed(alias, sender, ContactRule::Listed));
        if let (Some(author), Some(record)) = (author, record) {
            out.push(aliases::follow_when_asked(alias, record, author, app.now()));
        }
    }
    out
}

/// Not wanted: off the record and out of the tray, kept in the journal.
pub async fn dismiss(app: &SharedApp, held: &HeldMail, me: &Me) -> Result<bool, Fault> {
    let act = ingests::Act {
        id: &held.id,
        kind: "dismissed",
        by: &me.name,
        text: "",
        when: "outcome = 'held'",
        set: "outcome = 'dismissed'",
        wish: None,
    };
    settle(app, held, &act, |record, message| messages::dismiss(record, message).to_vec()).await
}

/// Back where it was before it was dismissed.
pub async fn restore(app: &SharedApp, held: &HeldMail, me: &Me) -> Result<bool, Fault> {
    let act = ingests::Act {
        id: &held.id,
        kind: "restored",
        by: &me.name,
        text: "",
        when: "outcome = 'dismissed'",
        set: "outcome = 'held'",
        wish: None,
    };
    let reason = held.held.clone().unwrap_or_default();
    settle(app, held, &act, |record, message| {
        vec![messages::hold_again(message, &reason), messages::count_again(record, message)]
    })
    .await
}

async fn settle(
    app: &SharedApp,
    held: &HeldMail,
    act: &ingests::Act<'_>,
    of_message: impl Fn(&str, &str) -> Vec<Statement>,
) -> Result<bool, Fault> {
    let mut statements = ingests::act(act, app.now()).to_vec();
    let mut tags = vec![tag::INCOMING.to_owned(), tag::SHELL.to_owned()];
    if let (Some(record), Some(message)) = (&held.record_id, &held.message_id) {
        statements.extend(of_message(record, message));
        tags.extend([tag::record(record), tag::RECORDS.to_owned()]);
    }
    let answers = app.db.batch(statements).await?;
    let is_done = answers.get(1).is_some_and(|it| it.changes > 0);
    if is_done {
        app.stale(&tags).await;
    }
    Ok(is_done)
}

/// Where a mail for a record has to be addressed: a signed reply address of its newest public message.
pub async fn reply_address(
    app: &App,
    record: &str,
) -> Result<Option<mailroom_shared::address::EmailAddress>, store::StoreError> {
    let Some(message) = records::newest_message(app, record).await? else { return Ok(None) };
    let domains = store::settings::domains(app).await?;
    let local = mailroom_shared::token::reply_local(&app.config.token_secret, &message);
    Ok(domains
        .first()
        .and_then(|it| mailroom_shared::address::EmailAddress::parse(&format!("{local}@{}", it.name.as_str())).ok()))
}
