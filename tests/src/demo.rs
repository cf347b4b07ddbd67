//! A believable company to look at: `cargo xtask dev --demo` and the screenshots. Two weeks of conversations, played in
//! minutes: customers write through the front door, colleagues answer through the API, mail leaves through the queue, and
//! only the Worker's clock is moved. The same each time, but for ids.

mod letters;
mod play;
mod talks;

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::stack::Stack;

/// How many records it makes.
pub fn records() -> usize {
    // One of them is held.
    talks::TALKS.len() + talks::short().count() - 1
}

/// Fills a hub that has just been set up. `login` and `password` are the first administrator's.
pub fn fill(stack: &Stack, domain: &str, login: &str, password: &str) -> Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock stands before 1970")?;
    // Reports come at once: nobody watches, and the clock moves on.
    stack.sink().set_later(Duration::from_millis(50));
    let mut company = play::Company::start(stack, domain, login, password, now)?;
    let played = company.play();
    // Whatever happened, the clock is right afterwards.
    company.set_clock(now)?;
    // What came due while the clock was moved has its run: nothing is late when people look.
    if played.is_ok() {
        company.tick()?;
    }
    stack.sink().set_later(Duration::from_secs(2));
    played
}
