//! Command line words. Small enough that a parser crate would cost more to compile than it saves.

use std::collections::VecDeque;

use anyhow::{Context, Result, bail};

pub(super) struct Args {
    words: VecDeque<String>,
}

impl Args {
    pub(super) fn new(words: impl Iterator<Item = String>) -> Self {
        Self { words: words.collect() }
    }

    /// The next word that is no option.
    pub(super) fn word(&mut self) -> Option<String> {
        let at = self.words.iter().position(|it| !it.starts_with("--") || it == "--help")?;
        self.words.remove(at)
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        let at = self.words.iter().position(|it| it == name);
        at.is_some_and(|at| self.words.remove(at).is_some())
    }

    /// `--port 8787` or `--port=8787`.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<u16>> {
        let prefix = format!("{name}=");
        if let Some(at) = self.words.iter().position(|it| it.starts_with(&prefix)) {
            let word = self.words.remove(at).unwrap_or_default();
            let value = word.strip_prefix(&prefix).unwrap_or_default();
            return value.parse().map(Some).with_context(|| format!("{name} needs a number, not {value}"));
        }
        let Some(at) = self.words.iter().position(|it| it == name) else { return Ok(None) };
        self.words.remove(at);
        let value = self.words.remove(at).with_context(|| format!("{name} needs a number"))?;
        value.parse().map(Some).with_context(|| format!("{name} needs a number, not {value}"))
    }

    /// `--name value` or `--name=value`.
    pub(super) fn value(&mut self, name: &str) -> Result<Option<String>> {
        let prefix = format!("{name}=");
        if let Some(at) = self.words.iter().position(|it| it.starts_with(&prefix)) {
            let word = self.words.remove(at).unwrap_or_default();
            return Ok(word.strip_prefix(&prefix).map(str::to_owned));
        }
        let Some(at) = self.words.iter().position(|it| it == name) else { return Ok(None) };
        self.words.remove(at);
        self.words.remove(at).map(Some).with_context(|| format!("{name} needs a value"))
    }

    pub(super) fn rest(self) -> Vec<String> {
        self.words.into()
    }

    pub(super) fn finish(self) -> Result<()> {
        if !self.words.is_empty() {
            let words: Vec<String> = self.words.into();
            bail!("not understood: {} (see `cargo xtask help`)", words.join(" "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_may_stand_anywhere() {
        let mut it = args("--demo dev --port 9000 --fresh");
        assert_eq!(it.word().as_deref(), Some("dev"));
        assert!(it.flag("--fresh") && it.flag("--demo") && !it.flag("--bare"));
        assert_eq!(it.number("--port").unwrap(), Some(9000));
        assert!(it.finish().is_ok());
    }

    #[test]
    fn what_is_left_over_is_an_error() {
        assert!(args("--frsh").finish().is_err());
        assert!(args("--port").number("--port").is_err());
        assert!(args("--port=x").number("--port").is_err());
        assert_eq!(args("--port=7").number("--port").unwrap(), Some(7));
    }
}
