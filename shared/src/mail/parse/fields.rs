//! Addresses of headers, as mailers really write them; mail-parser reads what is regular.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::words;
use crate::address::EmailAddress;
use crate::address::Mailbox;

/// How many mailboxes of one header are read.
pub(super) const MAX_MAILBOXES: usize = 2_000;

/// The mailboxes of an address header value, unreadable ones left out.
pub fn parse_mailboxes(value: &str) -> Vec<Mailbox> {
    let mut input = words::recode(value);
    input.push('\n');
    let mut res = Vec::new();
    let HeaderValue::Address(parsed) = MessageStream::new(input.as_bytes()).parse_address() else { return res };
    // `Blake, Nora <nora@corp.test>`: a comma that should have been quoted.
    let mut loose: Vec<&str> = Vec::new();
    for address in parsed.iter().take(MAX_MAILBOXES) {
        let name = address.name.as_deref().unwrap_or_default();
        let found = match &address.address {
            Some(text) => read_address(text).map(|it| (it, name)),
            // `ann@corp.test (Ann)` and bare words may end up as the name.
            None => read_address(name).map(|it| (it, "")),
        };
        let Some((address, name)) = found else {
            let word = address.name.as_deref().or(address.address.as_deref()).unwrap_or_default().trim();
            if (1..=60).contains(&word.len()) && !word.contains('@') && loose.len() < 3 {
                loose.push(word);
            }
            continue;
        };
        let before = core::mem::take(&mut loose);
        let name = without_quotes(name.trim());
        let is_repetition = EmailAddress::parse(name).is_ok_and(|it| it == address);
        let name = match (name, before.as_slice()) {
            ("", _) | (_, []) => name.to_owned(),
            (name, before) => format!("{}, {name}", before.join(", ")),
        };
        res.push(Mailbox::new(Some(name.as_str()).filter(|_| !is_repetition), address));
    }
    res
}

/// `'Ann'` and `"Ann"` are habits of mailers, not names.
fn without_quotes(name: &str) -> &str {
    let inner = ['\'', '"'].into_iter().find_map(|it| name.strip_prefix(it).and_then(|rest| rest.strip_suffix(it)));
    inner.filter(|it| !it.contains(['\'', '"'])).unwrap_or(name).trim()
}

/// An address in the text of an address header, with what goes wrong around it.
fn read_address(text: &str) -> Option<EmailAddress> {
    if let Ok(address) = EmailAddress::parse(text) {
        return Some(address);
    }
    let joined: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let strip = |it: &str| -> String {
        let it = it.trim_matches(|c: char| "<>[]()\"',;:".contains(c));
        let it = it
            .get(..7)
            .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
            .map_or(it, |_| it.get(7..).unwrap_or(it));
        it.trim_end_matches('.').to_owned()
    };
    // Words after the address must not be glued to its domain (OB-11), so single words go first.
    text.split_whitespace()
        .filter(|it| it.contains('@'))
        .map(strip)
        .chain([strip(&joined)])
        .find_map(|it| EmailAddress::parse(&it).ok())
}
