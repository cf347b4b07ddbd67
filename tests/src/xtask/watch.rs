//! Rebuilds what changed. Times of the files are compared twice a second: a few hundred files cost a millisecond, and no
//! file system is too exotic for it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::build::{self, Mode};
use super::run::step;
use crate::{paths, stack};

const PAUSE: Duration = Duration::from_millis(500);

/// What a change means.
struct Part {
    folders: &'static [&'static str],
    act: fn() -> Result<()>,
    name: &'static str,
}

const PARTS: [Part; 3] = [
    Part { folders: &["worker/migrations"], act: || stack::migrate(&paths::dev_state()), name: "apply migrations" },
    Part {
        folders: &["worker/src", "worker/Cargo.toml", "shared/src", "shared/locales", "Cargo.lock"],
        act: || build::worker(Mode::Watched),
        name: "rebuild the Worker",
    },
    Part {
        folders: &[
            "app/src",
            "app/style",
            "app/public",
            "app/index.html",
            "app/Cargo.toml",
            "shared/src",
            "shared/locales",
            "Cargo.lock",
        ],
        act: || build::page(Mode::Watched),
        name: "rebuild the page",
    },
];

/// Until `stop` is set.
pub(super) fn run(stop: &AtomicBool) {
    let mut seen = PARTS.map(|it| newest(it.folders));
    while !stop.load(Ordering::SeqCst) {
        thread::sleep(PAUSE);
        for (part, seen) in PARTS.iter().zip(&mut seen) {
            let now = newest(part.folders);
            if now == *seen {
                continue;
            }
            *seen = now;
            // wrangler starts the new Worker by itself, the open page loads itself again.
            if let Err(error) = step(part.name, part.act) {
                eprintln!("{error:#}\nwaiting for the next change");
            }
        }
    }
}

/// Newest change and number of files: a file that goes makes nothing newer.
fn newest(folders: &[&str]) -> (SystemTime, usize) {
    let mut result = (SystemTime::UNIX_EPOCH, 0);
    for folder in folders {
        look(&paths::root().join(folder), &mut result);
    }
    result
}

fn look(path: &Path, result: &mut (SystemTime, usize)) {
    let Ok(about) = fs::metadata(path) else { return };
    if about.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|it| look(&it.path(), result));
    } else {
        result.0 = result.0.max(about.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        result.1 += 1;
    }
}
