//! Encoded words (RFC 2047) and parameters (RFC 2045 section 5.1, RFC 2231), as mailers really write them: characters cut
//! between two words, blanks inside a word, words inside quotes, missing quotes, Windows paths.

use std::collections::BTreeMap;

use super::charset;
use super::transfer;

/// One encoded word.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

/// Splits `=?charset?B|Q?text?=` off the start of a text.
fn word(text: &str) -> Option<(Word<'_>, &str)> {
    let rest = text.strip_prefix("=?")?;
    let (charset, rest) = rest.split_once('?')?;
    if charset.is_empty() || charset.len() > 60 || charset.contains(|c: char| c.is_whitespace() || c == '=') {
        return None;
    }
    let (encoding, rest) = rest.split_once('?')?;
    let (body, rest) = rest.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => transfer::from_base64(body.as_bytes()).0,
        "Q" | "q" => transfer::from_quoted_printable(body.replace('_', "=20").as_bytes()).0,
        _ => return None,
    };
    Some((Word { charset, bytes }, rest))
}

/// Calls `plain` and `decoded` with the pieces of a header text in order. Words with only blanks between them are one
/// piece (RFC 2047 section 6.2), and are joined before they are decoded: a character may be cut in two.
fn pieces(text: &str, mut emit: impl FnMut(&str, bool)) {
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let (plain, from_word) = rest.split_at(start);
        let Some((first, after)) = word(from_word) else {
            emit(rest.get(..start + 2).unwrap_or_default(), false);
            rest = rest.get(start + 2..).unwrap_or_default();
            continue;
        };
        emit(plain, false);
        let mut decoded = String::new();
        let mut pending = first;
        rest = after;
        while let Some((next, after)) = word(rest.trim_start()) {
            rest = after;
            if next.charset.eq_ignore_ascii_case(pending.charset) {
                pending.bytes.extend(next.bytes);
            } else {
                decoded.push_str(&charset::decode(&pending.bytes, Some(pending.charset)).text);
                pending = next;
            }
        }
        decoded.push_str(&charset::decode(&pending.bytes, Some(pending.charset)).text);
        emit(&decoded, true);
    }
    emit(rest, false);
}

/// The readable text of an unstructured header value.
pub(super) fn decode(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    pieces(text, |piece, _| res.push_str(piece));
    super::clean_line(&res)
}

/// The same header value with every run of encoded words as one UTF-8 word, for a parser that needs the structure intact.
pub(super) fn recode(text: &str) -> String {
    use base64::Engine as _;
    let mut res = String::with_capacity(text.len());
    pieces(text, |piece, is_decoded| {
        if is_decoded {
            let safe = super::clean_line(piece);
            res.push_str("=?utf-8?B?");
            base64::engine::general_purpose::STANDARD.encode_string(safe, &mut res);
            res.push_str("?=");
        } else {
            res.push_str(piece);
        }
    });
    res
}

/// A structured value with parameters: Content-Type, Content-Disposition.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Structured {
    /// What stands before the first `;`, lower case.
    pub(super) value: String,
    params: Vec<(String, String)>,
}

impl Structured {
    /// A parameter by its lower-case name.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Reads a header value.
    pub(super) fn parse(text: &str) -> Self {
        let end = text.find([';', '"', '=']).unwrap_or(text.len());
        // `text/plain charset=utf-8`: a missing semicolon.
        let head = text.get(..end).unwrap_or_default().trim();
        let value = head.split([' ', '\t', ',', '(']).next().unwrap_or_default();
        let skip = text.find(value).map_or(0, |at| at + value.len());
        let mut raw = Vec::new();
        let mut rest = text.get(skip..).unwrap_or_default();
        // 200: no mailer writes more; keeps RFC 2231 assembly short.
        while raw.len() < 200 {
            rest = rest.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
            if let Some(comment) = rest.strip_prefix('(') {
                rest = comment.split_once(')').map_or("", |(_, it)| it);
                continue;
            }
            if rest.is_empty() {
                break;
            }
            let Some(at) = rest.find(['=', ';']) else { break };
            let (name, after) = rest.split_at(at);
            let Some(after) = after.strip_prefix('=') else {
                rest = after;
                continue;
            };
            let (value, after) = param_value(after.trim_start());
            raw.push((name.trim().to_ascii_lowercase(), value));
            rest = after;
        }
        Self { value: value.to_ascii_lowercase(), params: assemble(raw) }
    }
}

/// One parameter value and what follows it.
fn param_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.trim().trim_matches('"').to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return (value, chars.as_str()),
            // Only `\"` and `\\` are escapes; `C:\new\x.pdf` is a path from a careless mailer.
            '\\' => match chars.clone().next() {
                Some(next @ ('"' | '\\')) => {
                    value.push(next);
                    chars.next();
                }
                _ => value.push('\\'),
            },
            _ => value.push(c),
        }
    }
    // No closing quote: the value ends at the next parameter.
    let end = quoted.find(';').unwrap_or(quoted.len());
    let (value, rest) = quoted.split_at(end);
    (value.trim().to_owned(), rest)
}

