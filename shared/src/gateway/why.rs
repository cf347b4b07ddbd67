//! The reasons of a decision, told in words. A reason is a key with its arguments; its texts (`locales/why.*.json`) stay
//! on the server, and the page gets the words in its reader's language.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::Serialize;

use crate::i18n::Catalogue;
use crate::i18n::Lang;

/// One rule that led to the verdict, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    pub rule: String,
    /// In English: for logs and the dry run.
    pub text: String,
    /// Of the texts; empty in what was written down before there were keys.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

/// How the journals keep it: earlier rows have `rule: text` alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Kept {
    Why(Why),
    Line(String),
}

const fn source(lang: Lang) -> &'static str {
    match lang {
        Lang::En => include_str!("../../locales/why.en.json"),
        Lang::Vi => include_str!("../../locales/why.vi.json"),
    }
}

/// Read once: every decision tells its reasons.
fn texts(lang: Lang) -> &'static Catalogue {
    static EN: OnceLock<Catalogue> = OnceLock::new();
    static VI: OnceLock<Catalogue> = OnceLock::new();
    let cell = match lang {
        Lang::En => &EN,
        Lang::Vi => &VI,
    };
    cell.get_or_init(|| Catalogue::read(lang, source(lang)))
}

impl Why {
    pub fn new(rule: &str, key: &str, args: &[(&str, &str)]) -> Self {
        Self {
            rule: rule.to_owned(),
            text: texts(Lang::En).text(key, args),
            key: key.to_owned(),
            args: args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    /// Forgets all but rule and text: what the dry run answers.
    pub fn keep_words(&mut self) {
        self.key.clear();
        self.args.clear();
    }

    /// Calls a record by the number people know it by.
    #[must_use]
    pub fn naming(mut self, record: Option<&str>, number: Option<&str>) -> Self {
        if let (Some(record), Some(number), Some(named)) = (record, number, self.args.get_mut("record"))
            && named == record
        {
            number.clone_into(named);
        }
        self
    }

    /// In the words of a language; as it was written down when there are none.
    pub fn say(&self, lang: Lang) -> String {
        let texts = texts(lang);
        if !texts.has(&self.key) {
            return self.text.clone();
        }
        let args: Vec<(&str, &str)> = self.args.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        texts.text(&self.key, &args)
    }
}

/// Reads what [`serde_json`] wrote of a list of reasons, or the lines of earlier rows.
pub fn read_kept(json: &str) -> Vec<Why> {
    let all: Vec<Kept> = serde_json::from_str(json).unwrap_or_default();
    let line = |text: &str| {
        let (rule, text) = text.split_once(": ").unwrap_or(("", text));
        Why { rule: rule.to_owned(), text: text.to_owned(), key: String::new(), args: BTreeMap::new() }
    };
    all.into_iter()
        .map(|it| match it {
            Kept::Why(it) => it,
            Kept::Line(text) => line(&text),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_reason_has_words_in_every_language() {
        let keys = |lang| texts(lang).keys().map(str::to_owned).collect::<BTreeSet<_>>();
        let english = keys(Lang::En);
        assert!(english.len() > 50, "the texts can be read");
        for lang in Lang::ALL {
            assert_eq!(keys(lang), english, "{lang:?}");
            for key in &english {
                let names = |lang| {
                    let text = texts(lang).text(key, &[]);
                    text.split('{')
                        .skip(1)
                        .filter_map(|it| Some(it.split_once('}')?.0.to_owned()))
                        .collect::<BTreeSet<_>>()
                };
                assert_eq!(names(lang), names(Lang::En), "{lang:?} {key}");
            }
        }
    }

    #[test]
    fn every_reason_of_every_scenario_is_told_in_both_languages_without_gaps() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gateway");
        let mut told = BTreeSet::new();
        for path in fs::read_dir(dir).unwrap().map(|it| it.unwrap().path()) {
            if path.extension().is_none_or(|it| it != "eml") {
                continue;
            }
            let world = crate::gateway::scenarios::world(&path.with_extension("json"));
            for it in world.route(&fs::read(&path).unwrap()).unwrap().verdict.why {
                assert_eq!(it.say(Lang::En), it.text);
                for lang in Lang::ALL {
                    let words = it.say(lang);
                    assert!(!words.contains(['{', '}']) && words != it.key, "{}: {words}", path.display());
                }
                assert_ne!(it.say(Lang::Vi), it.text, "{}", it.key);
                told.insert(it.key);
            }
        }
        // What no world file can say.
        let elsewhere = ["loop.header", "size", "report.complaint", "mark.complained", "report.receipt", "unsubscribe"];
        let is_elsewhere = |key: &str| elsewhere.contains(&key) || key.ends_with(".unwritten");
        let silent: Vec<_> = texts(Lang::En).keys().filter(|it| !told.contains(*it) && !is_elsewhere(it)).collect();
        assert!(silent.is_empty(), "no scenario gives these reasons: {silent:?}");
    }

    #[test]
    fn earlier_rows_are_read_as_they_stand() {
        let old = read_kept(r#"["alias: sales@corp.test creates a lead", "odd"]"#);
        assert_eq!((old[0].rule.as_str(), old[0].say(Lang::Vi).as_str()), ("alias", "sales@corp.test creates a lead"));
        assert_eq!((old[1].rule.as_str(), old[1].text.as_str()), ("", "odd"));
        let told = Why::new("alias", "alias.record", &[("address", "a@corp.test"), ("record", "r1")]);
        assert_eq!(told.clone().naming(Some("r1"), Some("T00001")).say(Lang::En), "a@corp.test belongs to T00001");
        assert_eq!(told.naming(Some("r2"), Some("T00002")).say(Lang::En), "a@corp.test belongs to r1");
        let new = vec![Why::new("paused", "paused", &[])];
        assert_eq!(read_kept(&serde_json::to_string(&new).unwrap()), new);
        assert!(read_kept("nonsense").is_empty());
    }
}
