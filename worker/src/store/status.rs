//! Whether mail flows: a few numbers for the rail and for health.

use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// Numbers of the rail.
#[derive(Debug, Default, Deserialize)]
pub struct Counts {
    pub failures: u32,
    pub outgoing: u32,
    pub unprocessed: u32,
    pub last_received: Option<Timestamp>,
    pub last_sent: Option<Timestamp>,
}

/// Mails accepted before `late` and still not written count as unprocessed.
pub fn counts(late: Timestamp) -> Statement {
    statement!(
        "SELECT (SELECT COUNT(*) FROM deliveries WHERE state IN ('failed', 'bounced', 'complained', 'unknown')) AS failures,
         (SELECT COUNT(*) FROM deliveries WHERE state IN ('outgoing', 'sending', 'deferred')) AS outgoing,
         (SELECT COUNT(*) FROM ingests WHERE state = 'failed')
           + (SELECT COUNT(*) FROM ingests WHERE state = 'accepted' AND received < ?1) AS unprocessed,
         (SELECT MAX(received) FROM ingests) AS last_received,
         (SELECT MAX(state_at) FROM deliveries WHERE state IN ('sent', 'delivered')) AS last_sent",
        late
    )
}

#[derive(Deserialize)]
struct Applied {
    n: u32,
}

/// Migrations applied. The table is wrangler's; without it, or without a database, none was.
pub async fn migrations(app: &App) -> u32 {
    let rows = app.run(statement!("SELECT COUNT(*) AS n FROM d1_migrations")).await.unwrap_or_default();
    super::decode_one::<Applied>(rows).ok().flatten().map_or(0, |it| it.n)
}