/// Puts RFC 2231 sections together; encoded forms win over plain ones.
fn assemble(raw: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut res: Vec<(String, String)> = Vec::new();
    let mut sections: BTreeMap<String, BTreeMap<u32, (bool, String)>> = BTreeMap::new();
    for (name, value) in raw {
        match name.split_once('*') {
            None => {
                if !res.iter().any(|(it, _)| *it == name) {
                    res.push((name, decode(&value)));
                }
            }
            Some((base, section)) => {
                let is_encoded = section.is_empty() || section.ends_with('*');
                let number = section.trim_end_matches('*').parse().unwrap_or(0);
                sections.entry(base.to_owned()).or_default().entry(number).or_insert((is_encoded, value));
            }
        }
    }
    for (name, parts) in sections {
        let mut charset = None;
        let mut bytes = Vec::new();
        let mut has_encoded = false;
        for (number, (is_encoded, value)) in &parts {
            has_encoded |= is_encoded;
            let mut text = value.as_str();
            if *is_encoded && *number == 0 {
                let mut fields = text.splitn(3, '\'');
                if let (Some(label), Some(_), Some(rest)) = (fields.next(), fields.next(), fields.next()) {
                    charset = Some(label.to_owned()).filter(|it| !it.is_empty());
                    text = rest;
                }
            }
            if *is_encoded { percent_decode(text, &mut bytes) } else { bytes.extend_from_slice(text.as_bytes()) }
        }
        let mut value = charset::decode(&bytes, charset.as_deref()).text;
        if !has_encoded {
            value = decode(&value);
        }
        res.retain(|(it, _)| *it != name);
        res.push((name, super::clean_line(&value)));
    }
    res
}

fn percent_decode(text: &str, res: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        match (byte, tail) {
            (b'%', [a, b, tail @ ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                res.push(transfer::hex(*a) << 4 | transfer::hex(*b));
                rest = tail;
            }
            _ => {
                res.push(*byte);
                rest = tail;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded() {
        for (text, expect) in [
            ("plain", "plain"),
            ("=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus?= =?UTF-8?B?IEvDtmxu?=", "Grüße aus Köln"),
            ("Re: =?iso-8859-1?q?caf=E9?= now", "Re: café now"),
            ("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"),
            ("=?utf-8?Q?a b?=", "a b"),
            ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
            ("=?utf-8*en?Q?x?=", "x"),
            ("=?no end", "=?no end"),
            ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
            ("a =?utf-8?Q?b=0D=0AX:_c?=", "a b X: c"),
        ] {
            let got = decode(text);
            assert_eq!(got, expect, "{text:?}");
        }
        assert_eq!(recode("=?koi8-r?B?8NLJ18XU?= <a@b>"), "=?utf-8?B?0J/RgNC40LLQtdGC?= <a@b>");
    }

    #[test]
    fn parameters_are_read() {
        let check = |text: &str, value: &str, name: &str, expect: Option<&str>| {
            let got = Structured::parse(text);
            assert_eq!((got.value.as_str(), got.param(name)), (value, expect), "{text:?}");
        };
        check("text/plain; charset=\"utf-8\"", "text/plain", "charset", Some("utf-8"));
        check("Text/HTML;charset=us-ascii; x=y", "text/html", "charset", Some("us-ascii"));
        check("text/plain charset=utf-8", "text/plain", "charset", Some("utf-8"));
        check("attachment; filename=my file.pdf", "attachment", "filename", Some("my file.pdf"));
        check("attachment; filename=\"a;b.pdf\"; size=1", "attachment", "filename", Some("a;b.pdf"));
        check("attachment; filename=\"C:\\new\\x.pdf\"", "attachment", "filename", Some("C:\\new\\x.pdf"));
        check("attachment; filename=\"a\\\"b.pdf\"", "attachment", "filename", Some("a\"b.pdf"));
        check("attachment; filename=\"open.pdf", "attachment", "filename", Some("open.pdf"));
        check("attachment; filename=\"=?utf-8?Q?=C3=A9.txt?=\"", "attachment", "filename", Some("é.txt"));
        check("attachment; filename*=utf-8''%C3%A9%20x.txt", "attachment", "filename", Some("é x.txt"));
        check("a; filename*0*=utf-8''%E3; filename*1*=%81%82; filename*2=\".txt\"", "a", "filename", Some("あ.txt"));
        check("a; filename*1=b.txt; filename*0=a", "a", "filename", Some("ab.txt"));
        check("a; filename=x.txt; filename*=utf-8''y.txt", "a", "filename", Some("y.txt"));
        check("a (comment); (c) name=z", "a", "name", Some("z"));
        check("", "", "x", None);
        check("multipart/mixed; boundary=\"----=_Part_1\"", "multipart/mixed", "boundary", Some("----=_Part_1"));
        check("multipart/mixed; boundary==_x=", "multipart/mixed", "boundary", Some("=_x="));
    }
}
