//! Real Chromium, driven through chromedriver: find, act, check.
//!
//! The calls block, so that a story reads from top to bottom; the WebDriver client underneath (`fantoccini`) is
//! asynchronous and runs on a runtime of its own. Every find waits up to [`PATIENCE`]: a page that is still loading is no
//! failure.

mod driver;
mod log;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::paths;
use driver::Driver;
pub use log::LogEntry;

/// How long a find waits before it fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// Known to start as root without a network and without trying to reach one.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
];

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// Every pixel as it is.
    Png,
    /// WebP, a tenth of the size, for documents.
    Small,
}

pub struct Browser {
    runtime: Runtime,
    client: Option<Client>,
    driver: Driver,
    base: String,
}

impl Browser {
    /// Opens a window of that size. `base` is the address of the stack.
    pub fn start(base: &str, width: u32, height: u32) -> Result<Self> {
        let driver = Driver::start()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut args: Vec<String> = FLAGS.iter().map(|it| (*it).to_owned()).collect();
        args.push(format!("--window-size={width},{height}"));
        args.push(format!("--user-data-dir={}", driver.profile().display()));
        let capabilities = json!({
            "goog:chromeOptions": { "args": args, "binary": driver::CHROMIUM },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else { bail!("capabilities are an object") };
        let capabilities: Capabilities = capabilities;
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client = runtime
            .block_on(ClientBuilder::new(connector).capabilities(capabilities).connect(&driver.url()))
            .with_context(|| format!("Chromium does not start\n{}", driver.log()))?;
        let browser = Self { runtime, client: Some(client), driver, base: base.trim_end_matches('/').to_owned() };
        browser.set_size(width, height)?;
        Ok(browser)
    }

    /// The size of the page itself, without what the window adds.
    pub fn set_size(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).map(drop)
    }

    /// `prefers-color-scheme`.
    pub fn set_dark(&self, dark: bool) -> Result<()> {
        let value = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", &media).map(drop)
    }

    /// Slows the processor down by that factor.
    pub fn throttle(&self, factor: u32) -> Result<()> {
        self.devtools("Emulation.setCPUThrottlingRate", &json!({ "rate": factor })).map(drop)
    }

    /// Any command of the DevTools protocol.
    pub fn devtools(&self, command: &str, params: &Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": params });
        self.driver_post("goog/cdp/execute", &body)
    }

    /// `path` begins with a slash.
    pub fn open(&self, path: &str) -> Result<()> {
        let url = format!("{}{path}", self.base);
        self.block(self.client()?.goto(&url)).with_context(|| format!("{url} does not open"))
    }

    pub fn path(&self) -> Result<String> {
        let url = self.block(self.client()?.current_url())?;
        Ok(url.path().to_owned())
    }

    /// Waits until the address has this path.
    pub fn wait_for_path(&self, path: &str) -> Result<()> {
        self.until(&format!("the address to become {path}"), || Ok((self.path()? == path).then_some(())))
    }

    /// The session of an API client, so that a story need not log in by hand again.
    pub fn take_session(&self, api: &crate::client::Client) -> Result<()> {
        for (name, value) in api.cookies() {
            let cookie = json!({ "name": name, "value": value, "url": self.base, "path": "/", "secure": true, "httpOnly": true });
            self.devtools("Network.setCookie", &cookie)?;
        }
        Ok(())
    }

    /// Logged out, as far as the browser knows.
    pub fn forget_session(&self) -> Result<()> {
        Ok(self.block(self.client()?.delete_all_cookies())?)
    }

    // Finding. A selector is CSS; `find_text` finds by what a person reads.

    pub fn find(&self, css: &str) -> Result<Element> {
        self.until(&format!("{css} to appear"), || self.find_now(css))
    }

    pub fn find_now(&self, css: &str) -> Result<Option<Element>> {
        Ok(self.all(css)?.into_iter().next())
    }

    pub fn all(&self, css: &str) -> Result<Vec<Element>> {
        Ok(self.block(self.client()?.find_all(Locator::Css(css)))?)
    }

    /// The innermost shown element of kind `css` (`*` for any) whose text, label or value contains `text`.
    pub fn find_text(&self, css: &str, text: &str) -> Result<Element> {
        self.until(&format!("{css} with the text {text:?} to appear"), || {
            let found = self.run(FIND_TEXT, &[json!(css), json!(text)])?;
            if found.is_null() {
                return Ok(None);
            }
            // The script marked it, since an element does not survive the way through JSON.
            self.find_now("[data-test-found]")
        })
    }

    pub fn wait_gone(&self, css: &str) -> Result<()> {
        self.until(&format!("{css} to go away"), || Ok(self.all(css)?.is_empty().then_some(())))
    }

    // Acting.

    pub fn click(&self, css: &str) -> Result<()> {
        self.until(&format!("{css} to take a click"), || {
            let Some(element) = self.find_now(css)? else { return Ok(None) };
            // Something may still move over it; the next try finds out.
            Ok(self.block(element.click()).ok())
        })
    }

    pub fn click_text(&self, css: &str, text: &str) -> Result<()> {
        self.until(&format!("{css} with the text {text:?} to take a click"), || {
            let element = self.find_text(css, text)?;
            // A live update may have built it anew meanwhile; the next try finds the new one.
            Ok(self.block(element.click()).ok())
        })
    }

    /// Replaces what a field holds.
    pub fn fill(&self, css: &str, text: &str) -> Result<()> {
        self.until(&format!("{css} to take a text"), || {
            let field = self.find(css)?;
            self.block(field.clear())?;
            self.block(field.send_keys(text))?;
            Ok(Some(()))
        })
    }

    /// Keys into a field without clearing it.
    pub fn type_into(&self, css: &str, text: &str) -> Result<()> {
        let field = self.find(css)?;
        Ok(self.block(field.send_keys(text))?)
    }

    /// Keys to whatever has the focus.
    pub fn press(&self, keys: &str) -> Result<()> {
        let element = self.block(self.client()?.active_element())?;
        Ok(self.block(element.send_keys(keys))?)
    }

    pub fn press_enter(&self) -> Result<()> {
        self.press(&char::from(Key::Enter).to_string())
    }

    pub fn press_escape(&self) -> Result<()> {
        self.press(&char::from(Key::Escape).to_string())
    }

    /// Chooses files in a file input.
    pub fn choose_file(&self, css: &str, file: &Path) -> Result<()> {
        let field = self.find(css)?;
        Ok(self.block(field.send_keys(&file.display().to_string()))?)
    }

    // Checking.

    pub fn text(&self, css: &str) -> Result<String> {
        let element = self.find(css)?;
        Ok(self.block(element.text())?)
    }

    pub fn wait_for_text(&self, css: &str, text: &str) -> Result<()> {
        self.find_text(css, text).map(drop)
    }

    pub fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        let element = self.find(css)?;
        Ok(self.block(element.attr(name))?)
    }

