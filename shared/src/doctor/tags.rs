//! `name=value; …` lists of DKIM keys (RFC 6376 section 3.2) and DMARC records (RFC 7489 section 6.4).

/// Tags in order, names as written. `Err` names what is no tag, or one that is there twice.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, TagError> {
    let mut res: Vec<(String, String)> = Vec::new();
    let mut parts = text.split(';').peekable();
    while let Some(part) = parts.next() {
        let part = part.trim_matches(|c: char| c.is_ascii_whitespace());
        if part.is_empty() {
            // One last semicolon is fine; an empty tag in between is not.
            if parts.peek().is_some() {
                return Err(TagError::Malformed(";;".to_owned()));
            }
            continue;
        }
        let Some((name, value)) = part.split_once('=') else { return Err(TagError::Malformed(part.to_owned())) };
        let name = name.trim_end_matches(|c: char| c.is_ascii_whitespace());
        let value = value.trim_matches(|c: char| c.is_ascii_whitespace());
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name {
            return Err(TagError::Malformed(part.to_owned()));
        }
        if res.iter().any(|(it, _)| it == name) {
            return Err(TagError::Twice(name.to_owned()));
        }
        res.push((name.to_owned(), value.to_owned()));
    }
    Ok(res)
}

/// What is wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagError {
    Malformed(String),
    Twice(String),
}

impl TagError {
    /// The piece it is about.
    pub fn place(&self) -> &str {
        match self {
            Self::Malformed(text) | Self::Twice(text) => text,
        }
    }
}
