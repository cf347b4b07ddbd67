//! Deployment without a network, migrations, and the API's description.

use anyhow::{Result, bail};

use super::run::{cargo, shown, step};
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

pub(super) fn openapi() -> Result<()> {
    if !paths::root().join("shared/examples/openapi.rs").exists() {
        bail!("the generator shared/examples/openapi.rs is not there; a running Worker serves GET /api/openapi.json");
    }
    let args = ["run", "--quiet", "--package", "mailroom-shared", "--features", "schema", "--example", "openapi"];
    shown(cargo().args(args))
}
