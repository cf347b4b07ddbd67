//! What a stack is started with.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::paths;

/// Zero takes a free port.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    pub http: u16,
    pub front_door: u16,
    pub sink: u16,
    pub sink_http: u16,
}

impl Ports {
    /// What `cargo xtask dev` listens on, so that scripts and bookmarks can rely on it.
    pub const DEV: Self = Self { http: 8787, front_door: 2525, sink: 2526, sink_http: 2527 };

    /// Real numbers for the zeros. Held at the same time, so that none is given twice.
    pub(super) fn resolve(self) -> Result<Self> {
        let mut held = Vec::new();
        let mut take = |port: u16| -> Result<u16> {
            if port == 0 {
                return free_port(&mut held);
            }
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            match TcpListener::bind(address) {
                Ok(listener) => {
                    let port = listener.local_addr()?.port();
                    held.push(listener);
                    Ok(port)
                }
                Err(error) => {
                    bail!("port {port} is taken ({error}); stop what listens there (`ss -ltnp`) or use --port")
                }
            }
        };
        Ok(Self {
            http: take(self.http)?,
            front_door: take(self.front_door)?,
            sink: take(self.sink)?,
            sink_http: take(self.sink_http)?,
        })
    }
}

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A free port on 127.0.0.1 for a server that cannot take port 0.
pub fn free_local_port() -> Result<u16> {
    free_port(&mut Vec::new())
}

/// A free port below the range that the system hands out by itself: between our look and its use nobody is given it.
fn free_port(held: &mut Vec<TcpListener>) -> Result<u16> {
    for _ in 0..200 {
        let mut random = [0; 2];
        getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        let port = 20_000 + u16::from_le_bytes(random) % 12_000;
        // Tests of one program start their stacks at the same time: what one was given is no other's.
        if !GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            continue;
        }
        if let Ok(listener) = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))) {
            held.push(listener);
            return Ok(port);
        }
    }
    bail!("no free port between 20000 and 32000 on 127.0.0.1")
}

#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Database, objects and logs; survives a restart.
    pub state: PathBuf,
    /// Forgets what earlier runs left there.
    pub fresh: bool,
    pub ports: Ports,
    /// File with variables and secrets; without it the stack makes its own.
    pub vars_from: Option<PathBuf>,
    /// More variables, over those of the file.
    pub vars: Vec<(String, String)>,
    /// Also starts the Worker that does nothing, for benchmarks.
    pub null_worker: bool,
    /// Calls the cron trigger every minute.
    pub tick: bool,
    pub sink_slow: Duration,
    pub sink_later: Duration,
}

impl StackOptions {
    pub fn dev() -> Self {
        Self {
            state: paths::dev_state(),
            fresh: false,
            ports: Ports::DEV,
            vars_from: Some(paths::root().join(".dev.vars")),
            vars: Vec::new(),
            null_worker: false,
            tick: true,
            sink_slow: Duration::from_secs(5),
            sink_later: Duration::from_secs(2),
        }
    }

    /// Own ports and an own, empty state for each name. The cron trigger only runs when a test calls [`super::Stack::cron`].
    pub fn test(name: &str) -> Self {
        Self {
            state: paths::test_output().join("state").join(name),
            fresh: true,
            ports: Ports::default(),
            vars_from: None,
            vars: Vec::new(),
            null_worker: false,
            tick: false,
            sink_slow: Duration::from_secs(2),
            sink_later: Duration::from_millis(200),
        }
    }
}
