//! Records and their followers.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::records::AddFollower;
use mailroom_shared::api::records::ChangeAFollower;
use mailroom_shared::api::records::ChangeARecord;
use mailroom_shared::api::records::CreateRecord;
use mailroom_shared::api::records::ListRecords;
use mailroom_shared::api::records::ReadRecord;
use mailroom_shared::api::records::RecordRow;
use mailroom_shared::api::records::RecordView;
use mailroom_shared::api::records::RemoveFollower;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::api::session::Role;
use mailroom_shared::api::tag;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;

use super::endpoint::Call;
use super::session::must_exist;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Job;
use crate::ports::Statement;
use crate::post;
use crate::store::contacts;
use crate::store::messages;
use crate::store::notifications;
use crate::store::people;
use crate::store::records;
use crate::store::users;

const MAX_TITLE: usize = 300;

pub(super) async fn list(call: Call<ListRecords>) -> AppResult<Page<RecordRow>> {
    Ok(records::list(&call.app, &call.query, &call.me()?.user, call.sight()?).await?)
}

pub(super) async fn read(call: Call<ReadRecord>) -> AppResult<RecordView> {
    must_exist(&call.app, call.path(0), call.caller()?).await
}

/// The contact of an address: the one that has it, or a new one with the statements that make it.
pub(super) async fn find_or_make_contact(
    app: &App,
    address: &EmailAddress,
    name: Option<&str>,
) -> AppResult<(String, Vec<Statement>)> {
    if let Some(id) = contacts::by_address(app, address).await? {
        return Ok((id.as_str().to_owned(), Vec::new()));
    }
    let id = app.new_id();
    let name = name.map(str::trim).filter(|it| !it.is_empty()).unwrap_or(address.as_str());
    let statements = vec![contacts::insert(&id, name, false, app.now()), contacts::insert_email(&id, address, 0)];
    Ok((id, statements))
}

