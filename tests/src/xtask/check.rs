//! Format, lints, documentation: what needs no running program.

use anyhow::Result;

use super::run::{cargo, shown, step};
use super::setup;

pub(super) fn run() -> Result<()> {
    setup::build_tools()?;
    step("format", format_check)?;
    step("lints, native", lint_native)?;
    step("lints, wasm32", lint_wasm)?;
    step("documentation", document)
}

pub(super) fn format() -> Result<()> {
    shown(cargo().args(["fmt", "--all"]))
}

pub(super) fn format_check() -> Result<()> {
    shown(cargo().args(["fmt", "--all", "--check"]))
}

pub(super) fn lint_native() -> Result<()> {
    let mut command = cargo();
    command.args(["clippy", "--quiet", "--workspace", "--all-targets", "--features", "mailroom-tests/browser"]);
    shown(command.args(["--", "-D", "warnings"]))
}

/// The Worker and the page as they are deployed: code behind `cfg(target_arch = "wasm32")` is only seen here.
pub(super) fn lint_wasm() -> Result<()> {
    for package in ["mailroom-worker", "mailroom-app"] {
        let mut command = cargo();
        command.args(["clippy", "--quiet", "--lib", "--target", "wasm32-unknown-unknown", "--package", package]);
        shown(command.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

fn document() -> Result<()> {
    let mut command = cargo();
    command.args(["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    shown(command.env("RUSTDOCFLAGS", "-D warnings"))
}
