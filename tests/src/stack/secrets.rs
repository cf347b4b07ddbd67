//! Variables and secrets of local runs. What is made here protects nothing but this machine's own test data.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::options::StackOptions;

const SECRETS: [&str; 2] = ["TOKEN_SECRET", "SEAL_SECRET"];

/// Makes `.dev.vars` on the first run; later runs keep it, so that sessions and reply tokens survive a restart.
/// Returns whether it was made.
pub fn ensure_dev_vars(path: &Path) -> Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    write_private(path, &fresh()?)?;
    Ok(true)
}

/// Writes the variables of a stack: those of `vars_from`, or secrets of its own, with `vars` on top.
pub(super) fn write_vars(path: &Path, options: &StackOptions) -> Result<()> {
    let own = options.state.join("secrets.env");
    let base = if let Some(path) = &options.vars_from {
        path
    } else {
        ensure_dev_vars(&own)?;
        &own
    };
    let mut text = fs::read_to_string(base).with_context(|| format!("cannot read {}", base.display()))?;
    for (name, value) in &options.vars {
        // dotenv takes what is between these quotes as it stands.
        let quote = if value.contains('\'') { '`' } else { '\'' };
        writeln!(text, "{name}={quote}{value}{quote}")?;
    }
    write_private(path, &text)
}

fn fresh() -> Result<String> {
    let mut text = String::from("MAILROOM_DEV=\"1\"\n");
    for name in SECRETS {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gave no random bytes: {error}"))?;
        writeln!(text, "{name}=\"{}\"", URL_SAFE_NO_PAD.encode(bytes))?;
    }
    Ok(text)
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
