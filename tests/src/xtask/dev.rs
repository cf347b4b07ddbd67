//! Everything on this machine, from a fresh clone to a page somebody can log in to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::build::{self, Mode};
use super::run::step;
use super::{setup, watch};
use crate::stack::{Ports, Stack, StackOptions, ensure_dev_vars};
use crate::{demo, paths};

/// The first administrator of development. The password is no secret: nothing here listens beyond 127.0.0.1.
const EMAIL: &str = "admin@haldenmoss.example";
const PASSWORD: &str = "mailroom-dev";
const DOMAIN: &str = "haldenmoss.example";

pub(super) struct Options {
    pub(super) demo: bool,
    pub(super) fresh: bool,
    pub(super) port: Option<u16>,
    pub(super) watch: bool,
    pub(super) bare: bool,
    pub(super) release: bool,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    ctrlc::set_handler({
        let stop = Arc::clone(&stop);
        move || stop.store(true, Ordering::SeqCst)
    })?;
    setup::build_tools()?;
    let mode = match (options.release, options.watch) {
        (true, _) => Mode::Release,
        (false, true) => Mode::Watched,
        (false, false) => Mode::Dev,
    };
    build::all(mode)?;
    if ensure_dev_vars(&paths::root().join(".dev.vars"))? {
        println!("  made .dev.vars with fresh secrets for local runs");
    }
    let mut stack = step("start", || {
        let mut start = StackOptions::dev();
        start.fresh = options.fresh;
        start.ports = Ports { http: options.port.unwrap_or(Ports::DEV.http), ..Ports::DEV };
        Stack::start(start)
    })?;
    if !options.bare {
        let due = stack.set_up(&first_run())?;
        if options.demo && due {
            step("fill with the demonstration company", || demo::fill(&stack, DOMAIN, EMAIL, PASSWORD))?;
        } else if options.demo {
            println!("  the state has a company already; --fresh --demo starts over");
        }
    }
    announce(&stack, options)?;

    let watching = (options.watch && !options.release).then(|| {
        let stop = Arc::clone(&stop);
        thread::spawn(move || watch::run(&stop))
    });
    while !stop.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(200));
        if !stack.is_alive() {
            eprintln!("the Worker ended by itself and is started again\n{}", stack.log_tail(30));
            stack.restart()?;
        }
    }
    println!("\nstopping");
    drop(stack);
    if let Some(watching) = watching {
        let _ = watching.join();
    }
    Ok(())
}

fn first_run() -> serde_json::Value {
    json!({
        "company": "Haldenmoss",
        "name": "Mai Lindqvist",
        "email": EMAIL,
        "password": PASSWORD,
        "domain": DOMAIN,
        "language": "en",
        "smtp": { "host": "127.0.0.1", "port": Ports::DEV.sink },
    })
}

fn announce(stack: &Stack, options: &Options) -> Result<()> {
    let login = if options.bare {
        "open the page and fill in the first-run form".to_owned()
    } else {
        format!("{EMAIL} / {PASSWORD}")
    };
    println!(
        "\n  Mailroom   {url}\n  Login      {login}\n  Mail in    smtp://{door}   swaks --server {door} --from ok.you@sink.test --to sales@{DOMAIN}\n  \
         Mail out   smtp://{sink}   read it at http://{view}/messages\n  Logs       {log}\n  Stop       Ctrl-C\n",
        url = stack.base_url(),
        door = stack.front_door()?,
        sink = stack.sink().address(),
        view = stack.sink().http_address(),
        log = stack.log_path().display(),
    );
    Ok(())
}
