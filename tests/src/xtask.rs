//! The automation behind `cargo xtask`. Each command does its own set-up, so that a fresh clone needs no other.

mod args;
mod bench;
mod build;
mod check;
mod deploy;
mod dev;
mod doctor;
mod openapi;
mod run;
mod screenshots;
mod setup;
mod test;
mod watch;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

use args::Args;

const HELP: &str = "\
cargo xtask COMMAND

  dev [--demo] [--fresh] [--port N] [--no-watch] [--bare] [--release]
                    build, start everything on 127.0.0.1, print the URL and the first login; rebuilds what changes
                    --demo     fill it with a believable company     --fresh  forget the state first
                    --port N   the page's port (8787)                --bare   leave the first-run form to you
  test [--quick]    everything CI runs; --quick leaves out end-to-end and browser tests
  check             format, lints (native and wasm32), documentation
  fmt               format the Rust code
  build [--dev]     Worker to build/, page to app/dist; --dev is quicker to make and slower to run
  bench [NAME...]   one JSON object for each benchmark, with its baseline of the same run
  migrate           apply worker/migrations to the development database
  deploy --dry-run  check what would be deployed, without network and login
  screenshots [--readme] [FOLDER]
                    pictures of the main pages with --demo data, to .mailroom/screenshots;
                    --readme: the few small ones that README.md shows, to tests/screenshots
  doctor DOMAIN     what DNS says about a domain: MX, SPF, DKIM, DMARC, with the records to copy
                    --selector S  look for this DKIM key     --sender HOST|IP  may it send for the domain?
                    --cloudflare  mail leaves by Email Sending     --ip IP [--mail-from A] [--helo H]  only SPF of this sender
                    --resolver URL  DNS over HTTPS to ask     --lang vi     --json
  setup [--tests]   install what is missing; --tests also what only the tests need
  openapi           write worker/openapi.json from the operation types

Tools go to .mailroom/tools, or to the folder in MAILROOM_TOOLS.
";

pub fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let mut args = Args::new(env::args().skip(1));
    let command = args.word().unwrap_or_else(|| "help".to_owned());
    match command.as_str() {
        "dev" => {
            let options = dev::Options {
                demo: args.flag("--demo"),
                fresh: args.flag("--fresh"),
                port: args.number("--port")?,
                watch: !args.flag("--no-watch"),
                bare: args.flag("--bare"),
                release: args.flag("--release"),
            };
            args.finish()?;
            dev::run(&options)
        }
        "test" => {
            let quick = args.flag("--quick");
            args.finish()?;
            test::run(quick)
        }
        "check" => args.finish().and_then(|()| check::run()),
        "fmt" => args.finish().and_then(|()| check::format()),
        "build" => {
            let dev = args.flag("--dev");
            let _release_is_the_default = args.flag("--release");
            args.finish()?;
            setup::build_tools()?;
            build::all(if dev { build::Mode::Dev } else { build::Mode::Release })
        }
        "bench" => bench::run(&args.rest()),
        "migrate" => args.finish().and_then(|()| deploy::migrate()),
        "deploy" => {
            let dry = args.flag("--dry-run");
            args.finish()?;
            if !dry {
                bail!(
                    "deploying is `wrangler deploy` after `cargo xtask build`, see README.md; this command knows --dry-run"
                );
            }
            deploy::dry_run()
        }
        "setup" => {
            let tests = args.flag("--tests");
            args.finish()?;
            setup::build_tools()?;
            if tests { setup::test_tools() } else { Ok(()) }
        }
        "screenshots" => {
            let readme = args.flag("--readme");
            let folder = args.word();
            args.finish()?;
            screenshots::run(readme, folder.as_deref())
        }
        "doctor" => doctor::Options::read(args).and_then(|it| doctor::doctor(&it)),
        "openapi" => args.finish().and_then(|()| openapi::write()),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("no command {other}\n\n{HELP}"),
    }
}
