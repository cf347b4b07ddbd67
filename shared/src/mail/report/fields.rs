//! Groups of fields as in a delivery status (RFC 3464 section 2.1): header-like lines, groups parted by blank lines.

/// One group.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first field of a lower-case name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The address of a recipient field: `rfc822; ann@corp.test`.
    pub(super) fn address(&self, name: &str) -> Option<String> {
        self.all(name).find_map(address_in)
    }

    pub(super) fn is_recipient(&self) -> bool {
        ["final-recipient", "original-recipient", "x-actual-recipient"].into_iter().any(|it| self.get(it).is_some())
    }
}

/// The groups in a text.
pub(super) fn groups(text: &str) -> Vec<Fields> {
    let mut res = Vec::new();
    let mut group: Vec<(String, String)> = Vec::new();
    for line in text.lines().take(20_000) {
        if line.trim().is_empty() {
            if !group.is_empty() {
                res.push(Fields(core::mem::take(&mut group)));
            }
            continue;
        }
        let is_continued = line.starts_with([' ', '\t']);
        match line.split_once(':') {
            Some((name, value)) if !is_continued && is_name(name.trim()) => {
                let name = name.trim().to_ascii_lowercase();
                // Some systems put no blank line between recipients.
                if name == "final-recipient" && group.iter().any(|(it, _)| *it == name) {
                    res.push(Fields(core::mem::take(&mut group)));
                }
                group.push((name, value.trim().to_owned()));
            }
            _ => {
                // A folded line, or one that lost its blank.
                if let Some((_, value)) = group.last_mut().filter(|(_, value)| value.len() < 8_000) {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            }
        }
    }
    if !group.is_empty() {
        res.push(Fields(group));
    }
    res
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() < 60 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// `smtp; 550 x` without its type.
pub(super) fn without_type(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest)) if kind.len() < 30 && !kind.trim().contains(' ') => rest.trim(),
        _ => value.trim(),
    }
}

/// The host in `dns; mx.corp.test (192.0.2.1)`.
pub(super) fn host(value: &str) -> &str {
    without_type(value).split([' ', '(', '[']).next().unwrap_or_default().trim_end_matches('.')
}

/// The address in a recipient field, without type, brackets and comments; `None` for something else (X.400, local names).
pub(super) fn address_in(value: &str) -> Option<String> {
    let value = without_type(value);
    let inner = match (value.find('<'), value.find('>')) {
        (Some(start), Some(end)) if start < end => value.get(start + 1..end)?,
        _ => value,
    };
    let inner = inner.trim().trim_matches(['<', '>', '\'', ';', ',']);
    let inner = if inner.contains("\"@") { inner } else { inner.trim_matches('"') };
    // `ann@corp.test (forwarded)`.
    let word = if inner.starts_with('"') {
        inner
    } else {
        inner.split_whitespace().find(|it| it.contains('@')).unwrap_or(inner)
    };
    let word = word.trim_matches(['<', '>', ';', ',', '(', ')']);
    let is_address = word.contains('@') && !word.starts_with('@') && !word.ends_with('@') && word.len() < 320;
    if is_address { Some(word.to_owned()) } else { None }
}
