//! Auto-vacuum: class by class, a bounded part per run, one class that fails does not stop the others.

use mailroom_shared::api::actions::VacuumLine;
use mailroom_shared::log::day_name;
use mailroom_shared::log::part_key;
use mailroom_shared::outbox::retention::Class;
use mailroom_shared::outbox::retention::Retention;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use super::actions::Done;
use crate::app::App;
use crate::store;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::logs;
use crate::store::settings;
use crate::store::vacuum;

/// Rows of one transaction.
const CHUNK: u32 = 500;
/// Transactions of one class in one run; the next run, a minute later, goes on.
const CHUNKS: u32 = 10;
/// Blobs looked at per chunk: one list call of the storage.
const BLOBS: u32 = 500;

pub(super) async fn run(app: &App) -> Result<Done, String> {
    let rows = app.run(settings::get(vacuum::RETENTION)).await.map_err(|e| e.to_string())?;
    let retention = vacuum::retention(rows).map_err(|e| e.to_string())?;
    let (mut done, mut errors) = (Done::default(), Vec::new());
    for class in Class::ALL {
        let days = retention.days(class);
        if days == 0 {
            continue;
        }
        match remove(app, class, app.now() - Span::days(i64::from(days))).await {
            Ok((items, is_more)) => {
                done.items += items;
                done.is_more |= is_more;
            }
            Err(error) => errors.push(format!("{}: {error}", class.as_str())),
        }
    }
    if errors.is_empty() { Ok(done) } else { Err(errors.join("; ")) }
}

/// Removes a part of a class. Returns how much, and whether there is more.
async fn remove(app: &App, class: Class, before: Timestamp) -> Result<(u32, bool), String> {
    let mut total = 0;
    for _ in 0..CHUNKS {
        let (items, is_more) = match class {
            Class::SentEmails | Class::CancelledEmails => {
                emails(app, class, before).await.map_err(|e| e.to_string())?
            }
            Class::RawMail => raws(app, before).await?,
            Class::OrphanedBlobs => blobs(app, before).await?,
            Class::LogFiles => log_files(app, before).await?,
            Class::Refusals | Class::ProviderEvents | Class::Logs | Class::UnsentFiles => {
                let answers =
                    app.db.batch(vacuum::remove_rows(class, before, CHUNK)).await.map_err(|e| e.to_string())?;
                let items = answers.iter().map(|it| it.changes).sum();
                (items, answers.iter().any(|it| it.changes >= CHUNK))
            }
        };
        total += items;
        if !is_more {
            return Ok((total, false));
        }
    }
    Ok((total, true))
}

async fn emails(app: &App, class: Class, before: Timestamp) -> Result<(u32, bool), StoreError> {
    let rows: Vec<vacuum::Done> = store::decode(app.run(vacuum::done_deliveries(class, before, CHUNK)).await?)?;
    if rows.is_empty() {
        return Ok((0, false));
    }
    app.db.batch(vacuum::remove_deliveries(class, &rows, before)).await?;
    Ok((rows.len() as u32, rows.len() == CHUNK as usize))
}

async fn raws(app: &App, before: Timestamp) -> Result<(u32, bool), String> {
    let rows = app.run(vacuum::old_raws(before, CHUNK)).await.map_err(|e| e.to_string())?;
    let rows: Vec<vacuum::Raw> = store::decode(rows).map_err(|e| e.to_string())?;
    let keys: Vec<String> = rows.into_iter().map(|it| it.raw_key).collect();
    if keys.is_empty() {
        return Ok((0, false));
    }
    app.db.batch(vacuum::forget_raws(&keys).to_vec()).await.map_err(|e| e.to_string())?;
    app.blobs.delete(&keys).await.map_err(|e| e.to_string())?;
    Ok((keys.len() as u32, keys.len() == CHUNK as usize))
}

/// First the bytes, then the row: a row without bytes is tried again.
async fn log_files(app: &App, before: Timestamp) -> Result<(u32, bool), String> {
    let rows = app.run(logs::old_files(&day_name(before), CHUNK)).await.map_err(|e| e.to_string())?;
    let files: Vec<logs::File> = store::decode(rows).map_err(|e| e.to_string())?;
    if files.is_empty() {
        return Ok((0, false));
    }
    let keys: Vec<String> = files.iter().flat_map(|it| (0..it.parts).map(|part| part_key(&it.day, part))).collect();
    app.blobs.delete(&keys).await.map_err(|e| e.to_string())?;
    let days: Vec<String> = files.iter().map(|it| it.day.clone()).collect();
    app.run(logs::forget_files(&days)).await.map_err(|e| e.to_string())?;
    Ok((days.len() as u32, days.len() == CHUNK as usize))
}

/// Looks at the next part of the storage. What is younger than `before` may belong to a row that is just being written.
async fn blobs(app: &App, before: Timestamp) -> Result<(u32, bool), String> {
    let cursor = settings::value(app, vacuum::BLOB_CURSOR).await.map_err(|e| e.to_string())?;
    let cursor = cursor.filter(|it| !it.is_empty());
    let page = app.blobs.list("", cursor.as_deref(), BLOBS).await.map_err(|e| e.to_string())?;
    let keys: Vec<String> = page.blobs.iter().filter(|it| it.stored < before).map(|it| it.key.clone()).collect();
    let rows = app.run(vacuum::orphans(&keys)).await.map_err(|e| e.to_string())?;
    let rows: Vec<vacuum::KeyRow> = store::decode(rows).map_err(|e| e.to_string())?;
    let orphans: Vec<String> = rows.into_iter().map(|it| it.value).collect();
    if !orphans.is_empty() {
        app.blobs.delete(&orphans).await.map_err(|e| e.to_string())?;
    }
    let next = page.next.unwrap_or_default();
    let is_more = !next.is_empty();
    app.run(settings::set(vacuum::BLOB_CURSOR, &next)).await.map_err(|e| e.to_string())?;
    Ok((orphans.len() as u32, is_more))
}

/// What a run would remove now.
pub async fn preview(app: &App, retention: &Retention) -> Result<Vec<VacuumLine>, StoreError> {
    let now = app.now();
    let asked: Vec<(Class, u32)> = Class::ALL.into_iter().map(|it| (it, retention.days(it))).collect();
    let before = |days: u32| now - Span::days(i64::from(days));
    let statements: Vec<_> = asked
        .iter()
        .filter(|(_, days)| *days > 0)
        .filter_map(|(class, days)| vacuum::preview(*class, before(*days)))
        .collect();
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let mut lines = Vec::new();
    for (class, days) in asked {
        let found: vacuum::Found = match vacuum::preview(class, now) {
            Some(_) if days > 0 => answers.one()?.unwrap_or_default(),
            _ => vacuum::Found::default(),
        };
        lines.push(VacuumLine { class, days, items: found.n, bytes: found.bytes.map(|it| it as u64) });
    }
    Ok(lines)
}
