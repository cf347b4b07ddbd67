//! A small HTML tokenizer: enough to find tags and text in any input, linear, borrowing. What it gets wrong can cost
//! layout, never safety: the sanitiser parses properly after it.

/// A piece of HTML in source order.
pub(in crate::mail) enum Token<'a> {
    /// Text with entities as written.
    Text(&'a str),
    Start {
        /// Lower case.
        name: String,
        source: &'a str,
        /// Has no end tag: `<br>`, `<img>`.
        is_void: bool,
    },
    End {
        name: String,
        source: &'a str,
    },
    /// An element whose content is no HTML: `script`, `style`, `title`, with all of it.
    Raw {
        source: &'a str,
    },
    /// Comments, doctypes, processing instructions.
    Comment,
}

/// Formatting elements of HTML section 13.2.4.3.
pub(in crate::mail) fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u"
    )
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
            | "bgsound"
            | "frame"
    )
}

/// Elements whose end tag is often left out; they don't nest in themselves.
pub(in crate::mail) fn closes_itself(name: &str) -> bool {
    matches!(
        name,
        "p" | "li"
            | "td"
            | "th"
            | "tr"
            | "tbody"
            | "thead"
            | "tfoot"
            | "dd"
            | "dt"
            | "option"
            | "colgroup"
            | "caption"
            | "html"
            | "body"
            | "head"
    )
}

fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style" | "title" | "textarea" | "xmp" | "iframe" | "noembed" | "noframes")
}

/// The tokens of some HTML.
pub(in crate::mail) fn tokens(html: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let rest = html.get(at..).filter(|it| !it.is_empty())?;
        let (token, length) = next_token(rest);
        at += length.max(1);
        while !html.is_char_boundary(at) {
            at += 1;
        }
        Some(token)
    })
}

fn next_token(rest: &str) -> (Token<'_>, usize) {
    let bytes = rest.as_bytes();
    if bytes.first() != Some(&b'<') {
        let end = rest.find('<').unwrap_or(rest.len());
        return (Token::Text(rest.get(..end).unwrap_or_default()), end);
    }
    match bytes.get(1) {
        Some(b'!') if rest.starts_with("<!--") => {
            // `<!-->` is a complete comment.
            let end = rest.get(2..).and_then(|it| it.find("-->")).map_or(rest.len(), |it| it + 5);
            (Token::Comment, end)
        }
        Some(b'!' | b'?') => (Token::Comment, rest.find('>').map_or(rest.len(), |it| it + 1)),
        Some(b'/') if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
            let end = rest.find('>').map_or(rest.len(), |it| it + 1);
            let source = rest.get(..end).unwrap_or_default();
            (Token::End { name: tag_name(source.get(2..).unwrap_or_default()), source }, end)
        }
        Some(c) if c.is_ascii_alphabetic() => {
            let end = tag_end(bytes);
            let source = rest.get(..end).unwrap_or_default();
            let name = tag_name(source.get(1..).unwrap_or_default());
            if is_raw(&name) {
                let end = raw_end(rest, end, &name);
                return (Token::Raw { source: rest.get(..end).unwrap_or_default() }, end);
            }
            (Token::Start { is_void: is_void(&name), name, source }, end)
        }
        // A `<` that starts nothing is text.
        _ => {
            let end = rest.get(1..).and_then(|it| it.find('<')).map_or(rest.len(), |it| it + 1);
            (Token::Text(rest.get(..end).unwrap_or_default()), end)
        }
    }
}

fn tag_name(text: &str) -> String {
    let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(text.len());
    text.get(..end.min(60)).unwrap_or("?").to_ascii_lowercase()
}

/// The length of a start tag: up to the first `>` outside of a quoted attribute value.
fn tag_end(bytes: &[u8]) -> usize {
    let mut quote = None;
    let mut after_equals = false;
    for (i, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if *byte == open => quote = None,
            (None, b'"' | b'\'') if after_equals => quote = Some(*byte),
            (None, b'>') => return i + 1,
            // Inside of quotes nothing else counts.
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            after_equals = *byte == b'=';
        }
    }
    bytes.len()
}

/// Where an element with raw content ends.
fn raw_end(rest: &str, from: usize, name: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = from;
    while let Some(found) = rest.get(at..).and_then(|it| it.find("</")) {
        at += found + 2;
        let is_end = bytes.get(at..at + name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()));
        if is_end {
            return rest.get(at..).and_then(|it| it.find('>')).map_or(rest.len(), |it| at + it + 1);
        }
    }
    rest.len()
}

/// The attributes of a start tag: names as written, values without quotes, entities as written.
pub(in crate::mail) fn attributes(source: &str) -> impl Iterator<Item = (&str, &str)> {
    let inner = source.strip_prefix('<').unwrap_or(source);
    let inner = inner.strip_suffix('>').unwrap_or(inner);
    let start = inner.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inner.len());
    let mut rest = inner.get(start..).unwrap_or_default();
    core::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        // A stray `=` would stand still.
        let (name, after) = rest.split_at(if end == 0 { 1 } else { end });
        let trimmed = after.trim_start();
        let Some(value) = trimmed.strip_prefix('=').map(str::trim_start) else {
            rest = after;
            return Some((name, ""));
        };
        let quote = value.chars().next().filter(|it| *it == '"' || *it == '\'');
        let (value, after) = match quote {
            Some(quote) => {
                let inner = value.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        rest = after;
        Some((name, value))
    })
}

/// One attribute of a start tag by its lower-case name.
pub(in crate::mail) fn attribute<'a>(source: &'a str, name: &str) -> Option<&'a str> {
    attributes(source).find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Appends text with its entities decoded.
pub(in crate::mail) fn decode_entities(text: &str, res: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        res.push_str(before);
        // No entity name is longer than 32 bytes.
        let end = from.bytes().take(34).position(|it| it == b';').filter(|it| *it > 1);
        match end.and_then(|it| from.get(..=it)) {
            Some(token) if token.bytes().skip(1).all(|it| it.is_ascii_alphanumeric() || it == b'#' || it == b';') => {
                res.push_str(&crate::mail::parse::entity(token));
                rest = from.get(token.len()..).unwrap_or_default();
            }
            _ => {
                res.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    res.push_str(rest);
}
