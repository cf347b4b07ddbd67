//! What goes to support, in one file. Everything passes the [`Redactor`] here, so that nothing can be added that does not.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::io::Write;

use zip::CompressionMethod;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::redact::Cut;
use crate::redact::DiffLine;
use crate::redact::Redactor;
use crate::redact::diff;

/// One file of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub before: String,
    pub after: String,
}

impl Part {
    /// Lines that redaction changes.
    pub fn changes(&self, most: usize) -> Vec<DiffLine> {
        diff(&self.before, &self.after, most)
    }
}

/// A bundle that can be looked at before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub parts: Vec<Part>,
    pub counts: BTreeMap<Cut, usize>,
}

/// Redacts all parts together.
pub fn prepare(parts: Vec<(String, String)>, own_domains: &[String], hides_people: bool) -> Bundle {
    let mut redactor = Redactor::new(own_domains, hides_people);
    let parts = parts.into_iter().map(|(name, before)| Part { name, after: redactor.text(&before), before }).collect();
    Bundle { parts, counts: redactor.counts().clone() }
}

impl Bundle {
    /// The zip. `None` when it can't be made, which only memory could cause.
    pub fn zip(&self) -> Option<Vec<u8>> {
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for part in &self.parts {
            out.start_file(part.name.as_str(), options).ok()?;
            out.write_all(part.after.as_bytes()).ok()?;
        }
        out.finish().ok().map(Cursor::into_inner)
    }
}
