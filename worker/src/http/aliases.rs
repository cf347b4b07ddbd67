//! Aliases and alias domains.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::ChangeAlias;
use mailroom_shared::api::aliases::CreateAlias;
use mailroom_shared::api::aliases::DeleteAlias;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::aliases::EditAlias;
use mailroom_shared::api::aliases::ListAliases;
use mailroom_shared::api::aliases::ListDomains;
use mailroom_shared::api::tag;

use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::aliases;
use crate::store::records;
use crate::store::settings;
use crate::store::users;

pub(super) async fn list(call: Call<ListAliases>) -> AppResult<Vec<AliasRow>> {
    Ok(aliases::list(&call.app).await?)
}

pub(super) async fn domains(call: Call<ListDomains>) -> AppResult<Vec<DomainRow>> {
    Ok(settings::domains(&call.app).await?)
}

/// Checks the form: a known domain, no clash with special addresses or another alias, one target.
async fn check(app: &App, edit: &EditAlias, own: Option<&str>) -> AppResult<(EmailAddress, Vec<String>)> {
    let address = EmailAddress::parse(edit.address.trim()).map_err(|_| AppError::field("address", "address"))?;
    let domains = settings::domains(app).await?;
    let Some(domain) = domains.iter().find(|it| it.name.as_str() == address.domain()) else {
        return Err(AppError::field("address", "domain_unknown"));
    };
    let local = address.local().to_lowercase();
    // The reply and bounce addresses carry tokens after a plus; an alias there would swallow them.
    if [domain.catchall.as_str(), &domain.bounce, &domain.default_from, "reply"].contains(&local.as_str())
        || local.contains('+')
    {
        return Err(AppError::field("address", "reserved"));
    }
    if let Some(other) = aliases::by_key(app, &address.key()).await?
        && own != Some(other.id.as_str())
    {
        let owner = other.owner_name.unwrap_or_default();
        return Err(AppError::field("address", "taken").detail(format!("used by {} {owner}", other.address)));
    }
    match (&edit.creates, &edit.record) {
        (Some(name), None) if records::type_exists(app, name.as_str()).await? => {}
        (Some(_), None) => return Err(AppError::field("creates", "unknown")),
        (None, Some(_)) => {}
        _ => return Err(AppError::field("creates", "one_of")),
    }
    if let Some(user) = &edit.owner
        && users::by_id(app, user.as_str()).await?.is_none()
    {
        return Err(AppError::field("owner", "unknown"));
    }
    let mut listed = Vec::new();
    for text in edit.listed.iter().map(|it| it.trim()).filter(|it| !it.is_empty()) {
        let probe = if text.starts_with('@') { format!("x{text}") } else { text.to_owned() };
        EmailAddress::parse(&probe).map_err(|_| AppError::field("listed", "address"))?;
        listed.push(text.to_lowercase());
    }
    Ok((address, listed))
}

fn statement_parts<'a>(edit: &'a EditAlias, address: &'a EmailAddress, listed: &'a [String]) -> aliases::Edit<'a> {
    aliases::Edit {
        address,
        creates: edit.creates.as_ref().map(|it| it.as_str()),
        record: edit.record.as_ref().map(|it| it.as_str()),
        contact_rule: edit.contact_rule,
        listed,
        outcome: edit.outcome,
        refusal_text: edit.refusal_text.as_deref().map(str::trim).filter(|it| !it.is_empty()),
        owner: edit.owner.as_ref().map(|it| it.as_str()),
    }
}

pub(super) async fn create(call: Call<CreateAlias>) -> AppResult<AliasRow> {
    let (address, listed) = check(&call.app, &call.body, None).await?;
    let id = call.app.new_id();
    call.app.run(aliases::insert(&id, &statement_parts(&call.body, &address, &listed), call.app.now())).await?;
    call.stale(vec![tag::ALIASES.to_owned()]);
    aliases::read(&call.app, &id).await?.ok_or_else(AppError::not_found)
}

pub(super) async fn change(call: Call<ChangeAlias>) -> AppResult<AliasRow> {
    let id = call.path(0).to_owned();
    aliases::read(&call.app, &id).await?.ok_or_else(AppError::not_found)?;
    let (address, listed) = check(&call.app, &call.body, Some(&id)).await?;
    call.app.run(aliases::update(&id, &statement_parts(&call.body, &address, &listed))).await?;
    call.stale(vec![tag::ALIASES.to_owned()]);
    aliases::read(&call.app, &id).await?.ok_or_else(AppError::not_found)
}

pub(super) async fn delete(call: Call<DeleteAlias>) -> AppResult<()> {
    let deleted = call.app.run(aliases::delete(call.path(0))).await?;
    if deleted.changes == 0 {
        return Err(AppError::new(ProblemCode::NotFound));
    }
    call.stale(vec![tag::ALIASES.to_owned()]);
    Ok(())
}
