//! The page: compiled, bound, hashed, and put together in `app/dist`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::{Mode, bindgen, compile, esbuild, optimize, staging};
use crate::paths;
use crate::xtask::run::quiet;
use crate::xtask::setup;

/// Security headers unless `app/public/_headers` has its own.
const HEADERS: &str = "/*
  Content-Security-Policy: default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; frame-src 'self' blob: data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'
  X-Content-Type-Options: nosniff
  Referrer-Policy: same-origin
";

/// A hashed name never changes its content.
const CACHE: &str = "/assets/*
  Cache-Control: public, max-age=31536000, immutable
";

/// Functions that are copied into their only caller no longer look like their neighbours: a fifteenth more in brotli.
const SMALL: [&str; 3] = ["-Oz", "--one-caller-inline-max-function-size", "5"];

/// Written when the page is made by `cargo xtask dev`; the boot script asks for it and loads again when it changes.
const BUILD_MARK: &str = "build.txt";

pub(super) fn build(mode: Mode) -> Result<()> {
    let app = paths::root().join("app");
    let staging = staging("page", mode);
    let mut dist = Dist::new(app.join("dist"));
    dist.copy_public(&app.join("public"))?;
    let module = if mode.is_release() { split(&staging, &mut dist)? } else { whole(&staging, mode)? };
    let wasm_url = dist.add("app", "wasm", &fs::read(&module)?)?;
    let script_url = dist.add("app", "js", &script(&staging, &wasm_url, mode)?)?;
    let style_url = style(&app, &staging, mode, &mut dist)?;
    let texts = texts(&mut dist)?;
    dist.write("_headers", headers(&app)?.as_bytes())?;
    if mode == Mode::Watched {
        let mark = format!("{wasm_url} {script_url} {style_url} {texts}\n");
        dist.write(BUILD_MARK, mark.as_bytes())?;
    }
    // Last, since it names all others.
    let template = fs::read_to_string(app.join("index.html")).context("app/index.html is missing")?;
    dist.write("index.html", page(&template, &wasm_url, &script_url, &style_url, &texts).as_bytes())?;
    dist.remove_others()?;
    if mode.is_release() {
        let scripts = [&script_url, "/theme.js"];
        first_load(&dist, scripts.into_iter().chain([wasm_url.as_str(), style_url.as_str()]))?;
    }
    Ok(())
}

/// What a first visit may load of wasm, scripts and styles, in brotli.
pub(in crate::xtask) const FIRST_LOAD_BUDGET: usize = 200 * 1024;

/// Says what a first visit loads; above the budget there is no release.
fn first_load<'a>(dist: &Dist, urls: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut total = 0;
    for url in urls {
        total += brotli_size(&fs::read(dist.root.join(url.trim_start_matches('/')))?)?;
    }
    if total > FIRST_LOAD_BUDGET {
        bail!(
            "a first visit would load {total} bytes (brotli), the budget is {FIRST_LOAD_BUDGET}: \
             what the Inbox does without belongs into app/src/parts.rs"
        );
    }
    println!("  a first visit loads {total} bytes of {FIRST_LOAD_BUDGET} (brotli)");
    Ok(())
}

/// As a content delivery network keeps a file that never changes: at the highest quality.
pub(in crate::xtask) fn brotli_size(bytes: &[u8]) -> Result<usize> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, 11, 22);
    writer.write_all(bytes)?;
    writer.flush()?;
    Ok(writer.into_inner().len())
}

/// The program in one module, quick to make; returns it.
fn whole(staging: &Path, mode: Mode) -> Result<PathBuf> {
    let wasm = compile("mailroom-app", mode, "", &[])?;
    let _ = fs::remove_dir_all(staging.join("snippets"));
    bindgen(&wasm, staging, &["--target", "web", "--out-name", "app"])?;
    Ok(staging.join("app_bg.wasm"))
}