pub(super) async fn create(call: Call<CreateRecord>) -> AppResult<RecordView> {
    let app = &call.app;
    let me = call.me()?;
    let body = &call.body;
    let title = body.title.trim();
    let mut wrong = Vec::new();
    if title.is_empty() {
        wrong.push(("title", "required"));
    }
    if title.chars().count() > MAX_TITLE {
        wrong.push(("title", "too_long"));
    }
    let is_seen = call.sight()?.sees(body.r#type.as_str());
    if !is_seen || !records::type_exists(app, body.r#type.as_str()).await? {
        wrong.push(("type", "unknown"));
    }
    let address = body.email.as_deref().map(str::trim).filter(|it| !it.is_empty());
    let email = address.map(EmailAddress::parse);
    if matches!(email, Some(Err(_))) {
        wrong.push(("email", "address"));
    }
    let mut assigned = None;
    if let Some(user) = &body.responsible {
        match users::assignable(app, user.as_str()).await? {
            None => wrong.push(("responsible", "unknown")),
            Some(it) if people::is_hidden_from(app, it.contact.as_str(), body.r#type.as_str()).await? => {
                wrong.push(("responsible", "hidden"));
            }
            Some(it) => assigned = Some(it),
        }
    }
    if !wrong.is_empty() {
        return Err(AppError::fields(wrong));
    }
    let email = email.and_then(Result::ok);
    let id = app.new_id();
    let now = app.now();
    let is_person = call.caller()?.scopes.is_none();
    let (customer, mut statements) = match &email {
        Some(email) => {
            let (id, statements) = find_or_make_contact(app, email, body.customer_name.as_deref()).await?;
            (Some(id), statements)
        }
        None => (None, Vec::new()),
    };
    statements.extend(records::insert(
        &records::NewRecord {
            id: &id,
            r#type: body.r#type.as_str(),
            title,
            stage: body.stage.as_deref(),
            email: email.as_ref(),
            customer: customer.as_deref(),
            // A program answers for nothing.
            responsible: match &body.responsible {
                Some(user) => Some(user.as_str()),
                None => is_person.then_some(me.user.as_str()),
            },
            alias: None,
            tags: &[],
            fields: &body.fields,
        },
        now,
    ));
    if is_person {
        statements.push(records::follow(&id, me.contact.as_str(), now));
        statements.push(records::mark_read(&me.user, &id, now));
    }
    let words = [title, body.customer_name.as_deref().unwrap_or_default(), email.as_ref().map_or("", |it| it.as_str())];
    statements.push(records::index_words(&id, &words.join(" ")));
    let author = (me.contact.as_str(), me.name.as_str());
    statements
        .push(messages::insert(&messages::system_line(&app.new_id(), &id, Some(author), "record_created", &[]), now));
    let mut has_mail = false;
    if let Some(to) = assigned.filter(|it| it.user != me.user) {
        statements.push(records::follow(&id, to.contact.as_str(), now));
        let args = [("to", to.name.as_str())];
        let mut line = messages::system_line(&app.new_id(), &id, Some(author), "responsible_changed", &args);
        line.text = assigned_text(me, &to, title);
        statements.push(messages::insert(&line, now));
        statements.extend(post::tell_assigned(app, (&id, title), me, &to, &line, now).await?);
        has_mail = to.notify_by == NotifyBy::Email;
    }
    app.db.batch(statements).await?;
    if has_mail {
        call.nudge(Job::Deliver, 0);
    }
    call.stale(vec![tag::RECORDS.to_owned(), tag::SHELL.to_owned()]);
    must_exist(app, &id, call.caller()?).await
}

/// What the mail says to somebody who is made responsible, in his language.
fn assigned_text(me: &Me, to: &Me, title: &str) -> String {
    Catalogue::load(Lang::of(&to.language)).text("assigned.text", &[("name", &me.name), ("title", title)])
}

fn may_write(me: &Me) -> bool {
    me.role != Role::ReadOnly
}

/// One change, one line in the chatter that tells of it.
pub(super) async fn change(call: Call<ChangeARecord>) -> AppResult<RecordView> {
    let app = &call.app;
    let me = call.me()?;
    let body = &call.body;
    let record = must_exist(app, call.path(0), call.caller()?).await?;
    let id = record.id.as_str();
    let only_reads = body.title.is_none()
        && body.stage.is_none()
        && body.responsible.is_none()
        && body.email.is_none()
        && body.waiting.is_none()
        && body.tags.is_none();
    if !only_reads && !may_write(me) {
        return Err(AppError::new(ProblemCode::Forbidden));
    }
    if body.version.is_some_and(|it| it != record.version) {
        return Err(AppError::new(ProblemCode::Conflict).detail("changed meanwhile; read it again"));
    }
    let now = app.now();
    let mut statements = Vec::new();
    let mut lines: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    let mut assigned = None;
    if let Some(title) = body.title.as_deref().map(str::trim).filter(|it| *it != record.title) {
        if title.is_empty() {
            return Err(AppError::field("title", "required"));
        }
        if title.chars().count() > MAX_TITLE {
            return Err(AppError::field("title", "too_long"));
        }
        statements.push(records::set_column(id, "title", title));
        statements.push(records::index_words(id, title));
        lines.push(("title_changed", vec![("from", record.title.clone()), ("to", title.to_owned())]));
    }
    if let Some(stage) = body.stage.as_ref().filter(|it| record.stage.as_ref() != Some(it)) {
        if !record.stages.contains(stage) {
            return Err(AppError::field("stage", "one_of"));
        }
        statements.push(records::set_column(id, "stage", stage));
        lines.push(("stage_changed", vec![("from", record.stage.clone().unwrap_or_default()), ("to", stage.clone())]));
    }
    if let Some(user) =
        body.responsible.as_deref().filter(|it| record.responsible.as_ref().map_or("", |r| r.as_str()) != *it)
    {
        let name = if user.is_empty() {
            String::new()
        } else {
            let user = users::assignable(app, user).await?.ok_or_else(|| AppError::field("responsible", "unknown"))?;
            if people::is_hidden_from(app, user.contact.as_str(), record.r#type.as_str()).await? {
                return Err(AppError::field("responsible", "hidden"));
            }
            statements.push(records::follow(id, user.contact.as_str(), now));
            let name = user.name.clone();
            assigned = Some(user);
            name
        };
        statements.push(records::set_column(id, "responsible_id", (!user.is_empty()).then_some(user)));
        lines.push(("responsible_changed", vec![("to", name)]));
    }
    if let Some(text) = body.email.as_deref().map(str::trim) {
        let email = EmailAddress::parse(text).map_err(|_| AppError::field("email", "address"))?;
        let (customer, made) = find_or_make_contact(app, &email, None).await?;
        statements.extend(made);
        statements.push(records::set_column(id, "email", email.as_str()));
        statements.push(records::set_column(id, "email_key", email.key()));
        statements.push(records::set_column(id, "customer_id", customer));
        lines.push(("email_changed", vec![("to", email.as_str().to_owned())]));
    }
    if let Some(tags) = &body.tags {
        statements.push(records::set_column(id, "tags", crate::store::to_json(tags)));
    }
    if let Some(waiting) = body.waiting {
        statements.push(records::set_waiting(id, waiting.then_some(record.waiting_since.unwrap_or(now))));
    }
    if body.read == Some(true) {
        statements.push(records::mark_read(&me.user, id, now));
        statements.push(notifications::read_record(me.user.as_str(), id, now));
    }
    let author = (me.contact.as_str(), me.name.as_str());
    let mut has_mail = false;
    for (key, args) in &lines {
        let args: Vec<(&str, &str)> = args.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let mut line = messages::system_line(&app.new_id(), id, Some(author), key, &args);
        if *key == "stage_changed" {
            let texts = Catalogue::load(Lang::of(&me.language));
            line.text = format!("{} {}", me.name, texts.text("system.stage_changed", &args));
            statements.push(messages::insert(&line, now));
            let told = post::tell_stage(app, id, me, &line, now).await?;
            has_mail |= !told.is_empty();
            statements.extend(told);
        } else if let Some(to) = assigned.as_ref().filter(|_| *key == "responsible_changed") {
            let title = body.title.as_deref().map_or(record.title.as_str(), str::trim);
            line.text = assigned_text(me, to, title);
            statements.push(messages::insert(&line, now));
            let told = post::tell_assigned(app, (id, title), me, to, &line, now).await?;
            has_mail |= !told.is_empty();
            statements.extend(told);
        } else {
            statements.push(messages::insert(&line, now));
        }
    }
    if !statements.is_empty() {
        app.db.batch(statements).await?;
        if has_mail {
            call.nudge(Job::Deliver, 0);
        }
        // Reading is nobody else's news.
        if only_reads {
            call.stale(vec![tag::SHELL.to_owned()]);
        } else {
            call.stale(vec![tag::record(id), tag::RECORDS.to_owned(), tag::SHELL.to_owned()]);
        }
    }
    must_exist(app, call.path(0), call.caller()?).await
}

pub(super) async fn add_follower(call: Call<AddFollower>) -> AppResult<RecordView> {
    let app = &call.app;
    let me = call.me()?;
    let record = must_exist(app, call.path(0), call.caller()?).await?;
    may_follow(me, call.body.contact.as_ref().map_or("", |it| it.as_str()))?;
    let id = record.id.as_str();
    let now = app.now();
    let (contact, mut statements) = match (&call.body.contact, call.body.email.as_deref()) {
        (Some(contact), _) => {
            if !contacts::is_active(app, contact.as_str()).await? {
                return Err(AppError::field("contact", "unknown"));
            }
            (contact.as_str().to_owned(), Vec::new())
        }
        (None, Some(text)) => {
            let email = EmailAddress::parse(text.trim()).map_err(|_| AppError::field("email", "address"))?;
            find_or_make_contact(app, &email, call.body.name.as_deref()).await?
        }
        (None, None) => return Err(AppError::field("email", "required")),
    };
    if people::is_hidden_from(app, &contact, record.r#type.as_str()).await? {
        return Err(AppError::field(if call.body.contact.is_some() { "contact" } else { "email" }, "hidden"));
    }
    if !record.followers.iter().any(|it| it.contact.as_str() == contact) {
        statements.push(records::follow(id, &contact, now));
        app.db.batch(statements).await?;
        let name = contacts::read(app, &contact).await?.map(|it| it.name).unwrap_or_default();
        let author = (me.contact.as_str(), me.name.as_str());
        let line = messages::system_line(&app.new_id(), id, Some(author), "follower_added", &[("name", &name)]);
        app.run(messages::insert(&line, now)).await?;
        call.stale(vec![tag::record(id)]);
    }
    must_exist(app, call.path(0), call.caller()?).await
}

/// Who only reads follows and leaves for himself (FO-16).
fn may_follow(me: &Me, contact: &str) -> AppResult<()> {
    if may_write(me) || me.contact.as_str() == contact { Ok(()) } else { Err(AppError::new(ProblemCode::Forbidden)) }
}

/// What a follower is told of. Customers never hear of what stays in the house.
pub(super) async fn change_follower(call: Call<ChangeAFollower>) -> AppResult<RecordView> {
    let app = &call.app;
    let record = must_exist(app, call.path(0), call.caller()?).await?;
    may_follow(call.me()?, call.path(1))?;
    let follower = record.followers.iter().find(|it| it.contact.as_str() == call.path(1));
    let follower = follower.ok_or_else(AppError::not_found)?;
    for (field, wanted) in [("notes", call.body.notes), ("stages", call.body.stages)] {
        if wanted && !follower.internal {
            return Err(AppError::field(field, "colleagues_only"));
        }
    }
    app.run(records::choose(record.id.as_str(), call.path(1), call.body)).await?;
    call.stale(vec![tag::record(record.id.as_str())]);
    must_exist(app, call.path(0), call.caller()?).await
}

pub(super) async fn remove_follower(call: Call<RemoveFollower>) -> AppResult<RecordView> {
    let app = &call.app;
    let me = call.me()?;
    let record = must_exist(app, call.path(0), call.caller()?).await?;
    may_follow(me, call.path(1))?;
    let id = record.id.as_str();
    if let Some(follower) = record.followers.iter().find(|it| it.contact.as_str() == call.path(1)) {
        let author = (me.contact.as_str(), me.name.as_str());
        let line =
            messages::system_line(&app.new_id(), id, Some(author), "follower_removed", &[("name", &follower.name)]);
        app.db.batch(vec![records::unfollow(id, call.path(1)), messages::insert(&line, app.now())]).await?;
        call.stale(vec![tag::record(id)]);
    }
    must_exist(app, call.path(0), call.caller()?).await
}
