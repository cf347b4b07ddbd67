//! The routing dry run: what Mailroom would do with a mail in a world, and why.
//!
//! `route WORLD.json < message.eml` prints one JSON object. `route --batch DIR` reads every `NAME.json` + `NAME.eml` pair
//! of a folder and prints one line per pair. A broken world is an error on stderr that names the field, and exit 2; a
//! broken mail never is. A world may name another as its `base`: what it does not say itself is taken from there.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

use std::fs;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use mailroom_shared::gateway::answer::Answer;
use mailroom_shared::gateway::why::Why;
use mailroom_shared::gateway::world::World;
use serde_json::Value;

const USAGE: &str = "usage: route WORLD.json < message.eml\n       route --batch DIR";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--batch", dir] => batch(Path::new(dir)),
        [world] if !world.starts_with('-') => single(Path::new(world)),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(code) => code,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::from(2)
        }
    }
}

fn single(path: &Path) -> Result<ExitCode, String> {
    let mut raw = Vec::new();
    std::io::stdin().read_to_end(&mut raw).map_err(|it| format!("stdin: {it}"))?;
    let answer = route(path, &raw)?;
    println!("{}", json(&answer)?);
    Ok(ExitCode::SUCCESS)
}

/// Goes on after a broken pair, so that one does not hide the others.
fn batch(dir: &Path) -> Result<ExitCode, String> {
    let entries = fs::read_dir(dir).map_err(|it| format!("{}: {it}", dir.display()))?;
    let mut worlds: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).filter(|it| is_pair(it)).collect();
    worlds.sort();
    let mut out = std::io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    for path in worlds {
        let mail = path.with_extension("eml");
        let raw = fs::read(&mail).map_err(|it| format!("{}: {it}", mail.display()));
        match raw.and_then(|raw| route(&path, &raw)) {
            Ok(mut answer) => {
                answer.name = path.file_stem().map(|it| it.to_string_lossy().into_owned());
                let line = json(&answer)?;
                writeln!(out, "{line}").map_err(|it| format!("stdout: {it}"))?;
            }
            Err(text) => {
                eprintln!("{text}");
                code = ExitCode::from(2);
            }
        }
    }
    Ok(code)
}

fn is_pair(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "json") && path.with_extension("eml").exists()
}

fn route(path: &Path, raw: &[u8]) -> Result<Answer, String> {
    let named = |text: String| format!("{}: {text}", path.display());
    let value = read(path, 0).map_err(named)?;
    let mut answer = World::read(&value).and_then(|it| it.route(raw)).map_err(|it| named(it.to_string()))?;
    answer.verdict.why.iter_mut().for_each(Why::keep_words);
    Ok(answer)
}

fn read(path: &Path, depth: usize) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|it| it.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|it| it.to_string())?;
    let Some(base) = value.get("base").and_then(Value::as_str).filter(|_| depth < 5) else { return Ok(value) };
    let base = path.parent().unwrap_or(Path::new(".")).join(base);
    let mut merged = read(&base, depth + 1).map_err(|it| format!("base: {it}"))?;
    if let (Some(into), Value::Object(over)) = (merged.as_object_mut(), value) {
        into.extend(over);
    }
    Ok(merged)
}

fn json(answer: &Answer) -> Result<String, String> {
    serde_json::to_string(answer).map_err(|it| it.to_string())
}