/// The program with what loads later in files of their own; returns the main module, the others are in `dist`.
///
/// `wasm-split` follows the relocations that the linker kept from each function that `app/src/parts.rs` lists, and moves
/// what nothing else reaches. wasm-bindgen then sees the main module alone, so that it has to keep what the others use.
fn split(staging: &Path, dist: &mut Dist) -> Result<PathBuf> {
    let wasm = compile("mailroom-app", Mode::Release, "split", &["-Clink-arg=--emit-relocs"])?;
    let _ = fs::remove_dir_all(staging.join("snippets"));
    let mut command = Command::new(setup::wasm_split()?);
    command.arg(&wasm).arg(staging).args(["--target", "web", "--out-name", "app"]);
    quiet(&mut command)?;
    let main = staging.join("app.wasm");
    bindgen(&main, staging, &["--target", "web", "--out-name", "app", "--keep-lld-exports", "--no-demangle"])?;
    let loader = staging.join("__wasm_split.js");
    let mut script = fs::read_to_string(&loader).context("wasm-split wrote no loader")?;
    for name in chunks(&script) {
        let path = staging.join(format!("{name}.wasm"));
        optimize(&path, &SMALL)?;
        let url = dist.add(&name, "wasm", &fs::read(&path)?)?;
        script = script.replace(&format!("\"./{name}.wasm\""), &format!("\"{url}\""));
    }
    fs::write(&loader, script.replace("fetch(new URL(", "fetchChunk(new URL(") + FETCH_CHUNK)?;
    let bound = staging.join("app_bg.wasm");
    optimize(&bound, &SMALL)?;
    Ok(bound)
}

/// A file that is not there is answered with the page, and so may have been kept as one that never changes: while a
/// release spreads, or before one is taken back. Asking the server anew gets round that.
const FETCH_CHUNK: &str = r#"
async function fetchChunk(url) {
  const answer = await fetch(url);
  const isWasm = answer.ok && answer.headers.get("content-type")?.startsWith("application/wasm");
  return isWasm ? answer : fetch(url, { cache: "reload" });
}
"#;

/// The files that the loader fetches, without `.wasm`, each once.
fn chunks(loader: &str) -> BTreeSet<String> {
    let names = loader.split("\"./").skip(1).filter_map(|it| it.split_once(".wasm\"").map(|(name, _)| name));
    names.filter(|it| !it.contains('"')).map(str::to_owned).collect()
}

/// The catalogues: the page loads one. Returns the tags that name them.
fn texts(dist: &mut Dist) -> Result<String> {
    let mut tags = Vec::new();
    for file in files(&paths::root().join("shared/locales"))? {
        let code = file.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
        let texts: serde_json::Value =
            serde_json::from_slice(&fs::read(&file)?).with_context(|| format!("{} is no JSON", file.display()))?;
        let url = dist.add(code, "json", texts.to_string().as_bytes())?;
        tags.push(format!("<meta name=\"texts-{code}\" content=\"{url}\">"));
    }
    tags.sort();
    Ok(tags.join("\n  "))
}

/// The bound module with a start, as one file. Nothing is inline in the page, so its policy can forbid that.
fn script(staging: &Path, wasm_url: &str, mode: Mode) -> Result<Vec<u8>> {
    let mut boot = BOOT.replace("WASM", wasm_url);
    if mode == Mode::Watched {
        boot.push_str(RELOAD);
    }
    let entry = staging.join("boot.js");
    fs::write(&entry, boot)?;
    let out = staging.join("boot.out.js");
    let mut command = esbuild();
    command.arg(&entry).arg(format!("--outfile={}", out.display())).args(["--format=esm", "--target=es2022"]);
    if mode.is_release() {
        command.arg("--minify");
    }
    quiet(&mut command)?;
    Ok(fs::read(out)?)
}

/// Without the program there is no catalogue either, so the one sentence that is needed then stands in the page.
const BOOT: &str = r#"import init, { run } from "./app.js";
try {
  await init({ module_or_path: "WASM" });
  await run();
} catch (error) {
  console.error(error);
  document.getElementById("not-loaded").hidden = false;
}
"#;

/// Development only: asks each second, while somebody looks, whether the page was built anew.
const RELOAD: &str = r#"
let mark;
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch("/build.txt", { cache: "no-store" });
    const now = answer.ok ? await answer.text() : mark;
    if (mark !== undefined && now !== mark) location.reload();
    mark = now;
  } catch {
    // the server restarts
  }
}, 1000);
"#;

fn style(app: &Path, staging: &Path, mode: Mode, dist: &mut Dist) -> Result<String> {
    let out = staging.join("style");
    let _ = fs::remove_dir_all(&out);
    let mut command = esbuild();
    command
        .arg(app.join("style/main.css"))
        .arg(format!("--outdir={}", out.display()))
        .args(["--asset-names=[name]-[hash]", "--public-path=/assets"])
        .args(["woff2", "svg", "png", "webp"].map(|it| format!("--loader:.{it}=file")));
    if mode.is_release() {
        command.arg("--minify");
    }
    quiet(&mut command)?;
    for entry in fs::read_dir(&out)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
        if name != "main.css" {
            dist.write(&format!("assets/{name}"), &fs::read(&path)?)?;
        }
    }
    dist.add("main", "css", &fs::read(out.join("main.css"))?)
}

