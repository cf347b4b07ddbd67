//! Cuts the log at 05:00 UTC: each day that is over goes to storage as JSON lines, part by part. What was interrupted goes
//! on behind the last part; a part that is written again is the same part.

use mailroom_shared::log::SETTLES;
use mailroom_shared::log::cut_before;
use mailroom_shared::log::day_begin;
use mailroom_shared::log::day_name;
use mailroom_shared::log::part_key;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use super::actions::Done;
use crate::app::App;
use crate::store;
use crate::store::logs;
use crate::store::logs::Cursor;
use crate::store::logs::File;
use crate::store::logs::Order;
use crate::store::logs::Rows;

/// Rows read at once.
const CHUNK: u32 = 1_000;
/// Chunks of one part: some megabytes.
const CHUNKS: u32 = 8;
/// Parts of one run; the next run goes on.
const PARTS: u32 = 6;

/// Days that were missed longer ago are not made up for.
const MISSED: i64 = 7;

/// Writes what is over and not written. `items` are lines.
pub(super) async fn run(app: &App) -> Result<Done, String> {
    let mut done = Done::default();
    for _ in 0..PARTS {
        let now = app.now();
        let Some((file, ends)) = next_day(app, now).await? else { return Ok(done) };
        let Some(lines) = part(app, &file, ends, now).await? else {
            // Somebody may still be writing lines of this day.
            done.is_more = true;
            return Ok(done);
        };
        done.items += lines;
    }
    done.is_more = true;
    Ok(done)
}

/// The oldest day that is over and not complete, and when it ended.
async fn next_day(app: &App, now: Timestamp) -> Result<Option<(File, Timestamp)>, String> {
    let last = app.run(logs::files(1)).await.map_err(|e| e.to_string())?;
    let last: Option<File> = store::decode_one(last).map_err(|e| e.to_string())?;
    let yesterday = cut_before(now) - Span::days(1);
    let begins = match &last {
        Some(file) => {
            let day = day_begin(&file.day).ok_or_else(|| format!("log_files has a day {}", file.day))?;
            let next = if file.closed.is_some() { day + Span::days(1) } else { day };
            next.max(yesterday - Span::days(MISSED))
        }
        None => yesterday,
    };
    if begins > yesterday {
        return Ok(None);
    }
    let day = day_name(begins);
    let file = match last {
        Some(file) if file.day == day => file,
        _ => {
            app.run(logs::open_file(&day)).await.map_err(|e| e.to_string())?;
            logs::file(app, &day).await.map_err(|e| e.to_string())?.ok_or("the day was taken away")?
        }
    };
    Ok(Some((file, begins + Span::days(1))))
}

/// Writes one part of a day. Nothing when the rest of the day is not settled yet.
async fn part(app: &App, file: &File, ends: Timestamp, now: Timestamp) -> Result<Option<u32>, String> {
    let rows = Rows { since: Some(ends - Span::days(1)), until: Some(ends), ..Rows::default() };
    let mut after = file.cursor.as_deref().and_then(Cursor::parse);
    let (mut text, mut lines, mut is_whole) = (String::new(), 0_u32, false);
    for _ in 0..CHUNKS {
        let found = logs::read(app, &rows, after.as_ref(), Order::Up, CHUNK).await.map_err(|e| e.to_string())?;
        for line in &found.lines {
            text.push_str(&store::to_json(line));
            text.push('\n');
            lines += 1;
        }
        let Some(next) = found.next else {
            is_whole = true;
            break;
        };
        after = Some(next);
    }
    if is_whole && now < ends + SETTLES {
        return Ok(None);
    }
    // Bytes first, then the row that counts them.
    app.blobs.put(&part_key(&file.day, file.parts), text.as_bytes()).await.map_err(|e| e.to_string())?;
    let cursor = after.map(|it| it.write());
    let closed = is_whole.then_some(now);
    app.run(logs::add_part(file, lines as usize, text.len(), cursor.as_deref(), closed))
        .await
        .map_err(|e| e.to_string())?;
    Ok(Some(lines))
}
