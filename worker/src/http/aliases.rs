//! Aliases: the addresses that take mail.

use std::collections::BTreeMap;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::AliasState;
use mailroom_shared::api::aliases::AliasView;
use mailroom_shared::api::aliases::ChangeAlias;
use mailroom_shared::api::aliases::CreateAlias;
use mailroom_shared::api::aliases::DeleteAlias;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::aliases::EditAlias;
use mailroom_shared::api::aliases::ListAliases;
use mailroom_shared::api::aliases::ListDomains;
use mailroom_shared::api::aliases::ReadAlias;
use mailroom_shared::api::tag;
use mailroom_shared::gateway::facts::AliasFact;
use mailroom_shared::gateway::facts::DomainFact;
use mailroom_shared::gateway::facts::Target;
use mailroom_shared::gateway::names;
use mailroom_shared::gateway::names::Clash;
use mailroom_shared::gateway::names::ClashReason;
use mailroom_shared::gateway::names::Wanted;
use mailroom_shared::id::AliasId;
use mailroom_shared::time::Span;

use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::aliases;
use crate::store::changes::Area;
use crate::store::records;
use crate::store::settings;
use crate::store::users;

/// Providers' confirmations older than this are of no use to anybody.
const CONFIRMATIONS: Span = Span::days(7);
/// Addresses beside its own that an alias may have.
const MAX_NAMES: usize = 50;
const MAX_DEFAULTS: usize = 40;

pub(super) async fn list(call: Call<ListAliases>) -> AppResult<Vec<AliasRow>> {
    Ok(aliases::list(&call.app).await?)
}

pub(super) async fn domains(call: Call<ListDomains>) -> AppResult<Vec<DomainRow>> {
    Ok(settings::domains_with_aliases(&call.app).await?)
}

