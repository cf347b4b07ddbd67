//! Switches of development and tests: move the clock, make the database, storage or queue fail, stop before an effect,
//! confirm addresses. Mounted only when `MAILROOM_DEV=1`, which no deployment sets.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::response::IntoResponse;
use axum::routing::post;
use mailroom_shared::api::Method;
use serde::Deserialize;
use serde::Serialize;

use super::AppState;
use super::endpoint::Routes;
use super::local;
use crate::cloudflare::DEV_CLOCK;
use crate::cloudflare::DEV_FAULTS;
use crate::cloudflare::halt;
use crate::error::AppError;
use crate::store::people;

#[derive(Deserialize)]
struct Switches {
    /// Milliseconds the clock is ahead.
    #[serde(default)]
    clock_offset: Option<i64>,
    #[serde(default)]
    db: Option<bool>,
    #[serde(default)]
    blobs: Option<bool>,
    #[serde(default)]
    jobs: Option<bool>,
    /// Stop before the effect with this number, see `cloudflare::halt`.
    #[serde(default)]
    halt: Option<i64>,
}

#[derive(Serialize)]
struct SwitchState {
    clock_offset: i64,
    db: bool,
    blobs: bool,
    jobs: bool,
    halt: halt::Halt,
}

#[derive(Deserialize)]
struct Letters {
    queue: String,
    bodies: Vec<serde_json::Value>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .hand(
            Method::Post,
            "/api/dev/switches",
            None,
            post(async |Json(switches): Json<Switches>| {
                if let Some(offset) = switches.clock_offset {
                    DEV_CLOCK.store(offset, Ordering::Relaxed);
                }
                for (flag, wanted) in [
                    (&DEV_FAULTS.db, switches.db),
                    (&DEV_FAULTS.blobs, switches.blobs),
                    (&DEV_FAULTS.jobs, switches.jobs),
                ] {
                    if let Some(wanted) = wanted {
                        flag.store(wanted, Ordering::Relaxed);
                    }
                }
                if let Some(at) = switches.halt {
                    halt::set(at);
                }
                Json(SwitchState {
                    clock_offset: DEV_CLOCK.load(Ordering::Relaxed),
                    db: DEV_FAULTS.db.load(Ordering::Relaxed),
                    blobs: DEV_FAULTS.blobs.load(Ordering::Relaxed),
                    jobs: DEV_FAULTS.jobs.load(Ordering::Relaxed),
                    halt: halt::state(),
                })
            }),
        )
        .hand(
            Method::Post,
            // Messages of a queue, as the platform would hand them over; the dead letters too, which locally never come.
            "/api/dev/queue",
            None,
            post(|axum::extract::State(shared): AppState, Json(letters): Json<Letters>| {
                local(async move {
                    let bodies: Vec<String> = letters.bodies.iter().map(ToString::to_string).collect();
                    Json(crate::jobs::consume(&shared.app, &letters.queue, &bodies).await)
                })
            }),
        )
        .hand(
            Method::Post,
            // What the minute's cron does, now.
            "/api/dev/tick",
            None,
            post(|axum::extract::State(shared): AppState| {
                local(async move {
                    crate::cron::tick(&shared.app).await;
                    "ok"
                })
            }),
        )
        .hand(
            Method::Post,
            // All users have answered the mail to their address.
            "/api/dev/confirm",
            None,
            post(|axum::extract::State(shared): AppState| {
                local(async move {
                    match shared.app.run(people::confirm_all(shared.app.now())).await {
                        Ok(_) => axum::http::StatusCode::NO_CONTENT.into_response(),
                        Err(error) => AppError::from(error).into_response(),
                    }
                })
            }),
        )
}
