//! Rules of mail that comes in.

use mailroom_shared::api::policy::ChangeInboundRules;
use mailroom_shared::api::policy::InboundRules;
use mailroom_shared::api::policy::ReadInboundRules;
use mailroom_shared::api::tag;

use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::Answers;
use crate::store::changes::Area;
use crate::store::records;
use crate::store::settings;
use crate::store::to_json;

async fn read_all(app: &App) -> AppResult<InboundRules> {
    let statements = vec![settings::get(settings::POLICY), settings::get(settings::DATABASE_LIMIT)];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    Ok(InboundRules { policy: settings::policy(&mut answers)?, database_limit: settings::number(&mut answers)? })
}

pub(super) async fn read(call: Call<ReadInboundRules>) -> AppResult<InboundRules> {
    read_all(&call.app).await
}

pub(super) async fn change(call: Call<ChangeInboundRules>) -> AppResult<InboundRules> {
    let app = &call.app;
    let policy = &call.body.policy;
    let mut wrong = policy.check();
    if let Some(name) = &policy.fallback_type
        && !records::type_exists(app, name).await?
    {
        wrong.push(("fallback_type", "unknown"));
    }
    if !wrong.is_empty() {
        return Err(AppError::fields(wrong));
    }
    let limit = call.body.database_limit.map(|it| it.to_string()).unwrap_or_default();
    let statements =
        vec![settings::set(settings::POLICY, &to_json(policy)), settings::set(settings::DATABASE_LIMIT, &limit)];
    app.db.batch(call.noted(Area::Inbound, settings::POLICY, statements)?).await?;
    call.stale(vec![tag::INCOMING.to_owned()]);
    read_all(app).await
}
