//! Alias domains: each with its catchall, its bounce address and its default sender.

use mailroom_shared::address::Domain;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::aliases::ChangeDomain;
use mailroom_shared::api::aliases::CreateDomain;
use mailroom_shared::api::aliases::DeleteDomain;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::aliases::EditDomain;
use mailroom_shared::api::tag;
use mailroom_shared::gateway::facts::DomainFact;
use mailroom_shared::gateway::names;
use mailroom_shared::gateway::names::ClashReason;

use super::aliases::clash_error;
use super::aliases::facts_of;
use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::ports::DbError;
use crate::store::aliases;
use crate::store::changes::Area;
use crate::store::settings;

/// The special addresses of a domain, checked.
struct Checked {
    name: Domain,
    catchall: String,
    bounce: String,
    default_from: String,
}

/// A local part: what stands before the @, should a whole address be given.
fn local_part(field: &str, text: &str, domain: &Domain) -> AppResult<String> {
    let local = text.trim().split('@').next().unwrap_or_default().trim().to_lowercase();
    if local.is_empty() {
        return Ok(local);
    }
    if local.contains('+') {
        return Err(AppError::field(field, "plus"));
    }
    EmailAddress::new(&local, domain).map_err(|_| AppError::field(field, "local_part"))?;
    Ok(local)
}

async fn check(app: &App, name: Domain, edit: &EditDomain) -> AppResult<Checked> {
    let or = |text: &str, default: &str| if text.trim().is_empty() { default.to_owned() } else { text.to_owned() };
    let catchall = local_part("catchall", &edit.catchall, &name)?;
    let bounce = local_part("bounce", &or(&edit.bounce, "bounce"), &name)?;
    let sender = or(&edit.default_from, "notifications");
    // A whole address is kept as it is (another host may own it); else it is a local part here.
    let default_from = match EmailAddress::parse(sender.trim()) {
        Ok(address) if address.domain() != name.as_str() => {
            return Err(AppError::field_with("default_from", "same_domain", &[("domain", name.as_str())]));
        }
        _ => local_part("default_from", &sender, &name)?,
    };
    let domain = DomainFact { name, catchall, bounce, default_from };
    let rows = aliases::list(app).await?;
    if let Some(clash) = names::domain_clashes(&domain, &facts_of(&rows), &[]).first() {
        let local = clash.address.split('@').next().unwrap_or_default();
        let field = match (clash.reason, local) {
            (ClashReason::Twice, it) if it == domain.bounce => "bounce",
            (ClashReason::Twice, _) => "default_from",
            (_, it) if it == domain.catchall => "catchall",
            (_, it) if it == domain.bounce => "bounce",
            _ => "default_from",
        };
        return Err(clash_error(field, clash, &rows));
    }
    let DomainFact { name, catchall, bounce, default_from } = domain;
    Ok(Checked { name, catchall, bounce, default_from })
}

impl Checked {
    fn edit(&self) -> settings::DomainEdit<'_> {
        settings::DomainEdit {
            name: &self.name,
            catchall: &self.catchall,
            bounce: &self.bounce,
            default_from: &self.default_from,
        }
    }
}

async fn read(app: &App, name: &Domain) -> AppResult<DomainRow> {
    let all = settings::domains_with_aliases(app).await?;
    all.into_iter().find(|it| it.name == *name).ok_or_else(AppError::not_found)
}

fn tags() -> Vec<String> {
    vec![tag::ALIASES.to_owned(), tag::SHELL.to_owned()]
}

pub(super) async fn create(call: Call<CreateDomain>) -> AppResult<DomainRow> {
    let app = &call.app;
    let name = Domain::parse(call.body.name.trim()).map_err(|_| AppError::field("name", "domain"))?;
    let checked = check(app, name, &call.body).await?;
    let work = [settings::add_domain(&checked.edit(), app.now())];
    match app.db.batch(call.noted(Area::Domain, checked.name.as_str(), work)?).await {
        Ok(_) => {}
        Err(DbError::Unique(_)) => return Err(AppError::field("name", "taken")),
        Err(error) => return Err(error.into()),
    }
    call.stale(tags());
    read(app, &checked.name).await
}

pub(super) async fn change(call: Call<ChangeDomain>) -> AppResult<DomainRow> {
    let app = &call.app;
    let name = Domain::parse(call.path(0)).map_err(|_| AppError::not_found())?;
    read(app, &name).await?;
    let checked = check(app, name, &call.body).await?;
    let work = [settings::change_domain(&checked.edit())];
    app.db.batch(call.noted(Area::Domain, checked.name.as_str(), work)?).await?;
    call.stale(tags());
    read(app, &checked.name).await
}

/// Its aliases stay and take no mail; putting the domain back brings them back.
pub(super) async fn delete(call: Call<DeleteDomain>) -> AppResult<()> {
    let app = &call.app;
    let name = Domain::parse(call.path(0)).map_err(|_| AppError::not_found())?;
    read(app, &name).await?;
    let work = [settings::delete_domain(name.as_str())];
    let answers = app.db.batch(call.noted(Area::Domain, name.as_str(), work)?).await?;
    // Behind the note of what it was.
    if answers.get(1).is_none_or(|it| it.changes == 0) {
        return Err(AppError::new(ProblemCode::WrongState).detail("the only domain stays"));
    }
    call.stale(tags());
    Ok(())
}