    /// Runs a function body in the page and returns its value.
    pub fn run(&self, script: &str, args: &[Value]) -> Result<Value> {
        self.block(self.client()?.execute(script, args.to_vec())).context("a script in the page failed")
    }

    /// Saves what is seen under `.mailroom/test/screenshots` and returns the path.
    pub fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let png = self.block(self.client()?.screenshot())?;
        let folder = paths::test_output().join("screenshots");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        fs::write(&path, png)?;
        Ok(path)
    }

    /// Saves what is seen as `path` with the ending of its kind, and returns that.
    pub fn picture(&self, kind: Picture, path: &Path) -> Result<PathBuf> {
        let (format, ending) = match kind {
            Picture::Png => (json!({ "format": "png" }), "png"),
            Picture::Small => (json!({ "format": "webp", "quality": 82 }), "webp"),
        };
        let answer = self.devtools("Page.captureScreenshot", &format)?;
        let data = answer.get("data").and_then(Value::as_str).context("no picture came")?;
        let path = path.with_extension(ending);
        fs::write(&path, BASE64.decode(data)?).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// What axe-core finds of impact serious or critical in the page as it is, one line each.
    pub fn accessibility_findings(&self) -> Result<Vec<String>> {
        let axe = fs::read_to_string(paths::root().join("node_modules/axe-core/axe.min.js"))
            .context("axe-core is missing; run `cargo xtask setup`")?;
        // By the debugger, which the page's policy does not bind.
        self.devtools("Runtime.evaluate", &json!({ "expression": axe }))?;
        let ask = json!({ "expression": AXE, "awaitPromise": true, "returnByValue": true });
        let answer = self.devtools("Runtime.evaluate", &ask)?;
        let findings = answer.pointer("/result/value").and_then(Value::as_array);
        let findings = findings.with_context(|| format!("axe-core gave no result: {answer}"))?;
        Ok(findings.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Lines of the console since the last call; a story ends with checking that none is an error.
    pub fn console(&self) -> Result<Vec<LogEntry>> {
        let entries = self.driver_post("se/log", &json!({ "type": "browser" }))?;
        Ok(serde_json::from_value(entries)?)
    }

    /// Every address that the page and its frames asked for since the last call, also those that a policy then blocked.
    pub fn requests(&self) -> Result<Vec<String>> {
        let entries: Vec<LogEntry> =
            serde_json::from_value(self.driver_post("se/log", &json!({ "type": "performance" }))?)?;
        Ok(entries.iter().filter_map(LogEntry::requested).collect())
    }

    /// Errors of the console since the last look at it.
    pub fn console_errors(&self) -> Result<Vec<String>> {
        Ok(self.console()?.into_iter().filter(LogEntry::is_error).map(|it| it.message).collect())
    }

    /// Asks until `ask` has an answer. On failure the message holds a screenshot and the console.
    fn until<T>(&self, what: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let end = Instant::now() + PATIENCE;
        let mut last = None;
        loop {
            match ask() {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                // An element that was replaced while it was asked for; the next look finds the new one.
                Err(error) => last = Some(error),
            }
            if Instant::now() > end {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let picture =
            self.screenshot(&format!("failed-{}", crate::report::unique())).map(|it| it.display().to_string());
        let console: Vec<String> = self.console().unwrap_or_default().into_iter().map(|it| it.message).collect();
        bail!(
            "waited {} s for {what}\n  address: {}\n  picture: {}\n  console: {}\n  last error: {}",
            PATIENCE.as_secs(),
            self.path().unwrap_or_default(),
            picture.unwrap_or_default(),
            console.join("\n           "),
            last.map(|it| format!("{it:#}")).unwrap_or_default(),
        )
    }

    fn client(&self) -> Result<&Client> {
        self.client.as_ref().context("the browser is closed")
    }

    fn block<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Commands that WebDriver leaves to the vendor.
    fn driver_post(&self, path: &str, body: &Value) -> Result<Value> {
        let session = self.block(self.client()?.session_id())?.ok_or_else(|| anyhow!("the browser has no session"))?;
        self.driver.post(&format!("/session/{session}/{path}"), body)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(client.close());
        }
    }
}

/// Finds by text, and marks the element for the driver.
const FIND_TEXT: &str = r#"
const [css, text] = arguments;
document.querySelectorAll("[data-test-found]").forEach((it) => it.removeAttribute("data-test-found"));
const shown = (it) => it.getClientRects().length > 0;
const words = (it) => [it.innerText, it.getAttribute("aria-label"), it.getAttribute("title"), it.value]
  .filter((word) => typeof word === "string");
const all = [...document.querySelectorAll(css)].filter((it) => shown(it) && words(it).some((word) => word.includes(text)));
const found = all.find((it) => !all.some((other) => other !== it && it.contains(other)));
if (!found) return null;
found.setAttribute("data-test-found", "");
return true;
"#;

const AXE: &str = r#"
axe.run(document, { resultTypes: ["violations"] }).then((result) => result.violations
  .filter((it) => it.impact === "serious" || it.impact === "critical")
  .flatMap((it) => it.nodes.map((node) => `${it.impact} ${it.id}: ${it.help} at ${node.target.join(" ")}: ${node.failureSummary}`)))
"#;
