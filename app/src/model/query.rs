//! The query string of a page as ordered pairs. Filters, search and tabs live there, so that a view can be linked.

use mailroom_shared::api::percent_encode;

/// Parameters in the order they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`; what can't be decoded is kept as it is.
    pub fn parse(text: &str) -> Self {
        let pairs = text.trim_start_matches('?').split('&').filter(|it| !it.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    /// A parameter that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str()).filter(|it| !it.is_empty())
    }

    /// The same with one parameter changed; `None` or empty takes it away.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.0.retain(|(it, _)| it != name);
        if let Some(value) = value.filter(|it| !it.is_empty()) {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// `?a=b`, or nothing.
    pub fn to_suffix(&self) -> String {
        let pairs: Vec<_> =
            self.0.iter().map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

/// Percent-decoding with `+` as a space.
pub fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut rest = bytes.clone();
                let digit = |it: Option<u8>| it.and_then(|b| char::from(b).to_digit(16));
                if let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) {
                    out.push((high * 16 + low) as u8);
                    bytes = rest;
                } else {
                    out.push(byte);
                }
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_same() {
        let query = Query::parse("?q=caf%C3%A9+chairs&stage=New&x=");
        assert_eq!(query.get("q"), Some("café chairs"));
        assert_eq!(query.get("x"), None);
        let query = query.with("stage", None).with("x", None).with("q", Some("a&b"));
        assert_eq!(query.to_suffix(), "?q=a%26b");
        assert_eq!(Query::parse("").to_suffix(), "");
        assert_eq!(decode("100%"), "100%");
    }
}
