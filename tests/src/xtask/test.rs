//! Everything CI runs, in order of cost. A step that fails does not stop those that do not need it, so that one run says all.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use super::run::{cargo, seconds, shown, step};
use super::{build, check, setup};

pub(super) fn run(quick: bool) -> Result<()> {
    let start = Instant::now();
    let mut failed: Vec<&str> = Vec::new();
    let mut note = |name: &'static str, result: Result<()>| {
        let is_ok = result.is_ok();
        if let Err(error) = result {
            eprintln!("{error:#}");
            failed.push(name);
        }
        is_ok
    };
    setup::build_tools()?;
    note("format", step("format", check::format_check));
    note("lints, native", step("lints, native", check::lint_native));
    note("lints, wasm32", step("lints, wasm32", check::lint_wasm));
    for package in ["mailroom-shared", "mailroom-worker", "mailroom-app"] {
        note(package, step(&format!("tests of {package}"), || shown(&mut native_tests(package))));
    }
    if !quick {
        let built = note(
            "build",
            step("build of Worker and page", || {
                build::worker(build::Mode::Dev)?;
                build::page(build::Mode::Dev)
            }),
        );
        if built && note("test tools", setup::test_tools()) {
            note("end to end", step("end-to-end and browser tests", || shown(&mut end_to_end())));
        }
    }
    let took = seconds(start.elapsed());
    if !failed.is_empty() {
        bail!("failed after {took}: {}", failed.join(", "));
    }
    println!("✓ everything passed ({took})");
    Ok(())
}

fn native_tests(package: &str) -> Command {
    let mut command = cargo();
    command.args(["test", "--quiet", "--package", package]);
    // A test that is not run is a test that is not there.
    if package == "mailroom-shared" {
        command.arg("--all-features");
    }
    command
}

/// One test program after the other; each starts what it needs.
fn end_to_end() -> Command {
    let mut command = cargo();
    command.args(["test", "--package", "mailroom-tests", "--features", "browser", "--no-fail-fast"]);
    command
}
