//! Deployment without a network, and migrations.

use anyhow::Result;

use super::run::{shown, step};
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
