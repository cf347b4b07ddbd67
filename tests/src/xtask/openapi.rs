//! The API's description, made from the operation types.

use std::fs;

use anyhow::{Context, Result, bail};

use super::run::cargo;
use crate::paths;

/// Writes `worker/openapi.json`, which the Worker serves; a test compares it with what the types say.
pub(super) fn write() -> Result<()> {
    let args = ["run", "--quiet", "--package", "mailroom-shared", "--features", "schema", "--example", "openapi"];
    let output = cargo().args(args).stderr(std::process::Stdio::inherit()).output().context("cargo does not start")?;
    if !output.status.success() {
        bail!("the generator failed");
    }
    let path = paths::root().join("worker/openapi.json");
    fs::write(&path, output.stdout).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}
