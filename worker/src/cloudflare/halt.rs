//! A stop between two effects, for tests: from a chosen effect on nothing of this isolate goes on, so that a test can end
//! the process exactly there. Nothing sets it in production.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use serde::Serialize;

/// Nobody waits that long for a process that does nothing; a pending timer keeps the runtime from ending the event.
const FOREVER: Duration = Duration::from_hours(1);

/// What was counted since the stop was set.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Halt {
    /// Effects to let pass; `None` counts nothing.
    at: Option<u32>,
    effects: u32,
    /// The effect before which everything stands.
    halted: Option<String>,
    /// The effect that was let pass last.
    last: String,
}

static DEV_HALT: Mutex<Option<Halt>> = Mutex::new(None);

fn with<T>(work: impl FnOnce(&mut Halt) -> T) -> T {
    work(DEV_HALT.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// Stops before the effect with this number, counted from now; a negative number stops nothing.
pub fn set(at: i64) {
    with(|it| *it = Halt { at: u32::try_from(at).ok(), ..Halt::default() });
}

pub fn state() -> Halt {
    with(|it| it.clone())
}

/// Stands before every effect; comes back unless a test wanted the process to end here.
pub(super) async fn before(what: &str) {
    let is_halted = with(|it| {
        let Some(at) = it.at else { return false };
        if it.halted.is_none() && it.effects == at {
            it.halted = Some(what.to_owned());
        } else if it.halted.is_none() {
            it.effects += 1;
            what.clone_into(&mut it.last);
        }
        it.halted.is_some()
    });
    if is_halted {
        loop {
            worker::Delay::from(FOREVER).await;
        }
    }
}
