//! Deployment without a network, migrations, and the API's description.

use std::fs;

use anyhow::Result;

use super::run::{cargo, quiet, shown, step};
use super::{build, setup};
use crate::{paths, stack};

/// What wrangler would upload: configuration, sizes, bindings. Needs neither login nor network.
pub(super) fn dry_run() -> Result<()> {
    setup::build_tools()?;
    build::all(build::Mode::Release)?;
    step("wrangler deploy --dry-run", || {
        let state = paths::target().join("mailroom/deploy");
        let mut command = stack::wrangler(&state);
        shown(command.args(["deploy", "--dry-run", "--outdir"]).arg(state.join("out")))
    })
}

pub(super) fn migrate() -> Result<()> {
    setup::build_tools()?;
    step("apply worker/migrations to the development database", || stack::migrate(&paths::dev_state()))
}

/// Writes the OpenAPI document to where the Worker serves it from.
pub(super) fn openapi() -> Result<()> {
    let args = ["run", "--quiet", "--package", "mailroom-shared", "--features", "schema", "--example", "openapi"];
    let text = quiet(cargo().args(args))?.stdout;
    fs::write(paths::root().join("worker/openapi.json"), text)?;
    Ok(())
}
