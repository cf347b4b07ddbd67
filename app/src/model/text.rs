//! Small texts: initials, sizes, paragraphs with links, whether an HTML body needs a frame.

/// Up to two letters for an avatar: first and last word. The style sheet makes capitals of letters beyond ASCII.
pub fn initials(name: &str) -> String {
    let mut words = name.split(|c: char| c.is_whitespace() || c == '.' || c == '@').filter_map(first_letter);
    let first = words.next();
    // Of an address only the local part speaks.
    let last = if name.contains('@') { None } else { words.next_back() };
    let text: String = first.into_iter().chain(last).collect();
    if text.is_empty() { "?".to_owned() } else { text.to_ascii_uppercase() }
}

fn first_letter(word: &str) -> Option<char> {
    word.chars().find(|c| c.is_alphanumeric())
}

/// `212 KB`, `1.8 MB`; the decimal sign is the reader's.
pub fn size(bytes: u32, decimal: char) -> String {
    let kb = f64::from(bytes) / 1_000.0;
    if bytes < 1_000 {
        format!("{bytes} B")
    } else if kb < 1_000.0 {
        format!("{kb:.0} KB")
    } else {
        format!("{:.1} MB", kb / 1_000.0).replace('.', &decimal.to_string())
    }
}

/// `3.2` of 32; the decimal sign is the reader's.
pub fn tenths(n: u32, decimal: char) -> String {
    format!("{}{decimal}{}", n / 10, n % 10)
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// What is shown, and where it leads.
    Link(String, String),
    Mention(String),
}

/// Paragraphs of a plain text, split at empty lines.
pub fn paragraphs(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let mut out: Vec<String> = Vec::new();
    let mut now = String::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            if !now.is_empty() {
                out.push(std::mem::take(&mut now));
            }
        } else {
            if !now.is_empty() {
                now.push('\n');
            }
            now.push_str(line.trim_end());
        }
    }
    if !now.is_empty() {
        out.push(now);
    }
    out
}

/// Links and `@Name`s of known people in a text. Only http, https and mail addresses become links.
pub fn pieces(text: &str, people: &[String]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let at_word = plain.chars().next_back().is_none_or(|it| !it.is_alphanumeric());
        if at_word && let Some((piece, tail)) = link(rest).or_else(|| mention(rest, people)) {
            if !plain.is_empty() {
                out.push(Piece::Text(std::mem::take(&mut plain)));
            }
            out.push(piece);
            rest = tail;
            continue;
        }
        plain.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    if !plain.is_empty() {
        out.push(Piece::Text(plain));
    }
    out
}

fn link(text: &str) -> Option<(Piece, &str)> {
    if !["http://", "https://"].iter().any(|it| text.starts_with(it)) {
        return None;
    }
    let end = text.find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(text.len());
    let address = text.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '"', ']']);
    // A closing bracket belongs to the text unless one was opened in the address.
    let address = if address.contains('(') { address } else { address.trim_end_matches(')') };
    let host = address.split_once("://").map_or("", |(_, it)| it);
    if host.is_empty() {
        return None;
    }
    Some((Piece::Link(address.to_owned(), address.to_owned()), text.get(address.len()..)?))
}

fn mention<'a>(text: &'a str, people: &[String]) -> Option<(Piece, &'a str)> {
    let after = text.strip_prefix('@')?;
    let name = people.iter().filter(|it| !it.is_empty() && after.starts_with(it.as_str())).max_by_key(|it| it.len())?;
    Some((Piece::Mention(format!("@{name}")), after.get(name.len()..)?))
}

/// Whether a sanitised HTML body shows something that its text does not. Most mail is plain text in disguise; such a
/// body is not worth a frame.
pub fn needs_frame(html: &str) -> bool {
    let html = html.to_ascii_lowercase();
    [
        "<img", "<table", "<a ", "<b>", "<strong", "<i>", "<em", "<ul", "<ol", "<li", "<font", "<h1", "<h2", "<h3",
        "<pre", "style=",
    ]
    .iter()
    .any(|it| html.contains(it))
}

/// Whether an HTML body sets colours of its own; it is then shown on white paper in both themes.
pub fn has_colours(html: &str) -> bool {
    let html = html.to_ascii_lowercase();
    ["color:", "color=", "background"].iter().any(|it| html.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_of_people_and_addresses() {
        let check = |name: &str, expected: &str| assert_eq!(initials(name), expected, "{name}");
        check("Mai Lindqvist", "ML");
        check("Nguyễn Thị Minh Châu", "NC");
        check("orders@corp.example", "O");
        check("Österreich", "Ö");
        check("  ", "?");
        check("(Ann) Lee", "AL");
    }

    #[test]
    fn sizes() {
        assert_eq!(size(999, '.'), "999 B");
        assert_eq!(size(211_700, '.'), "212 KB");
        assert_eq!(size(1_800_000, ','), "1,8 MB");
    }

    #[test]
    fn paragraphs_keep_their_lines() {
        assert_eq!(paragraphs("Dear Ann,\r\n\r\n\r\na\nb \n"), ["Dear Ann,", "a\nb"]);
        assert!(paragraphs(" \n").is_empty());
    }

    #[test]
    fn links_and_mentions() {
        let people = ["Mai".to_owned(), "Mai Lindqvist".to_owned()];
        let got = pieces(
            "Hi @Mai Lindqvist, see https://x.test/a(b). Or (http://y.test). no@Mai javascript:x http://",
            &people,
        );
        let text = |it: &str| Piece::Text(it.to_owned());
        let link = |it: &str| Piece::Link(it.to_owned(), it.to_owned());
        assert_eq!(
            got,
            [
                text("Hi "),
                Piece::Mention("@Mai Lindqvist".to_owned()),
                text(", see "),
                link("https://x.test/a(b)"),
                text(". Or ("),
                link("http://y.test"),
                text("). no@Mai javascript:x http://"),
            ]
        );
    }

    #[test]
    fn a_frame_only_for_what_text_cannot_show() {
        assert!(!needs_frame("<div>Hello<br>Ann</div>"));
        assert!(needs_frame("<p>Hello <B>Ann</B></p>"));
        assert!(has_colours("<p style=\"Color: red\">"));
    }
}
