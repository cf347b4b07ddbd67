//! Scores the reader over the labelled corpora beside the checkout (`../shared/corpora`), when they are there: the figures are
//! printed and must not fall below the targets. What the columns of `expected.tsv` mean is told by the corpora's README.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use mailroom_shared::mail::report;
use mailroom_shared::mail::report::Kind;
use mailroom_shared::mail::report::Recipient;
use mailroom_shared::mail::report::Report;
use mailroom_shared::outbox::failure;
use mailroom_shared::outbox::failure::Reason;

/// Name and lowest share that holds, of 1 000.
const TARGETS: [(&str, u32); 5] =
    [("recognised", 990), ("recipient", 980), ("status", 990), ("reason", 970), ("permanent", 980)];
const MAX_FALSE_ALARMS: u32 = 1;

#[derive(Default)]
struct Score {
    good: BTreeMap<&'static str, u32>,
    all: BTreeMap<&'static str, u32>,
    false_alarms: u32,
    wrong: Vec<String>,
}

impl Score {
    fn mark(&mut self, name: &'static str, is_good: bool, what: impl FnOnce() -> String) {
        *self.all.entry(name).or_default() += 1;
        *self.good.entry(name).or_default() += u32::from(is_good);
        if !is_good {
            self.wrong.push(format!("{name}: {}", what()));
        }
    }

    fn line(&self, name: &str) -> String {
        let share = |it: &str| match (self.good.get(it), self.all.get(it)) {
            (Some(good), Some(all)) => format!("{it} {good}/{all}"),
            _ => format!("{it} -"),
        };
        let figures: Vec<_> = TARGETS.iter().map(|(it, _)| share(it)).collect();
        format!("{name}: {}, false alarms {}", figures.join(", "), self.false_alarms)
    }
}

/// One row of `expected.tsv`.
struct Row(Vec<String>);

impl Row {
    /// 2 recipient, 3 status, 5 reason, 6 hard, 7 kind.
    fn get(&self, column: usize) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    fn allows(&self, column: usize, got: &str) -> bool {
        self.get(column).split('|').any(|it| it.eq_ignore_ascii_case(got) || it == "-" && got.is_empty())
    }
}

fn corpora() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    Some(path).filter(|it| it.join("bounces/expected.tsv").is_file())
}

fn rows(folder: &Path) -> BTreeMap<String, Vec<Row>> {
    let mut res: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for line in std::fs::read_to_string(folder.join("expected.tsv")).unwrap().lines().skip(1) {
        let row = Row(line.split('\t').map(str::to_owned).collect());
        res.entry(row.get(0).to_owned()).or_default().push(row);
    }
    res
}

/// Two names of one reason are one.
fn reason(name: &str) -> &str {
    match name {
        "speeding" | "toomanyconn" => "ratelimited",
        "mesgtoobig" | "exceedlimit" => "emailtoolarge",
        other => other,
    }
}

fn score_file(file: &str, rows: &[Row], got: &Report, score: &mut Score) {
    let Some(first) = rows.first() else { return };
    let kinds = first.get(7);
    if kinds.split('|').any(|it| it == "message") {
        if got.kind != Kind::Message && !first.allows(7, got.kind.as_str()) {
            score.false_alarms += 1;
            score.wrong.push(format!("false alarm: {file}"));
        }
        return;
    }
    score.mark("recognised", got.kind != Kind::Message, || file.to_owned());
    let mut left: Vec<&Recipient> = got.reports.iter().collect();
    for row in rows {
        let named = |it: &Recipient| it.original_recipient.clone().or_else(|| it.recipient.clone()).unwrap_or_default();
        let at = left.iter().position(|it| row.allows(2, &named(it)));
        let found = at.or(if left.is_empty() { None } else { Some(0) }).map(|it| left.remove(it));
        let what = |column: usize| format!("{file}, {}", row.get(column));
        if !row.get(2).is_empty() {
            score.mark("recipient", at.is_some(), || what(2));
        }
        let status = row.get(3);
        let is_placeholder = status.starts_with("4.0.9") || status.starts_with("5.0.9");
        if !status.is_empty() && !is_placeholder {
            let is_good = found.is_some_and(|it| row.allows(3, it.status.as_deref().unwrap_or_default()));
            score.mark("status", is_good, || what(3));
        }
        if !row.get(5).is_empty() {
            let is_good =
                found.is_some_and(|it| row.get(5).split('|').any(|name| reason(name) == reason(it.reason.as_str())));
            score.mark("reason", is_good, || what(5));
        }
        match row.get(6) {
            "" => {}
            "hard" | "soft" => {
                let is_good = found.is_some_and(|it| it.permanent == (row.get(6) == "hard"));
                score.mark("permanent", is_good, || what(6));
            }
            state => {
                let action = if state == "permanent" { "failed" } else { "delayed" };
                score.mark("permanent", found.is_some_and(|it| it.action.as_deref() == Some(action)), || what(6));
            }
        }
    }
}

#[test]
fn targets_hold_on_labelled_mail() {
    // Not captured: the figures are part of every run's output.
    let mut out = std::io::stderr().lock();
    let Some(folder) = corpora() else {
        writeln!(out, "no corpora beside the checkout").unwrap();
        return;
    };
    let mut pooled = Score::default();
    for set in ["bounces", "bounces-flufl", "not-bounces"] {
        let mut score = Score::default();
        for (file, rows) in rows(&folder.join(set)) {
            let got = report::read(&std::fs::read(folder.join(set).join(&file)).unwrap());
            score_file(&file, &rows, &got, &mut score);
            score_file(&file, &rows, &got, &mut pooled);
        }
        writeln!(out, "{}", score.line(set)).unwrap();
    }
    writeln!(out, "{}", pooled.line("pooled")).unwrap();
    for file in std::fs::read_dir(folder.join("mime")).unwrap() {
        report::read(&std::fs::read(file.unwrap().path()).unwrap());
    }
    for (name, target) in TARGETS {
        let (good, all) = (pooled.good.get(name).unwrap(), pooled.all.get(name).unwrap());
        assert!(good * 1_000 >= all * target, "{name} {good}/{all}: {:#?}", pooled.wrong);
    }
    assert!(pooled.false_alarms <= MAX_FALSE_ALARMS, "{:#?}", pooled.wrong);
}

/// Replies of providers, without a report around them.
fn replies(folder: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    for file in files {
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let list =
            |it: &serde_json::Value, name: &str| it.get(name).and_then(|it| it.as_array()).cloned().unwrap_or_default();
        let responses = list(&json, "providers").into_iter().flat_map(|it| list(&it, "responses"));
        out.extend(responses.filter_map(|it| it.get("response")?.as_str().map(str::to_owned)));
    }
    out
}

/// Of what providers answer, hardly anything is left without a reason.
#[test]
fn replies_of_providers_have_a_reason() {
    let Some(folder) = corpora() else { return };
    let all = replies(&folder.join("smtp-replies/smtp-field-manual/codes"));
    let reason = |it: &String| failure::classify(None, None, it).reason;
    let silent: Vec<&String> =
        all.iter().filter(|it| matches!(reason(it), Reason::Undefined | Reason::OnHold)).collect();
    let mut out = std::io::stderr().lock();
    writeln!(out, "replies: explained {}/{}", all.len() - silent.len(), all.len()).unwrap();
    assert!(all.len() > 100 && silent.len() * 100 <= all.len() * 6, "{silent:#?}");
}
