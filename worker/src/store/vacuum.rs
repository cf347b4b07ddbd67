//! What Auto-vacuum removes, class by class, a bounded part at a time. Failed, waiting and held mail is in no statement here.

use mailroom_shared::outbox::retention::Class;
use mailroom_shared::outbox::retention::Retention;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::to_json;
use crate::ports::Rows;
use crate::ports::Statement;
use crate::statement;

/// Key of [`Retention`] in the settings.
pub const RETENTION: &str = "retention";
/// Where the search for orphaned blobs goes on.
pub const BLOB_CURSOR: &str = "vacuum.blobs";

#[derive(Deserialize)]
struct ValueRow {
    value: String,
}

pub fn retention(rows: Rows) -> Result<Retention, StoreError> {
    match super::decode_one::<ValueRow>(rows)? {
        Some(row) => {
            serde_json::from_str(&row.value).map_err(|e| StoreError::Corrupt(format!("settings.retention: {e}")))
        }
        None => Ok(Retention::default()),
    }
}

/// A delivery that may go.
#[derive(Debug, Deserialize)]
pub struct Done {
    pub id: String,
    pub email_id: String,
}

/// Deliveries of a class that are over since before `before`.
pub fn done_deliveries(class: Class, before: Timestamp, most: u32) -> Statement {
    let (index, states) = match class {
        Class::CancelledEmails => ("deliveries_closed", "'cancelled', 'ignored'"),
        _ => ("deliveries_sent", "'sent', 'delivered'"),
    };
    statement!(
        format!(
            "SELECT id, email_id FROM deliveries INDEXED BY {index} WHERE state IN ({states}) AND state_at < ?1
             ORDER BY state_at LIMIT ?2"
        ),
        before,
        most
    )
}

/// Removes deliveries with their timelines, and emails that have none left. The message remembers how many had it.
pub fn remove_deliveries(class: Class, rows: &[Done], before: Timestamp) -> Vec<Statement> {
    let ids = to_json(&rows.iter().map(|it| it.id.as_str()).collect::<Vec<_>>());
    let emails = to_json(&rows.iter().map(|it| it.email_id.as_str()).collect::<Vec<_>>());
    let states = if class == Class::CancelledEmails { "'cancelled', 'ignored'" } else { "'sent', 'delivered'" };
    // Only what is still over: a person may have tried one again meanwhile.
    let still = format!("id IN (SELECT value FROM json_each(?1)) AND state IN ({states}) AND state_at < ?2");
    let mut statements = Vec::with_capacity(5);
    statements.push(super::campaigns::ledger::keep_final(&still, &ids, before));
    if class == Class::SentEmails {
        statements.push(statement!(
            format!(
                "UPDATE messages SET settled = settled + j.n FROM
                   (SELECT message_id, COUNT(*) AS n FROM deliveries WHERE {still} GROUP BY message_id) AS j
                 WHERE messages.id = j.message_id"
            ),
            ids.as_str(),
            before
        ));
    }
    statements.push(statement!(
        format!("DELETE FROM events WHERE delivery_id IN (SELECT id FROM deliveries WHERE {still})"),
        ids.as_str(),
        before
    ));
    statements.push(statement!(format!("DELETE FROM deliveries WHERE {still}"), ids.as_str(), before));
    statements.push(statement!(
        "DELETE FROM emails WHERE id IN (SELECT value FROM json_each(?1))
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE email_id = emails.id)",
        emails
    ));
    statements
}

#[derive(Debug, Deserialize)]
pub struct Raw {
    pub raw_key: String,
}

/// Raw mails whose every hand-over is written and old.
pub fn old_raws(before: Timestamp, most: u32) -> Statement {
    statement!(
        "SELECT DISTINCT i.raw_key FROM ingests i INDEXED BY ingests_with_raw
         WHERE i.raw_key <> '' AND i.state = 'done' AND i.received < ?1
           AND NOT EXISTS (SELECT 1 FROM ingests o WHERE o.raw_key = i.raw_key AND (o.received >= ?1 OR o.state <> 'done'))
         LIMIT ?2",
        before,
        most
    )
}

/// No row names these raw mails any more: first the rows, then the bytes.
pub fn forget_raws(keys: &[String]) -> [Statement; 2] {
    let keys = to_json(keys);
    [
        statement!(
            "UPDATE messages SET raw_key = NULL WHERE raw_key IN (SELECT value FROM json_each(?1)) AND raw_key IS NOT NULL",
            keys.as_str()
        ),
        statement!("UPDATE ingests SET raw_key = '' WHERE raw_key IN (SELECT value FROM json_each(?1))", keys.as_str()),
    ]
}

