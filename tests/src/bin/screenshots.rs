//! Pictures of the main pages, filled with the demonstration company: `cargo xtask screenshots [--readme] [FOLDER]` runs
//! this program, which needs the browser.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use mailroom_tests::screenshots;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match run(&mut args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &mut dyn Iterator<Item = String>) -> Result<()> {
    let mut readme = false;
    let mut folder = None;
    for arg in args {
        if arg == "--readme" {
            readme = true;
        } else {
            folder = Some(PathBuf::from(arg));
        }
    }
    screenshots::take(folder, readme)
}
