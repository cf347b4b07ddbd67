//! Findings in words. Texts of its own (`locales/doctor.*.json`): the page gets the words, in its reader's language.

use super::Finding;
use super::Report;
use crate::api::doctor::DomainReport;
use crate::api::doctor::FindingView;
use crate::api::doctor::InstallationCheck;
use crate::api::doctor::Severity;
use crate::i18n::Catalogue;
use crate::i18n::Lang;
use crate::time::Timestamp;

/// The texts of one language.
pub struct Words {
    texts: Catalogue,
    /// Names that the page has too.
    common: Catalogue,
}

const fn source(lang: Lang) -> &'static str {
    match lang {
        Lang::En => include_str!("../../locales/doctor.en.json"),
        Lang::Vi => include_str!("../../locales/doctor.vi.json"),
    }
}

impl Words {
    pub fn new(lang: Lang) -> Self {
        Self { texts: Catalogue::read(lang, source(lang)), common: Catalogue::load(lang) }
    }

    pub fn severity(&self, it: Severity) -> String {
        self.texts.text(&format!("severity.{}", it.as_str()), &[])
    }

    /// What people call a scheduled action.
    pub fn action(&self, name: &str) -> String {
        self.common.text(&format!("actions.name.{name}"), &[])
    }

    fn both(&self, code: &str, args: &[(&str, &str)]) -> (String, String) {
        (self.texts.text(&format!("{code}.what"), args), self.texts.text(&format!("{code}.why"), args))
    }

    pub fn finding(&self, it: &Finding) -> FindingView {
        let args: Vec<(&str, &str)> = it.args.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (what, why) = self.both(&it.code, &args);
        FindingView {
            topic: it.topic,
            severity: it.severity,
            code: it.code.clone(),
            what,
            why,
            seen: it.seen.clone(),
            records: it.records.clone(),
        }
    }

    /// The worst first within a topic.
    pub fn report(&self, it: &Report, checked: Timestamp, changed: Option<Timestamp>) -> DomainReport {
        let mut findings: Vec<FindingView> = it.findings.iter().map(|it| self.finding(it)).collect();
        findings.sort_by_key(|it| (it.topic, std::cmp::Reverse(it.severity)));
        DomainReport {
            domain: it.domain.clone(),
            checked,
            changed,
            worst: it.worst(),
            findings,
            spf_lookups: it.spf_lookups,
            spf_tree: it.spf_tree.clone(),
        }
    }

    /// A line about the installation.
    pub fn installation(&self, code: &str, severity: Severity, args: &[(&str, &str)]) -> InstallationCheck {
        let (what, why) = self.both(&format!("in_{code}"), args);
        InstallationCheck { code: code.to_owned(), severity, what, why }
    }

    #[cfg(test)]
    pub(super) fn has(&self, code: &str) -> bool {
        self.texts.has(&format!("{code}.what")) && self.texts.has(&format!("{code}.why"))
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> std::collections::BTreeSet<String> {
        self.texts.keys().map(str::to_owned).collect()
    }
}