/// Statements that remove a part of a class without looking first.
pub fn remove_rows(class: Class, before: Timestamp, most: u32) -> Vec<Statement> {
    let hour = before.as_millis().div_euclid(3_600_000);
    match class {
        Class::Refusals => vec![
            statement!(
                "DELETE FROM refusals WHERE id IN
                   (SELECT id FROM refusals INDEXED BY refusals_by_time WHERE at < ?1 ORDER BY at LIMIT ?2)",
                before,
                most
            ),
            statement!(
                "DELETE FROM ignored WHERE id IN
                   (SELECT id FROM ignored INDEXED BY ignored_in_order WHERE at < ?1 ORDER BY at LIMIT ?2)",
                before,
                most
            ),
        ],
        Class::ProviderEvents => vec![statement!(
            "DELETE FROM provider_events WHERE sha256 IN
               (SELECT sha256 FROM provider_events INDEXED BY provider_events_by_time WHERE received < ?1 LIMIT ?2)",
            before,
            most
        )],
        Class::Logs => vec![
            statement!(
                "DELETE FROM action_runs WHERE id IN
                   (SELECT id FROM action_runs INDEXED BY action_runs_by_time WHERE started < ?1 LIMIT ?2)",
                before,
                most
            ),
            statement!(
                "DELETE FROM sessions WHERE id IN
                   (SELECT id FROM sessions INDEXED BY sessions_by_expiry WHERE expires < ?1 LIMIT ?2)",
                before,
                most
            ),
            statement!(
                "DELETE FROM account_links WHERE id IN
                   (SELECT id FROM account_links INDEXED BY account_links_by_expiry WHERE expires < ?1 LIMIT ?2)",
                before,
                most
            ),
            // A few rows per server and hour.
            statement!("DELETE FROM server_usage WHERE hour < ?1", hour),
            statement!("DELETE FROM server_hours WHERE hour < ?1", hour),
            statement!("DELETE FROM domain_backoff WHERE until < ?1", before),
            statement!("DELETE FROM notices WHERE settled < ?1", before),
            statement!(
                "DELETE FROM log_lines WHERE id IN
                   (SELECT id FROM log_lines INDEXED BY log_lines_by_time WHERE at < ?1 ORDER BY at LIMIT ?2)",
                before,
                most
            ),
            statement!("DELETE FROM canaries WHERE at < ?1", before),
            super::notifications::forget(before, most),
        ],
        Class::UnsentFiles => vec![statement!(
            "DELETE FROM attachments WHERE id IN (SELECT id FROM attachments INDEXED BY attachments_unsent
               WHERE message_id IS NULL AND record_id IS NULL AND created < ?1 LIMIT ?2)",
            before,
            most
        )],
        Class::SentEmails | Class::CancelledEmails | Class::RawMail | Class::LogFiles | Class::OrphanedBlobs => {
            Vec::new()
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct KeyRow {
    pub value: String,
}

/// Of these keys, those that no row names.
pub fn orphans(keys: &[String]) -> Statement {
    statement!(
        "SELECT value FROM json_each(?1) AS j
         WHERE NOT EXISTS (SELECT 1 FROM attachments WHERE sha256 = substr(j.value, 5) AND j.value LIKE 'att/%')
           AND NOT EXISTS (SELECT 1 FROM ingests WHERE raw_key = j.value)
           AND NOT EXISTS (SELECT 1 FROM messages WHERE raw_key = j.value AND raw_key IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM log_files WHERE day = substr(j.value, 6, 10) AND j.value LIKE 'logs/%')",
        to_json(keys)
    )
}

#[derive(Debug, Default, Deserialize)]
pub struct Found {
    pub n: u32,
    pub bytes: Option<f64>,
}

/// Counting stops here: a preview that says *more than* is as good.
pub const MOST: u32 = 100_000;

/// What would go, and how many bytes where they are known.
pub fn preview(class: Class, before: Timestamp) -> Option<Statement> {
    let inner = match class {
        Class::SentEmails => {
            "SELECT NULL AS size FROM deliveries INDEXED BY deliveries_sent WHERE state IN ('sent', 'delivered') AND state_at < ?1"
        }
        Class::CancelledEmails => {
            "SELECT NULL AS size FROM deliveries INDEXED BY deliveries_closed
             WHERE state IN ('cancelled', 'ignored') AND state_at < ?1"
        }
        Class::RawMail => {
            "SELECT size FROM ingests INDEXED BY ingests_with_raw WHERE raw_key <> '' AND state = 'done' AND received < ?1"
        }
        Class::Refusals => {
            "SELECT NULL AS size FROM refusals INDEXED BY refusals_by_time WHERE at < ?1
             UNION ALL SELECT NULL FROM ignored INDEXED BY ignored_in_order WHERE at < ?1"
        }
        Class::ProviderEvents => {
            "SELECT length(body) AS size FROM provider_events INDEXED BY provider_events_by_time WHERE received < ?1"
        }
        Class::Logs => "SELECT NULL AS size FROM action_runs INDEXED BY action_runs_by_time WHERE started < ?1",
        // Names of days in order of time.
        Class::LogFiles => "SELECT bytes AS size FROM log_files WHERE day < date(?1 / 1000, 'unixepoch')",
        Class::UnsentFiles => {
            "SELECT size FROM attachments INDEXED BY attachments_unsent
             WHERE message_id IS NULL AND record_id IS NULL AND created < ?1"
        }
        Class::OrphanedBlobs => return None,
    };
    Some(statement!(format!("SELECT COUNT(*) AS n, SUM(size) AS bytes FROM ({inner} LIMIT {MOST})"), before))
}
