//! Pictures of the main pages, taken by a program of its own: this one compiles in seconds because it has no browser.

use anyhow::Result;

use super::run::{cargo, shown, step};
use super::{build, setup};

pub(super) fn run(readme: bool, folder: Option<&str>) -> Result<()> {
    setup::build_tools()?;
    setup::test_tools()?;
    build::all(build::Mode::Dev)?;
    let mut command = cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "mailroom-tests",
        "--features",
        "browser",
        "--bin",
        "screenshots",
        "--",
    ]);
    command.args(readme.then_some("--readme")).args(folder);
    step("take the pictures", || shown(&mut command))
}
