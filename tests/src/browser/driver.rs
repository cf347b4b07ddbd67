//! chromedriver as a child, one for each browser, so that tests share nothing.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::Agent;

use crate::paths;
use crate::report::unique;
use crate::stack::Supervised;

pub(super) const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";

pub(super) struct Driver {
    /// Ends chromedriver and the browser with it.
    _process: Supervised,
    agent: Agent,
    port: u16,
    folder: PathBuf,
}

impl Driver {
    pub(super) fn start() -> Result<Self> {
        for program in [CHROMIUM, CHROMEDRIVER] {
            if !Path::new(program).exists() {
                bail!(
                    "{program} is missing; `cargo xtask setup --tests` installs it (Debian: chromium, chromium-driver)"
                );
            }
        }
        let folder = paths::test_output().join("browser").join(unique());
        fs::create_dir_all(folder.join("profile"))?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new(CHROMEDRIVER);
        command.arg(format!("--port={port}")).arg("--log-level=WARNING");
        let process = Supervised::start(&command, &folder.join("chromedriver.log"))?;
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_mins(2)));
        let driver = Self { _process: process, agent: config.build().new_agent(), port, folder };
        let end = Instant::now() + Duration::from_secs(30);
        while driver.agent.get(format!("{}/status", driver.url())).call().is_err() {
            if Instant::now() > end {
                bail!("chromedriver does not answer\n{}", driver.log());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(driver)
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn profile(&self) -> PathBuf {
        self.folder.join("profile")
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("chromedriver.log")).unwrap_or_default()
    }

    /// A vendor command; the `value` of the answer.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut answer = self
            .agent
            .post(format!("{}{path}", self.url()))
            .content_type("application/json")
            .send(body.to_string())
            .context("chromedriver is gone")?;
        let text = answer.body_mut().with_config().limit(64 * 1024 * 1024).read_to_string()?;
        let value: Value = serde_json::from_str(&text)?;
        let value = value.get("value").cloned().unwrap_or(Value::Null);
        if let Some(error) = value.get("error").and_then(Value::as_str) {
            bail!("{path}: {error}: {}", value.get("message").and_then(Value::as_str).unwrap_or_default());
        }
        Ok(value)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The log stays for whoever looks into a failure; a profile is large and says nothing.
        let _ = fs::remove_dir_all(self.profile());
    }
}
