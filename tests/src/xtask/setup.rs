//! Installs what is missing, once, and says what and how long it took. A second run finds everything and is silent.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::run::{cargo, first_line, quiet, shown, step};
use crate::paths;

const WASM: &str = "wasm32-unknown-unknown";

/// Reads the marks of wasm_split_helpers 0.2, which Leptos and the page use.
const WASM_SPLIT: &str = "0.2.4";

/// What building and running needs: the wasm target, wasm-bindgen, the npm packages.
pub(super) fn build_tools() -> Result<()> {
    wasm_target()?;
    npm_packages()?;
    wasm_bindgen().map(drop)
}

/// What only the end-to-end and browser tests need, from Debian's packages.
pub(super) fn test_tools() -> Result<()> {
    // Program that proves it, and its package.
    let wanted = [
        ("/usr/bin/chromium", "chromium"),
        ("/usr/bin/chromedriver", "chromium-driver"),
        ("/usr/bin/swaks", "swaks"),
        ("/usr/sbin/postfix", "postfix"),
        ("/usr/share/perl5/Sisimai.pm", "libsisimai-perl"),
        ("/usr/share/perl5/IO/Socket/SSL.pm", "libio-socket-ssl-perl"),
        ("/usr/lib/python3/dist-packages/dkim/__init__.py", "python3-dkim"),
    ];
    let missing: Vec<&str> = wanted.iter().filter(|(path, _)| !Path::new(path).exists()).map(|(_, it)| *it).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let remedy = format!("install them: apt-get install --no-install-recommends {}", missing.join(" "));
    let is_root = rustix::process::geteuid().is_root();
    if !is_root || !Path::new("/usr/bin/apt-get").exists() {
        bail!("the tests need {}; {remedy} (or the like on your system)", missing.join(", "));
    }
    step(&format!("apt-get install {}", missing.join(" ")), || {
        let install = || {
            let mut command = Command::new("apt-get");
            command
                .args(["install", "--yes", "--quiet", "--no-install-recommends"])
                .args(&missing)
                .env("DEBIAN_FRONTEND", "noninteractive");
            quiet(&mut command)
        };
        // Known package lists save the half minute of an update; stale ones fail, and then the update is due.
        if install().is_err() {
            quiet(Command::new("apt-get").args(["update", "--quiet"]))?;
            install().context(remedy.clone())?;
        }
        Ok(())
    })
}

/// Path of the wasm-bindgen of exactly the version in Cargo.lock, installed when missing: the two sides of its format only
/// fit when they are equal.
pub(super) fn wasm_bindgen() -> Result<PathBuf> {
    let version = locked_version("wasm-bindgen")?;
    let expect = format!("wasm-bindgen {version}");
    let own = paths::tools().join("bin/wasm-bindgen");
    for candidate in [own.clone(), PathBuf::from("wasm-bindgen")] {
        if first_line(&candidate, &["--version"]).as_deref() == Some(expect.as_str()) {
            return Ok(candidate);
        }
    }
    step(&format!("cargo install wasm-bindgen-cli {version} (once, some minutes)"), || {
        let mut command = cargo();
        command
            .args(["install", "--quiet", "wasm-bindgen-cli", "--version", &version, "--bin", "wasm-bindgen", "--root"])
            .arg(paths::tools());
        shown(&mut command).context("wasm-bindgen-cli could not be installed; is the crate registry reachable?")
    })?;
    Ok(own)
}

/// Path of the tool that cuts the page into files, installed when missing. It tells no version; cargo's own list does.
pub(super) fn wasm_split() -> Result<PathBuf> {
    let path = paths::tools().join("bin/wasm-split-cli");
    let list = fs::read_to_string(paths::tools().join(".crates.toml")).unwrap_or_default();
    if path.exists() && list.contains(&format!("\"wasm_split_cli_support {WASM_SPLIT} ")) {
        return Ok(path);
    }
    step(&format!("cargo install wasm_split_cli_support {WASM_SPLIT} (once, about a minute)"), || {
        let mut command = cargo();
        command
            .args(["install", "--quiet", "--locked", "wasm_split_cli_support", "--version", WASM_SPLIT])
            .args(["--features", "build-binary", "--root"])
            .arg(paths::tools());
        shown(&mut command).context("wasm_split_cli_support could not be installed; is the crate registry reachable?")
    })?;
    Ok(path)
}

fn wasm_target() -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(paths::root()).args(["--print", "target-libdir", "--target", WASM]);
    let output = quiet(&mut rustc).context("no Rust compiler; install it with rustup (https://rustup.rs)")?;
    if Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir() {
        return Ok(());
    }
    step(&format!("rustup target add {WASM}"), || {
        let mut rustup = Command::new("rustup");
        rustup.current_dir(paths::root()).args(["target", "add", WASM]);
        quiet(&mut rustup).map(drop).with_context(|| {
            format!("Rust's {WASM} is missing; install Rust with rustup, or add the target by your system's means")
        })
    })
}

/// wrangler, node, esbuild, binaryen, axe-core at the versions of package-lock.json.
fn npm_packages() -> Result<()> {
    let lock = fs::read(paths::root().join("package-lock.json")).context("package-lock.json is missing")?;
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    let mark = format!("{:016x}", hasher.finish());
    let marker = paths::root().join("node_modules/.mailroom-installed");
    if fs::read_to_string(&marker).is_ok_and(|it| it == mark) && paths::node().exists() && paths::wrangler().exists() {
        return Ok(());
    }
    step("npm ci (wrangler, node, esbuild, binaryen)", || {
        let mut npm = Command::new("npm");
        // No package needs its install script; node is a plain binary in its package.
        npm.current_dir(paths::root()).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        quiet(&mut npm).context(
            "`npm ci` did not work; install Node.js 20 or newer with npm, and see that its registry answers",
        )?;
        fs::write(&marker, &mark).with_context(|| format!("cannot write {}", marker.display()))
    })
}

/// Version of a package in Cargo.lock.
fn locked_version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(paths::root().join("Cargo.lock")).context("Cargo.lock is missing")?;
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|it| *it != name).skip(1);
    let version = lines.next().and_then(|it| it.strip_prefix("version = \"")).and_then(|it| it.strip_suffix('"'));
    version.map(str::to_owned).with_context(|| format!("{package} is not in Cargo.lock"))
}
