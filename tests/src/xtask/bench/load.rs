//! The first visit of somebody who is logged in: what is fetched, and when an Inbox of 1,000 can be used.
//!
//! Measured in real Chromium with nothing kept from earlier. The WebDriver client is a feature that plain `cargo xtask`
//! leaves out to compile in seconds, so this benchmark runs in a second xtask that has it.

#[cfg(feature = "browser")]
pub(super) use real::run;

#[cfg(not(feature = "browser"))]
pub(super) fn run() -> anyhow::Result<Vec<super::Figure>> {
    let mut again = crate::xtask::run::cargo();
    again.args(["run", "--quiet", "--package", "mailroom-tests", "--features", "browser", "--bin", "xtask", "--"]);
    again.args(["bench", "load"]);
    crate::xtask::run::shown(&mut again).map(|()| Vec::new())
}

#[cfg(feature = "browser")]
mod real {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use anyhow::{Context, Result, bail};
    use serde_json::{Value, json};

    use crate::browser::Browser;
    use crate::client::Client;
    use crate::front_door::Outcome;
    use crate::mail::Mail;
    use crate::paths;
    use crate::stack::{Stack, StackOptions};
    use crate::xtask::bench::Figure;
    use crate::xtask::build::{FIRST_LOAD_BUDGET, brotli_size};
    use crate::xtask::setup;

    const RECORDS: usize = 1_000;
    const VISITS: usize = 5;
    const EMAIL: &str = "admin@haldenmoss.example";
    const PASSWORD: &str = "mailroom-dev";

    /// Notes when the first rows are shown and the page answers again.
    const WATCH: &str = r#"
    new MutationObserver((_, it) => {
      if (!document.querySelector("[data-record] a[href]")) return;
      it.disconnect();
      requestAnimationFrame(() => setTimeout(() => { window.mailroomUsable = performance.now(); }));
    }).observe(document, { childList: true, subtree: true });
    "#;

    const ASKED: &str = r#"
    return performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource")).map((it) => it.name);
    "#;

