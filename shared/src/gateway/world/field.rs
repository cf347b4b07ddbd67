//! JSON values that know their way, so that an error can name the field.

use serde_json::Map;
use serde_json::Value;

use super::InvalidWorld;
use super::Result;
use crate::address::EmailAddress;
use crate::mail::parse;
use crate::time::Timestamp;

/// A value with the way to it.
pub(super) struct Field<'a> {
    pub(super) path: String,
    pub(super) value: &'a Value,
}

impl<'a> Field<'a> {
    pub(super) fn error(&self, problem: impl Into<String>) -> InvalidWorld {
        let field = if self.path.is_empty() { "(the file)".to_owned() } else { self.path.clone() };
        InvalidWorld { field, problem: problem.into() }
    }

    pub(super) fn error_at(&self, name: &str, problem: &str) -> InvalidWorld {
        InvalidWorld { field: self.join(name), problem: problem.to_owned() }
    }

    pub(super) fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>> {
        self.value.as_object().ok_or_else(|| self.error("must be an object"))
    }

    /// A member that is there and not `null`.
    pub(super) fn get(&self, name: &str) -> Option<Field<'a>> {
        let value = self.value.get(name).filter(|it| !it.is_null())?;
        Some(Field { path: self.join(name), value })
    }

    pub(super) fn need(&self, name: &str) -> Result<Field<'a>> {
        self.object()?;
        self.get(name).ok_or_else(|| self.error_at(name, "is missing"))
    }

    pub(super) fn list(&self, name: &str) -> Result<Vec<Field<'a>>> {
        let Some(field) = self.get(name) else { return Ok(Vec::new()) };
        let items = field.value.as_array().ok_or_else(|| field.error("must be a list"))?;
        let path = |i| format!("{}[{i}]", field.path);
        Ok(items.iter().enumerate().map(|(i, value)| Field { path: path(i), value }).collect())
    }

    pub(super) fn text(&self) -> Result<String> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.error("must be a text"))
    }

    pub(super) fn text_at(&self, name: &str) -> Result<Option<String>> {
        self.get(name).map(|it| it.text()).transpose()
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        let Some(field) = self.get(name) else { return Ok(default) };
        field.value.as_bool().ok_or_else(|| field.error("must be true or false"))
    }

    /// Anything that is parsed from a text.
    pub(super) fn parsed<T, E: core::fmt::Display>(
        &self,
        read: impl Fn(String) -> core::result::Result<T, E>,
    ) -> Result<T> {
        let text = self.text()?;
        read(text.clone()).map_err(|it| self.error(format!("{text:?}: {it}")))
    }

    /// An address, with or without angle brackets and a name.
    pub(super) fn address(&self) -> Result<EmailAddress> {
        self.parsed(|it| {
            let found = parse::parse_mailboxes(&it).into_iter().next().map(|it| it.address);
            EmailAddress::parse(it.trim()).or_else(|e| found.ok_or(e))
        })
    }

    /// All addresses of a list of texts; what is none is left out, as a contact may hold anything.
    pub(super) fn addresses(&self, name: &str) -> Result<Vec<EmailAddress>> {
        let mut out: Vec<EmailAddress> = Vec::new();
        for item in self.list(name)? {
            let text = item.text()?;
            let found = parse::parse_mailboxes(&text).into_iter().map(|it| it.address);
            let found: Vec<_> = EmailAddress::parse(text.trim()).map_or_else(|_| found.collect(), |it| vec![it]);
            out.extend(found.into_iter().filter(|it| !out.contains(it)).collect::<Vec<_>>());
        }
        Ok(out)
    }

    pub(super) fn word<T>(&self, read: impl Fn(&str) -> Option<T>) -> Result<T> {
        self.parsed(|it| read(&it).ok_or("is not one of the known words"))
    }

    pub(super) fn time(&self) -> Result<Timestamp> {
        self.parsed(|it| Timestamp::parse_rfc3339(&it).ok_or("is no time like 2026-11-24T10:00:00Z"))
    }
}
