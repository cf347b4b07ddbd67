//! wrangler as a child that never outlives us.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::paths;

/// Runs the command, and ends it when our end of the pipe closes, be it by [`Supervised`] or by the end of this process,
/// however that comes. File descriptor 3 is the pipe: a shell gives its background jobs /dev/null as input.
const SUPERVISE: &str = r#"
exec 3<&0 </dev/null
"$@" &
child=$!
( cat <&3 >/dev/null; kill -TERM $child 2>/dev/null; sleep 3; kill -KILL 0 ) >/dev/null 2>&1 &
exec 3<&-
wait $child
"#;

pub struct Supervised {
    child: Child,
}

impl Supervised {
    /// Starts `command` in a process group of its own; its output goes to the end of `log`.
    pub fn start(command: &Command, log: &Path) -> Result<Self> {
        let log_file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(SUPERVISE).arg("supervise").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        let child = shell
            .stdin(Stdio::piped())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .process_group(0)
            .spawn()
            .context("sh does not start")?;
        Ok(Self { child })
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGKILL to all of the group, at once.
    pub fn kill(mut self) -> Result<()> {
        self.signal(Signal::KILL);
        self.child.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Fails when the group is gone already, which is what we want.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if self.is_alive() {
            // The shell ignores nothing, so only its child is asked: closing the pipe does that.
            drop(self.child.stdin.take());
            let end = Instant::now() + Duration::from_secs(4);
            while self.is_alive() && Instant::now() < end {
                thread::sleep(Duration::from_millis(20));
            }
        }
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// wrangler under npm's node, quiet, offline, with everything it writes under `state`.
pub fn wrangler(state: &Path) -> Command {
    let mut command = Command::new(paths::node());
    command
        .arg(paths::wrangler())
        .current_dir(paths::root())
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_SEND_ERROR_REPORTS", "false")
        .env("WRANGLER_HIDE_BANNER", "true")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .env("CI", "1")
        .env("NO_COLOR", "1")
        // Own ones, so that two stacks at the same time do not find each other's Workers.
        .env("WRANGLER_REGISTRY_PATH", state.join("registry"))
        .env("WRANGLER_LOG_PATH", state.join("wrangler-logs"))
        .env("WRANGLER_CACHE_DIR", state.join("wrangler-cache"))
        .env_remove("WRANGLER_LOG")
        .env_remove("CLOUDFLARE_API_TOKEN");
    command
}