    pub(in crate::xtask::bench) fn run() -> Result<Vec<Figure>> {
        setup::test_tools()?;
        let stack = Stack::start(StackOptions::test("bench-load"))?;
        stack.set_up(&json!({
            "company": "Haldenmoss", "name": "Mai Lindqvist", "email": EMAIL, "password": PASSWORD,
            "domain": "haldenmoss.example", "language": "en",
            "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
        }))?;
        let api = stack.client();
        api.login(EMAIL, PASSWORD)?;
        fill(&stack, &api)?;
        let browser = Browser::start(&stack.base_url(), 1440, 900)?;
        browser.open("/login")?;
        browser.fill("[name=email]", EMAIL)?;
        browser.fill("[name=password]", PASSWORD)?;
        browser.press_enter()?;
        browser.find(".rail")?;
        browser.devtools("Page.enable", &json!({}))?;
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WATCH }))?;
        let mut asked = Vec::new();
        let mut times = Vec::new();
        for factor in [1, 4] {
            browser.throttle(factor)?;
            let mut each = Vec::new();
            for _ in 0..VISITS {
                let (took, names) = visit(&browser)?;
                each.push(took);
                asked = names;
            }
            each.sort_by(f64::total_cmp);
            times.push(each.get(VISITS / 2).copied().unwrap_or_default());
        }
        let mut figures = bytes(&asked)?;
        let budget = |value: f64| Some(("budget".to_owned(), value));
        let hosts: BTreeSet<&str> = asked.iter().filter_map(|it| it.split('/').nth(2)).collect();
        let figure = |name: &str, value: f64, unit: &'static str, baseline| Figure {
            name: name.to_owned(),
            value,
            unit,
            baseline,
        };
        figures.push(figure("first load, requests", asked.len() as f64, "requests", budget(16.0)));
        figures.push(figure("first load, hosts", hosts.len() as f64, "hosts", budget(1.0)));
        for (name, time, limit) in [
            ("first load, Inbox of 1000 usable", times.first(), 1_000.0),
            ("first load, Inbox of 1000 usable at 4x CPU throttle", times.get(1), 1_950.0),
        ] {
            figures.push(figure(name, time.copied().unwrap_or_default(), "ms", budget(limit)));
        }
        Ok(figures)
    }

    /// Mails from as many people; returns when the Inbox has them all.
    fn fill(stack: &Stack, api: &Client) -> Result<()> {
        let (poster, next) = (stack.poster(), AtomicUsize::new(0));
        let outcomes: Vec<Result<()>> = thread::scope(|scope| {
            let send = || {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= RECORDS {
                        return Ok(());
                    }
                    let from = format!("ok.anna{n}@sink.test");
                    let text = format!("Dear all,\n\nplease send offer {n} for forty oak chairs.\n\nAnna");
                    let to = "sales@haldenmoss.example";
                    let raw = Mail::new(&format!("Anna Berg {n} <{from}>"), to, &format!("Order {n}"), &text).raw()?;
                    let outcome = poster.post(&from, to, &raw);
                    if outcome != Outcome::Accepted {
                        bail!("a mail to {to} was {outcome}");
                    }
                }
            };
            let all: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
            all.into_iter().map(|it| it.join().unwrap_or_else(|_| bail!("sending panicked"))).collect()
        });
        outcomes.into_iter().collect::<Result<()>>()?;
        let end = Instant::now() + Duration::from_mins(5);
        loop {
            let shell = api.get("/api/v1/shell")?.ok()?;
            if shell.get("inbox").and_then(Value::as_u64) == Some(RECORDS as u64) {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("the Inbox does not fill: {shell}");
            }
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// Milliseconds until the list can be used, and everything that was asked for until the page has been idle for a second.
    fn visit(browser: &Browser) -> Result<(f64, Vec<String>)> {
        browser.devtools("Network.clearBrowserCache", &json!({}))?;
        browser.open("/inbox")?;
        let end = Instant::now() + Duration::from_mins(1);
        let usable = loop {
            if let Some(time) = browser.run("return window.mailroomUsable ?? null", &[])?.as_f64() {
                break time;
            }
            if Instant::now() > end {
                bail!("the Inbox shows no rows");
            }
            thread::sleep(Duration::from_millis(20));
        };
        let mut names = Vec::new();
        loop {
            thread::sleep(Duration::from_secs(1));
            let now: Vec<String> = serde_json::from_value(browser.run(ASKED, &[])?)?;
            if now.len() == names.len() {
                return Ok((usable, now));
            }
            names = now;
        }
    }

    /// By kind, in brotli; the kinds of the budget together at the end.
    fn bytes(asked: &[String]) -> Result<Vec<Figure>> {
        let mut kinds: BTreeMap<&str, usize> = ["css", "js", "wasm", "woff2"].map(|it| (it, 0)).into();
        for url in asked.iter().collect::<BTreeSet<_>>() {
            let path = url.splitn(4, '/').nth(3).unwrap_or_default();
            let Some((_, kind)) = path.rsplit_once('.').filter(|_| !path.starts_with("api/")) else { continue };
            let bytes =
                fs::read(paths::root().join("app/dist").join(path)).with_context(|| format!("{url} is asked for"))?;
            *kinds.entry(kind).or_default() += brotli_size(&bytes)?;
        }
        let code = ["css", "js", "wasm"].iter().filter_map(|it| kinds.get(it)).sum::<usize>();
        let mut figures: Vec<Figure> = kinds
            .into_iter()
            .map(|(kind, size)| Figure {
                name: format!("first load, {kind}, brotli"),
                value: size as f64,
                unit: "bytes",
                baseline: None,
            })
            .collect();
        figures.push(Figure {
            name: "first load, wasm + js + css, brotli".to_owned(),
            value: code as f64,
            unit: "bytes",
            baseline: Some(("budget".to_owned(), FIRST_LOAD_BUDGET as f64)),
        });
        Ok(figures)
    }
}
