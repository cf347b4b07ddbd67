//! The Worker: compiled, bound, and wrapped into the class that the platform starts.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Mode, bindgen, compile, esbuild, optimize, staging};
use crate::paths;
use crate::xtask::run::quiet;

/// The part of the wrapper that does not depend on what the Worker exports.
const SHIM: &str = include_str!("shim.js");

/// Exports of the bound module that belong to the machinery.
const INTERNAL: [&str; 3] = ["__wbg_reset_state", "__worker_init_state", "default"];

pub(super) fn build(mode: Mode) -> Result<()> {
    let wasm = compile("mailroom-worker", mode, "", &[])?;
    let staging = staging("worker", mode);
    bindgen(
        &wasm,
        &staging,
        &[
            "--target",
            "module",
            "--out-name",
            "bound",
            "--experimental-reset-state-function",
            "--force-enable-abort-handler",
        ],
    )?;
    let bound_wasm = staging.join("bound_bg.wasm");
    if mode.is_release() {
        optimize(&bound_wasm, &["-O2"])?;
    }
    let bound = staging.join("bound.js");
    let module = fs::read_to_string(&bound).context("wasm-bindgen wrote no module")?;
    // The platform has no source phase imports; a plain import of a .wasm file is the compiled module there.
    fs::write(&bound, module.replace("import source ", "import ").replace("bound_bg.wasm", "index_bg.wasm"))?;
    fs::write(staging.join("shim.js"), shim(&module)?)?;

    let out = paths::root().join("build");
    fs::create_dir_all(&out)?;
    let next = staging.join("index.js");
    let mut command = esbuild();
    command.arg(staging.join("shim.js")).arg(format!("--outfile={}", next.display())).args([
        "--format=esm",
        "--external:./index_bg.wasm",
        "--external:cloudflare:*",
    ]);
    if mode.is_release() {
        command.arg("--minify");
    }
    quiet(&mut command)?;
    // wrangler watches these: the module last, so that it never meets the new module with the old wasm.
    replace(&bound_wasm, &out.join("index_bg.wasm"))?;
    replace(&next, &out.join("index.js"))
}

/// Copies beside the target and renames, so that a reader sees the old file or the new one.
fn replace(from: &Path, to: &Path) -> Result<()> {
    let next = to.with_extension("next");
    fs::copy(from, &next).with_context(|| format!("cannot write {}", next.display()))?;
    fs::rename(&next, to)?;
    Ok(())
}

/// The wrapper for what the bound module exports: functions become handlers, classes Durable Objects.
fn shim(module: &str) -> Result<String> {
    let mut text = SHIM.to_owned();
    let mut has_handler = false;
    for line in module.lines() {
        if let Some(name) = exported(line, &["export function ", "export async function "]) {
            if !INTERNAL.contains(&name) {
                has_handler = true;
                writeln!(text, "handle(\"{name}\", wasm.{name});")?;
            }
        } else if let Some(name) = exported(line, &["export class "]) {
            writeln!(text, "export const {name} = revived(wasm.{name});")?;
        }
    }
    if !has_handler {
        bail!("the Worker exports no handler (fetch, email, queue, scheduled)");
    }
    Ok(text)
}

fn exported<'a>(line: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    let rest = prefixes.iter().find_map(|it| line.strip_prefix(it))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
    rest.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_become_handlers_and_classes_durable_objects() {
        let module = "export function fetch(a, b) {\n}\nexport async function email(m) {\n}\nexport class Hub {\n\
                      export function __wbg_reset_state() {\nfunction inner() {\n";
        let text = shim(module).unwrap();
        let tail: Vec<&str> = text.lines().rev().take(3).collect();
        assert_eq!(
            tail,
            [
                "export const Hub = revived(wasm.Hub);",
                "handle(\"email\", wasm.email);",
                "handle(\"fetch\", wasm.fetch);"
            ]
        );
    }

    #[test]
    fn a_worker_without_handlers_is_an_error() {
        assert!(shim("export class Hub {\n").is_err());
    }
}
