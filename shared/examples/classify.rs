//! Reads raw messages and prints what they report, one JSON object per message and line.
//!
//! `cargo run -q --release -p mailroom-shared --example classify -- PATH...` — PATH is a file or a folder (its files, sorted).

use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use mailroom_shared::mail::report;
use mailroom_shared::mail::report::Report;
use serde_json::json;

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        eprintln!("usage: classify PATH...");
        return ExitCode::from(2);
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut is_fine = true;
    for path in paths {
        let files = match files_of(&path) {
            Ok(files) => files,
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                is_fine = false;
                continue;
            }
        };
        for file in files {
            let line = match std::fs::read(&file) {
                Ok(raw) => to_json(&file, &report::read(&raw)),
                Err(error) => {
                    eprintln!("{}: {error}", file.display());
                    is_fine = false;
                    continue;
                }
            };
            if writeln!(out, "{line}").is_err() {
                return ExitCode::FAILURE;
            }
        }
    }
    if out.flush().is_ok() && is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files_of(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn to_json(file: &Path, report: &Report) -> serde_json::Value {
    let reports: Vec<_> = report
        .reports
        .iter()
        .map(|it| {
            json!({
                // As we wrote it, when the report tells.
                "recipient": it.original_recipient.as_ref().or(it.recipient.as_ref()),
                "action": it.action,
                "status": it.status,
                "reply_code": it.reply_code,
                "reason": it.reason,
                "permanent": it.permanent,
                "feedback_type": report.feedback_type,
                "diagnostic": it.diagnostic,
            })
        })
        .collect();
    json!({ "file": file.to_string_lossy(), "kind": report.kind, "reports": reports })
}
