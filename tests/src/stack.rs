//! Everything that runs when Mailroom runs on this machine: the Worker in workerd behind the poster, the front door for mail
//! that comes in, the sink for mail that goes out, and the minute's tick. `cargo xtask dev` and the tests start the same.
//!
//! All of it listens on 127.0.0.1 and ends with the [`Stack`], also when the program that holds it is killed.

mod config;
mod options;
mod process;
mod secrets;

use std::fs::{self, File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::client::Client;
use crate::front_door::{FrontDoor, FrontDoorOptions, Poster};
use crate::journal::Journal;
use crate::paths;
use crate::sink::{Sink, SinkOptions};
use crate::smtp::TestCa;

pub use options::{Ports, StackOptions, free_local_port};
pub use process::{Supervised, wrangler};
pub use secrets::ensure_dev_vars;

/// A cold start takes four seconds here; a busy two-core machine may take much longer.
const START: Duration = Duration::from_mins(2);

pub struct Stack {
    options: StackOptions,
    http: SocketAddr,
    worker: Option<Supervised>,
    front_door: Option<FrontDoor>,
    sink: Sink,
    /// Ends the tick when dropped.
    _tick: Option<Sender<()>>,
    /// Let go last, when nothing uses the state any more.
    _lock: File,
}

impl Stack {
    /// Migrates the database and starts all parts; returns when `GET /api/health` answers.
    pub fn start(options: StackOptions) -> Result<Self> {
        check_built()?;
        // Both before anything is forgotten: the state may be somebody else's, who is running on it.
        let lock = lock(&options.state)?;
        let ports = options.ports.resolve()?;
        if options.fresh && options.state.exists() {
            fs::remove_dir_all(&options.state).with_context(|| format!("cannot remove {}", options.state.display()))?;
        }
        fs::create_dir_all(&options.state)
            .with_context(|| format!("cannot make the state folder {}", options.state.display()))?;
        let journal = Journal::file(&options.state.join("smtp.log"))?;
        let ca = TestCa::generate()?;
        ca.write_pem(&options.state.join("ca.pem"))?;

        let front_door_address = local(ports.front_door);
        let sink = Sink::start(
            SinkOptions {
                listen: local(ports.sink),
                http: local(ports.sink_http),
                front_door: Some(front_door_address),
                slow: options.sink_slow,
                later: options.sink_later,
                journal: journal.clone(),
            },
            &ca,
        )?;
        let http = local(ports.http);
        let front_door = FrontDoor::start(FrontDoorOptions {
            listen: front_door_address,
            worker: format!("http://{http}"),
            sink: Some(sink.address()),
            journal,
        })?;
        let tick = options.tick.then(|| tick(http)).transpose()?;
        let mut stack =
            Self { options, http, worker: None, front_door: Some(front_door), sink, _tick: tick, _lock: lock };
        stack.migrate()?;
        stack.start_worker()?;
        Ok(stack)
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.http)
    }

    pub fn client(&self) -> Client {
        Client::new(&self.base_url())
    }

    /// Hands mail to the Worker without SMTP.
    pub fn poster(&self) -> Poster {
        Poster::new(&self.base_url())
    }

    pub fn front_door(&self) -> Result<SocketAddr> {
        self.front_door.as_ref().map(FrontDoor::address).context("the front door is closed")
    }

    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    pub fn state(&self) -> &PathBuf {
        &self.options.state
    }

    /// Runs the minute's trigger now, as if it were `time` (milliseconds since 1970; now when absent).
    pub fn cron(&self, time: Option<u64>) -> Result<Value> {
        let time = time.map(|it| format!("&time={it}")).unwrap_or_default();
        let answer = self.client().get(&format!("/cdn-cgi/local/scheduled?cron=*+*+*+*+*&format=json{time}"))?;
        let outcome = answer.ok().with_context(|| self.log_tail(40))?;
        if outcome.get("outcome").and_then(Value::as_str) != Some("ok") {
            bail!("the scheduled handler ended with {outcome}\n{}", self.log_tail(40));
        }
        Ok(outcome)
    }

    /// The first-run form, unless it was filled in before. Returns whether it was due.
    pub fn set_up(&self, form: &Value) -> Result<bool> {
        let client = self.client();
        let due = client.get("/api/v1/setup")?.ok()?.get("needed").and_then(Value::as_bool).unwrap_or(false);
        if due {
            client.post("/api/v1/setup", form)?.ok().with_context(|| self.log_tail(20))?;
            self.confirm_addresses()?;
        }
        Ok(due)
    }

    /// As if everybody had answered the mail to his address: without that nothing goes to customers.
    pub fn confirm_addresses(&self) -> Result<()> {
        self.client().post("/api/dev/confirm", &Value::Null)?.ok().map(drop)
    }

    /// What the Worker printed last.
    pub fn log_tail(&self, lines: usize) -> String {
        let text = fs::read_to_string(self.log_path()).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        let from = all.len().saturating_sub(lines);
        format!("last lines of {}:\n{}", self.log_path().display(), all.get(from..).unwrap_or_default().join("\n"))
    }

    pub fn log_path(&self) -> PathBuf {
        self.options.state.join("worker.log")
    }

    /// Whether workerd and wrangler still run.
    pub fn is_alive(&mut self) -> bool {
        self.worker.as_mut().is_some_and(Supervised::is_alive)
    }

    /// Ends workerd and wrangler at once, with SIGKILL: what a power cut does.
    pub fn kill_hard(&mut self) -> Result<()> {
        match self.worker.take() {
            Some(worker) => worker.kill(),
            None => Ok(()),
        }
    }

    /// Stops the Worker if it runs and starts it again over the same state.
    pub fn restart(&mut self) -> Result<()> {
        self.worker = None;
        self.start_worker()
    }

    /// Applies what is new in `worker/migrations`.
    fn migrate(&self) -> Result<()> {
        migrate(&self.options.state)
    }

    fn start_worker(&mut self) -> Result<()> {
        let mut command = wrangler(&self.options.state);
        command.arg("dev");
        for config in config::write(&self.options)? {
            command.arg("-c").arg(config);
        }
        command
            .arg("--persist-to")
            .arg(self.options.state.join("wrangler"))
            .args(["--ip", "127.0.0.1", "--port", &self.http.port().to_string()])
            .args(["--inspector-port", "0", "--show-interactive-dev-session=false"])
            .env("NODE_EXTRA_CA_CERTS", self.options.state.join("ca.pem"));
        self.worker = Some(Supervised::start(&command, &self.log_path())?);
        let client = Client::new(&self.base_url());
        let end = Instant::now() + START;
        loop {
            if client.get("/api/health").is_ok_and(|it| it.status == 200) {
                return Ok(());
            }
            if !self.is_alive() {
                bail!("the Worker stopped while starting\n{}", self.log_tail(60));
            }
            if Instant::now() > end {
                bail!("GET /api/health did not answer within {} s\n{}", START.as_secs(), self.log_tail(60));
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // Mail first: a peer must not be told 250 by a Worker that is on its way out.
        self.front_door = None;
        self.worker = None;
    }
}

/// Applies the migrations to the database under `state`.
pub fn migrate(state: &Path) -> Result<()> {
    d1(state, None, &["migrations", "apply", "DB"])
}

/// The same with the migrations of another folder, for the database of an earlier version.
pub fn migrate_with(state: &Path, migrations: &Path) -> Result<()> {
    let config = config::with_migrations(&state.join("config/migrations"), migrations)?;
    d1(state, Some(&config), &["migrations", "apply", "DB"])
}

/// Runs the statements of a file on the database under `state`.
pub fn execute(state: &Path, file: &Path) -> Result<()> {
    d1(state, None, &["execute", "DB", "--file", &file.display().to_string()])
}

fn d1(state: &Path, config: Option<&Path>, args: &[&str]) -> Result<()> {
    let mut command = wrangler(state);
    command.arg("d1").args(args).args(["--local", "--persist-to"]).arg(state.join("wrangler"));
    if let Some(config) = config {
        command.arg("-c").arg(config);
    }
    let output = command.output().context("wrangler does not start; run `cargo xtask setup`")?;
    if !output.status.success() {
        bail!(
            "wrangler d1 {} failed:\n{}{}",
            args.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Only one stack at a time may use a state. The lock lies beside the folder, so that it outlives a fresh start, and the
/// system lets it go with the process.
fn lock(state: &Path) -> Result<File> {
    let path = state.with_extension("lock");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "{} is in use by another run; stop that one first, or set MAILROOM_STATE to another folder",
            state.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn check_built() -> Result<()> {
    for (path, what) in [("build/index.js", "the Worker"), ("app/dist/index.html", "the page")] {
        if !paths::root().join(path).exists() {
            bail!("{what} is not built ({path} is missing): run `cargo xtask build --dev`");
        }
    }
    Ok(())
}

/// Calls the minute's trigger at every full minute: nothing else does it locally.
fn tick(http: SocketAddr) -> Result<Sender<()>> {
    let (stop, stopped) = mpsc::channel::<()>();
    let client = Client::new(&format!("http://{http}"));
    thread::Builder::new().name("cron".to_owned()).spawn(move || {
        loop {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let rest = 60_000 - u64::try_from(now.as_millis() % 60_000).unwrap_or(0);
            match stopped.recv_timeout(Duration::from_millis(rest)) {
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    // While the Worker restarts nobody answers; the next minute tries again, as the platform does.
                    let _ = client.get("/cdn-cgi/local/scheduled?cron=*+*+*+*+*");
                }
                _ => return,
            }
        }
    })?;
    Ok(stop)
}
