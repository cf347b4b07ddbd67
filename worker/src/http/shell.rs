//! Rail counts, status, health.

use mailroom_shared::api::shell::DailyUse;
use mailroom_shared::api::shell::Health;
use mailroom_shared::api::shell::ReadHealth;
use mailroom_shared::api::shell::ReadShell;
use mailroom_shared::api::shell::Shell;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::time::Span;

use super::endpoint::Call;
use crate::error::AppResult;
use crate::jobs::Fleet;
use crate::store::Answers;
use crate::store::failures;
use crate::store::notifications;
use crate::store::records;
use crate::store::status;

/// Migrations this build knows; a test holds it against the folder.
pub(crate) const MIGRATIONS: u32 = 16;

/// Longer than this an accepted mail does not wait to be written.
const LATE: Span = Span::minutes(2);

pub(super) async fn health(call: Call<ReadHealth>) -> AppResult<Health> {
    let applied = status::migrations(&call.app).await;
    let bindings = call.app.config.bindings.clone();
    Ok(Health {
        ok: applied >= MIGRATIONS && bindings.values().all(|it| *it),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        migration: applied,
        migration_expected: MIGRATIONS,
        bindings,
    })
}

pub(super) async fn shell(call: Call<ReadShell>) -> AppResult<Shell> {
    let me = call.me()?;
    let now = call.app.now();
    let unread = notifications::unread(me.user.as_str(), call.sight()?, now);
    let failing = failures::count_statement(None, call.sight()?);
    let mut statements = vec![records::list_types(), status::counts(now - LATE), unread, failing];
    statements.extend(Fleet::statements(now));
    let mut answers = Answers::new(call.app.db.batch(statements).await?);
    let texts = Catalogue::load(Lang::of(&me.language));
    let types = records::types(&mut answers, |name, form| {
        let key = format!("type.{name}.{form}");
        if texts.has(&key) { texts.text(&key, &[]) } else { texts.text(&format!("type.{name}.other"), &[]) }
    })?;
    let sight = call.sight()?;
    let types: Vec<_> = types.into_iter().filter(|it| sight.sees(it.name.as_str())).collect();
    let counts: status::Counts = answers.one()?.unwrap_or_default();
    let unread: notifications::Unread = answers.one()?.unwrap_or_default();
    let failing = answers.one::<failures::CountRow>()?.map_or(0, |it| it.n);
    let fleet = Fleet::read(&mut answers, now)?;
    let uses = fleet.servers.iter().filter(|it| it.enabled && !it.archived).filter_map(|it| {
        let usage = fleet.use_of(it);
        usage.daily.map(|limit| DailyUse { used: usage.today, limit })
    });
    Ok(Shell {
        inbox: types.iter().map(|it| it.waiting).sum(),
        types,
        told: unread.n,
        failures: failing,
        last_received: counts.last_received,
        last_sent: counts.last_sent,
        outgoing: counts.outgoing,
        unprocessed: counts.unprocessed,
        limit: uses.max_by_key(|it| u64::from(it.used) * 1_000 / u64::from(it.limit.max(1))),
        now,
    })
}
