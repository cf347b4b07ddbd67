//! Worker to `build/`, page to `app/dist`: cargo, wasm-bindgen, wasm-opt, esbuild.
//!
//! Why not worker-build and trunk: they run the same four programs, cost 7 and 10 CPU minutes to install on a fresh machine,
//! and rebuild no faster.

mod page;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::run::{cargo, quiet, shown, step};
use crate::paths;

#[cfg(feature = "browser")]
pub(super) use page::{FIRST_LOAD_BUDGET, brotli_size};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Quick to make: no optimizer, no minifying.
    Dev,
    /// Dev, and the open page loads again when it was rebuilt.
    Watched,
    Release,
}

impl Mode {
    fn is_release(self) -> bool {
        self == Self::Release
    }
}

pub(super) fn all(mode: Mode) -> Result<()> {
    step("build the Worker", || self::worker(mode))?;
    step("build the page", || self::page(mode))
}

pub(super) fn worker(mode: Mode) -> Result<()> {
    worker::build(mode)
}

pub(super) fn page(mode: Mode) -> Result<()> {
    page::build(mode)
}

/// Compiles the library of `package` to wasm and returns the file.
///
/// Both crates are compiled with the same flags, so that they share the compiled dependencies; `features` and `link` are
/// those of the package alone.
fn compile(package: &str, mode: Mode, features: &str, link: &[&str]) -> Result<PathBuf> {
    // Leptos: types of views are erased, which halves the compile time of the page and takes a tenth off its size.
    let mut flags = vec!["--cfg=getrandom_backend=\"wasm_js\"".to_owned(), "--cfg=erase_components".to_owned()];
    if mode.is_release() {
        flags.extend(short_paths());
    }
    let mut command = cargo();
    command
        .args(["rustc", "--quiet", "--lib", "--target", "wasm32-unknown-unknown", "--package", package])
        .args(["--features", features])
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        // wasm-bindgen's macro then uses js-sys for promises, as the `worker` crate expects. It is not part of cargo's
        // fingerprint, so both crates must agree on it.
        .env("WASM_BINDGEN_USE_JS_SYS", "1");
    if mode.is_release() {
        command.args(["--profile", "wasm-release"]);
    }
    command.arg("--").args(link);
    shown(&mut command)?;
    let profile = if mode.is_release() { "wasm-release" } else { "debug" };
    Ok(paths::target().join("wasm32-unknown-unknown").join(profile).join(format!("{}.wasm", package.replace('-', "_"))))
}

/// Messages of panics name the file; the way to it says where this machine keeps its crates, and is paid for in bytes.
fn short_paths() -> Vec<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|it| it.join(".cargo")));
    let sources = home.and_then(|it| fs::read_dir(it.join("registry/src")).ok());
    let folders = sources.into_iter().flatten().flatten().map(|it| it.path());
    let mut flags: Vec<_> = folders.map(|it| format!("--remap-path-prefix={}=", it.display())).collect();
    flags.sort();
    flags
}

fn bindgen(wasm: &Path, out: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new(super::setup::wasm_bindgen()?);
    command.arg(wasm).arg("--no-typescript").arg("--out-dir").arg(out).args(args);
    quiet(&mut command).map(drop)
}

/// Optimizes in place, or takes the result of the last run when the input is the same: Binaryen needs half a minute.
fn optimize(wasm: &Path, passes: &[&str]) -> Result<()> {
    let input = Sha256::digest(fs::read(wasm)?);
    let mark = format!("{} {input:x}", passes.join(" "));
    let (kept, kept_mark) = (wasm.with_extension("kept"), wasm.with_extension("mark"));
    if !kept.exists() || fs::read_to_string(&kept_mark).ok().as_deref() != Some(mark.as_str()) {
        run_wasm_opt(wasm, &kept, passes)?;
        fs::write(&kept_mark, &mark)?;
    }
    fs::copy(&kept, wasm).map(drop).with_context(|| format!("cannot write {}", wasm.display()))
}

/// The features are those rustc emits by default plus exception handling of wasm-bindgen's wrappers; "all" would let
/// Binaryen write what workerd and browsers do not read yet.
fn run_wasm_opt(from: &Path, to: &Path, passes: &[&str]) -> Result<()> {
    let features = [
        "mutable-globals",
        "sign-ext",
        "nontrapping-float-to-int",
        "bulk-memory",
        "multivalue",
        "reference-types",
        "exception-handling",
    ];
    let mut command = Command::new(paths::node());
    command
        .arg(paths::root().join("node_modules/binaryen/bin/wasm-opt"))
        .arg(from)
        .arg("-o")
        .arg(to)
        .args(passes)
        .args(features.map(|it| format!("--enable-{it}")));
    quiet(&mut command).map(drop)
}

fn esbuild() -> Command {
    let mut command = Command::new(paths::root().join("node_modules/@esbuild/linux-x64/bin/esbuild"));
    command.current_dir(paths::root()).args(["--bundle", "--log-level=warning"]);
    command
}

/// Where the steps leave their files on the way.
fn staging(name: &str, mode: Mode) -> PathBuf {
    paths::target().join("mailroom").join(format!("{name}-{}", if mode.is_release() { "release" } else { "dev" }))
}