pub(super) async fn read(call: Call<ReadAlias>) -> AppResult<AliasView> {
    let app = &call.app;
    let alias = aliases::read(app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    let confirmations = aliases::confirmations(app, alias.id.as_str(), app.now() - CONFIRMATIONS).await?;
    Ok(AliasView { alias, confirmations })
}

/// The rows as the rules of names see them.
pub(super) fn facts_of(rows: &[AliasRow]) -> Vec<AliasFact> {
    rows.iter()
        .filter_map(|row| {
            let target = match (&row.creates, &row.record) {
                (Some(r#type), _) => Target::New { r#type: r#type.clone(), defaults: serde_json::Map::new() },
                (None, Some(record)) => Target::Record(record.clone()),
                (None, None) => return None,
            };
            Some(AliasFact {
                id: row.id.clone(),
                address: row.address.clone(),
                also: row.also.clone(),
                former: row.former.clone(),
                target,
                parent: row.parent.clone(),
                contact_rule: row.contact_rule,
                listed: Vec::new(),
                outcome: row.outcome,
                refusal_text: None,
                any_domain: row.any_domain,
                state: row.state,
                owner: None,
            })
        })
        .collect()
}

pub(super) fn domain_facts(rows: &[DomainRow]) -> Vec<DomainFact> {
    rows.iter()
        .map(|it| DomainFact {
            name: it.name.clone(),
            catchall: it.catchall.clone(),
            bounce: it.bounce.clone(),
            default_from: it.default_from.clone(),
        })
        .collect()
}

/// The sentence for an address that can't be had; names who has it.
pub(super) fn clash_error(field: &str, clash: &Clash, rows: &[AliasRow]) -> AppError {
    let address = clash.address.as_str();
    if let Some(other) = rows.iter().find(|it| Some(&it.id) == clash.alias.as_ref()) {
        let owner = match (&other.record_number, &other.owner_name, &other.creates) {
            (Some(number), _, _) => number.clone(),
            (None, Some(name), _) => name.clone(),
            (None, None, Some(r#type)) => r#type.as_str().to_owned(),
            (None, None, None) => other.address.as_str().to_owned(),
        };
        let args = [("address", address), ("alias", other.address.as_str()), ("owner", owner.as_str())];
        return AppError::field_with(field, "taken_by", &args).detail(format!("used by {} ({owner})", other.address));
    }
    let domain = address.rsplit_once('@').map_or("", |(_, it)| it);
    match clash.reason {
        ClashReason::NoDomain => AppError::field_with(field, "domain_unknown", &[("domain", domain)]),
        ClashReason::Twice => AppError::field(field, "twice"),
        _ => AppError::field_with(field, "reserved", &[("address", address)]),
    }
}

fn parse_address(field: &str, text: &str) -> AppResult<EmailAddress> {
    let address = EmailAddress::parse(text.trim()).map_err(|_| AppError::field(field, "address"))?;
    // What stands after a plus is a tag, and the special addresses carry their tokens there.
    if address.local().contains('+') {
        return Err(AppError::field(field, "plus"));
    }
    Ok(address)
}

/// A form that may be saved.
struct Checked {
    address: EmailAddress,
    listed: Vec<String>,
    also: Vec<EmailAddress>,
    defaults: BTreeMap<String, String>,
}

async fn check(app: &App, edit: &EditAlias, own: Option<&str>) -> AppResult<Checked> {
    let address = parse_address("address", &edit.address)?;
    let mut also: Vec<EmailAddress> = Vec::new();
    for text in edit.also.iter().filter(|it| !it.trim().is_empty()) {
        let it = parse_address("also", text)?;
        if it != address && !also.contains(&it) {
            also.push(it);
        }
    }
    if also.len() > MAX_NAMES {
        return Err(AppError::field("also", "too_many"));
    }
    let (domains, rows) = (settings::domains(app).await?, aliases::list(app).await?);
    let id = own.map(AliasId::parse).transpose().map_err(|_| AppError::not_found())?;
    let wanted: Vec<Wanted> =
        [&address].into_iter().chain(&also).map(|it| Wanted { id: id.clone(), address: it.clone() }).collect();
    if let Some(clash) = names::clashes(&wanted, &facts_of(&rows), &domain_facts(&domains)).first() {
        let field = if clash.address == address.as_str() { "address" } else { "also" };
        return Err(clash_error(field, clash, &rows));
    }
    match (&edit.creates, &edit.record) {
        (Some(name), None) if records::type_exists(app, name.as_str()).await? => {}
        (Some(_), None) => return Err(AppError::field("creates", "unknown")),
        (None, Some(record)) => must_be_record(app, "record", record.as_str()).await?,
        _ => return Err(AppError::field("creates", "one_of")),
    }
    if let Some(parent) = &edit.parent {
        must_be_record(app, "parent", parent.as_str()).await?;
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
    let clean = |(name, value): (&String, &String)| (name.trim().to_owned(), value.trim().to_owned());
    let defaults: BTreeMap<String, String> =
        edit.defaults.iter().map(clean).filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect();
    if defaults.len() > MAX_DEFAULTS || defaults.iter().any(|(name, value)| name.len() > 100 || value.len() > 2_000) {
        return Err(AppError::field("defaults", "too_long"));
    }
    if defaults.get("email").is_some_and(|it| EmailAddress::parse(it).is_err()) {
        return Err(AppError::field("defaults", "address"));
    }
    Ok(Checked { address, listed, also, defaults })
}

async fn must_be_record(app: &App, field: &str, id: &str) -> AppResult<()> {
    match records::newest_message(app, id).await? {
        Some(_) => Ok(()),
        None => Err(AppError::field(field, "unknown")),
    }
}

fn statement_parts<'a>(edit: &'a EditAlias, checked: &'a Checked) -> aliases::Edit<'a> {
    aliases::Edit {
        address: &checked.address,
        creates: edit.creates.as_ref().map(|it| it.as_str()),
        record: edit.record.as_ref().map(|it| it.as_str()),
        contact_rule: edit.contact_rule,
        listed: &checked.listed,
        outcome: edit.outcome,
        refusal_text: edit.refusal_text.as_deref().map(str::trim).filter(|it| !it.is_empty()),
        owner: edit.owner.as_ref().map(|it| it.as_str()),
        defaults: &checked.defaults,
        any_domain: edit.any_domain,
        parent: edit.parent.as_ref().filter(|_| edit.record.is_none()).map(|it| it.as_str()),
    }
}

/// Further addresses as rows: those asked for, and earlier ones, the address of before a rename included.
fn further<'a>(checked: &'a Checked, former: &'a [EmailAddress]) -> Vec<aliases::Name<'a>> {
    let also = checked.also.iter().map(|address| aliases::Name { address, is_former: false });
    let former = former
        .iter()
        .filter(|it| **it != checked.address && !checked.also.contains(it))
        .map(|address| aliases::Name { address, is_former: true });
    also.chain(former).collect()
}

pub(super) async fn create(call: Call<CreateAlias>) -> AppResult<AliasRow> {
    let app = &call.app;
    let checked = check(app, &call.body, None).await?;
    let id = app.new_id();
    let now = app.now();
    let mut statements = vec![aliases::insert(&id, &statement_parts(&call.body, &checked), now)];
    statements.extend(aliases::set_names(&id, &further(&checked, &[]), now));
    app.db.batch(call.noted(Area::Alias, &id, statements)?).await?;
    call.stale(vec![tag::ALIASES.to_owned()]);
    aliases::read(app, &id).await?.ok_or_else(AppError::not_found)
}

/// A new address keeps the old one alive until its conversations are quiet.
pub(super) async fn change(call: Call<ChangeAlias>) -> AppResult<AliasRow> {
    let app = &call.app;
    let id = call.path(0).to_owned();
    let before = aliases::read(app, &id).await?.ok_or_else(AppError::not_found)?;
    let checked = check(app, &call.body, Some(&id)).await?;
    let wanted = call.body.former.as_ref();
    let is_kept = |it: &EmailAddress| wanted.is_none_or(|all| all.iter().any(|text| text.trim() == it.as_str()));
    let mut former: Vec<EmailAddress> = before.former.iter().filter(|it| is_kept(it)).cloned().collect();
    if before.address.key() != checked.address.key() && before.received > 0 {
        former.push(before.address.clone());
    }
    let now = app.now();
    let mut statements = aliases::set_names(&id, &further(&checked, &former), now);
    let after = AliasRow {
        contact_rule: call.body.contact_rule,
        creates: call.body.creates.clone(),
        record: call.body.record.clone(),
        ..before.clone()
    };
    let state = match facts_of(&[before, after]).as_slice() {
        [before, after] => names::state_after(before, after),
        _ => AliasState::NotTested,
    };
    statements.push(aliases::update(&id, &statement_parts(&call.body, &checked), state));
    app.db.batch(call.noted(Area::Alias, &id, statements)?).await?;
    call.stale(vec![tag::ALIASES.to_owned()]);
    aliases::read(app, &id).await?.ok_or_else(AppError::not_found)
}

pub(super) async fn delete(call: Call<DeleteAlias>) -> AppResult<()> {
    let work = call.noted(Area::Alias, call.path(0), aliases::delete(call.path(0)))?;
    let deleted = call.app.db.batch(work).await?;
    // The last before the two of the note.
    if deleted.iter().nth_back(2).is_none_or(|it| it.changes == 0) {
        return Err(AppError::new(ProblemCode::NotFound));
    }
    call.stale(vec![tag::ALIASES.to_owned()]);
    Ok(())
}