fn headers(app: &Path) -> Result<String> {
    let own = app.join("public/_headers");
    let mut text = if own.exists() { fs::read_to_string(own)? } else { HEADERS.to_owned() };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if !text.contains("/assets/*") {
        text.push_str(CACHE);
    }
    Ok(text)
}

fn page(template: &str, wasm_url: &str, script_url: &str, style_url: &str, texts: &str) -> String {
    let style = format!("<link rel=\"stylesheet\" href=\"{style_url}\">");
    template.replace("<!-- mailroom:texts -->", texts).replace("<!-- mailroom:css -->", &style).replace(
        "<!-- mailroom:script -->",
        &format!(
            "<link rel=\"modulepreload\" href=\"{script_url}\">\n  \
             <link rel=\"preload\" href=\"{wasm_url}\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n  \
             <script type=\"module\" src=\"{script_url}\"></script>"
        ),
    )
}

/// `app/dist` while it is made: files of the last build go only when the new ones are complete.
struct Dist {
    root: PathBuf,
    written: BTreeSet<PathBuf>,
}

impl Dist {
    fn new(root: PathBuf) -> Self {
        Self { root, written: BTreeSet::new() }
    }

    /// Writes `assets/NAME-HASH.EXTENSION` and returns its URL.
    fn add(&mut self, name: &str, extension: &str, bytes: &[u8]) -> Result<String> {
        let digest = Sha256::digest(bytes);
        let mut hash = String::new();
        for byte in digest.iter().take(6) {
            write!(hash, "{byte:02x}")?;
        }
        let path = format!("assets/{name}-{hash}.{extension}");
        self.write(&path, bytes)?;
        Ok(format!("/{path}"))
    }

    /// Leaves an equal file alone, so that nobody who watches the folder is woken.
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.root.join(path);
        if fs::read(&path).is_ok_and(|it| it == bytes) {
            self.written.insert(path);
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let next = path.with_extension("next");
        fs::write(&next, bytes).with_context(|| format!("cannot write {}", next.display()))?;
        fs::rename(&next, &path)?;
        self.written.insert(path);
        Ok(())
    }

    fn copy_public(&mut self, from: &Path) -> Result<()> {
        for path in files(from)? {
            let name = path.strip_prefix(from)?.to_string_lossy().into_owned();
            if name != "_headers" {
                self.write(&name, &fs::read(&path)?)?;
            }
        }
        Ok(())
    }

    fn remove_others(&self) -> Result<()> {
        for path in files(&self.root)? {
            if !self.written.contains(&path) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// All files below a folder; none when it is not there.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_files_and_keeps_the_rest() {
        let template = "<head><!-- mailroom:texts --><!-- mailroom:css --><!-- mailroom:script --></head>";
        let made = page(template, "/a.wasm", "/a.js", "/a.css", "<meta>");
        assert!(made.starts_with("<head><meta><link rel=\"stylesheet\" href=\"/a.css\">"));
        assert!(made.contains("<script type=\"module\" src=\"/a.js\"></script></head>"));
        assert!(!made.contains("mailroom:"));
    }

    #[test]
    fn the_loader_names_its_chunks() {
        let loader = r#"import { initSync } from "./app.js";
            fetch(new URL("./chunk_3.wasm", import.meta.url)); fetch(new URL("./split_record.wasm", import.meta.url));
            fetch(new URL("./chunk_3.wasm", import.meta.url))"#;
        assert_eq!(chunks(loader).into_iter().collect::<Vec<_>>(), ["chunk_3", "split_record"]);
    }

    #[test]
    fn files_of_the_last_build_go_and_equal_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("assets/app-old.js");
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, "x").unwrap();
        let mut dist = Dist::new(folder.path().to_owned());
        let url = dist.add("app", "js", b"new").unwrap();
        assert_eq!(url, dist.add("app", "js", b"new").unwrap());
        dist.remove_others().unwrap();
        assert!(!old.exists());
        assert!(folder.path().join(url.trim_start_matches('/')).exists());
    }
}
