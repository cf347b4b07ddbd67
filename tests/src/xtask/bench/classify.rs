//! Reading delivery reports, against Sisimai over the same files.

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::Figure;
use crate::paths;
use crate::xtask::run::{cargo, shown};

/// How often our program goes over the files: one pass is too short to measure.
const PASSES: usize = 40;
const SISIMAI_PASSES: usize = 3;

/// Reads each file as often as asked and prints the seconds; loading the modules is not counted. Version 5 renamed the call.
const SISIMAI: &str = r"
my ($passes, @files) = @ARGV;
my $read = Sisimai->can('rise') ? 'rise' : 'make';
Sisimai->$read($files[0], 'delivered' => 1);
my $start = Time::HiRes::time();
for (1 .. $passes) { Sisimai->$read($_, 'delivered' => 1) for @files }
print Time::HiRes::time() - $start;
";

pub(super) fn run() -> Result<Vec<Figure>> {
    let folder = paths::root().join("../shared/corpora/bounces");
    if !folder.is_dir() {
        eprintln!("skipped: no reports in {}", folder.display());
        return Ok(Vec::new());
    }
    let files: Vec<_> = fs::read_dir(&folder)?
        .filter_map(|it| it.ok().map(|it| it.path()))
        .filter(|it| it.extension().is_some_and(|it| it == "eml"))
        .collect();
    shown(cargo().args(["build", "--quiet", "--release", "--package", "mailroom-shared", "--example", "classify"]))?;
    let start = Instant::now();
    let output = Command::new(paths::target().join("release/examples/classify"))
        .args((0..PASSES).flat_map(|_| &files))
        .output()
        .context("classify does not start")?;
    let took = start.elapsed().as_secs_f64();
    let read = String::from_utf8_lossy(&output.stdout).lines().count();
    if read != files.len() * PASSES {
        bail!("classify answered {read} lines for {} messages", files.len() * PASSES);
    }
    let output = Command::new("perl")
        .args(["-MSisimai", "-MTime::HiRes", "-e", SISIMAI, &SISIMAI_PASSES.to_string()])
        .args(&files)
        .output();
    let sisimai = match output {
        Ok(it) if it.status.success() => String::from_utf8_lossy(&it.stdout).trim().parse::<f64>().ok(),
        _ => None,
    };
    if sisimai.is_none() {
        eprintln!("no baseline: Sisimai does not run here (Debian package libsisimai-perl)");
    }
    Ok(vec![Figure {
        name: "classify".to_owned(),
        value: read as f64 / took,
        unit: "messages/s",
        baseline: sisimai.map(|it| ("Sisimai".to_owned(), (files.len() * SISIMAI_PASSES) as f64 / it)),
    }])
}
