//! Rail counts, status, health.

use mailroom_shared::api::shell::Health;
use mailroom_shared::api::shell::ReadHealth;
use mailroom_shared::api::shell::ReadShell;
use mailroom_shared::api::shell::Shell;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::endpoint::Call;
use crate::error::AppResult;
use crate::statement;
use crate::store::Answers;
use crate::store::records;

/// Migrations this build knows; a test holds it against the folder.
pub(crate) const MIGRATIONS: u32 = 1;

#[derive(Deserialize)]
struct Applied {
    n: u32,
}

pub(super) async fn health(call: Call<ReadHealth>) -> AppResult<Health> {
    // The table is wrangler's; without it nothing was migrated yet.
    let applied = match call.app.run(statement!("SELECT COUNT(*) AS n FROM d1_migrations")).await {
        Ok(rows) => crate::store::decode_one::<Applied>(rows)?.map_or(0, |it| it.n),
        Err(_) => 0,
    };
    let bindings = call.app.config.bindings.clone();
    Ok(Health {
        ok: applied >= MIGRATIONS && bindings.values().all(|it| *it),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        migration: applied,
        migration_expected: MIGRATIONS,
        bindings,
    })
}

#[derive(Deserialize)]
struct Counts {
    failures: u32,
    outgoing: u32,
    unprocessed: u32,
    last_received: Option<Timestamp>,
    last_sent: Option<Timestamp>,
}

pub(super) async fn shell(call: Call<ReadShell>) -> AppResult<Shell> {
    let me = call.me()?;
    let now = call.app.now();
    let statements = vec![
        records::list_types(),
        statement!(
            "SELECT (SELECT COUNT(*) FROM deliveries WHERE state IN ('failed', 'bounced', 'complained', 'unknown')) AS failures,
             (SELECT COUNT(*) FROM deliveries WHERE state IN ('outgoing', 'sending', 'deferred')) AS outgoing,
             (SELECT COUNT(*) FROM ingests WHERE state = 'failed')
               + (SELECT COUNT(*) FROM ingests WHERE state = 'accepted' AND received < ?1) AS unprocessed,
             (SELECT MAX(received) FROM ingests) AS last_received,
             (SELECT MAX(state_at) FROM deliveries WHERE state IN ('sent', 'delivered')) AS last_sent",
            now - mailroom_shared::time::Span::minutes(2)
        ),
    ];
    let mut answers = Answers::new(call.app.db.batch(statements).await?);
    let texts = Catalogue::load(Lang::of(&me.language));
    let types = records::types(&mut answers, |name, form| {
        let key = format!("type.{name}.{form}");
        if texts.has(&key) { texts.text(&key, &[]) } else { texts.text(&format!("type.{name}.other"), &[]) }
    })?;
    let counts = answers.one::<Counts>()?;
    Ok(Shell {
        inbox: types.iter().map(|it| it.waiting).sum(),
        types,
        failures: counts.as_ref().map_or(0, |it| it.failures),
        last_received: counts.as_ref().and_then(|it| it.last_received),
        last_sent: counts.as_ref().and_then(|it| it.last_sent),
        outgoing: counts.as_ref().map_or(0, |it| it.outgoing),
        unprocessed: counts.as_ref().map_or(0, |it| it.unprocessed),
        now,
    })
}
