//! Fields in a text: `{{contact.name}}`, with words for those who have none: `{{contact.name | friend}}`.
//!
//! Own substitution of a hundred lines rather than a template language: a campaign is checked before it leaves, a field
//! nobody knows is an error that names it, and the page compiles this for its preview.

use std::collections::BTreeMap;

/// What is wrong with a text that has fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("there is no field {0:?}")]
    Unknown(String),
    #[error("a field that is opened with {{{{ must be closed with }}}}: {0:?}")]
    Unclosed(String),
}

/// Fields that every recipient has, empty or not. Others are columns of an imported list.
pub const STANDARD: [&str; 4] = ["contact.name", "contact.first_name", "contact.email", "campaign.name"];

/// Values by field.
pub type Fields = BTreeMap<String, String>;

/// The fields of a recipient; `extra` are columns of the list.
pub fn fields(name: &str, address: &str, campaign: &str, extra: &BTreeMap<String, String>) -> Fields {
    let mut all: Fields = extra.iter().map(|(key, value)| (format!("contact.{key}"), value.clone())).collect();
    let first = name.split_whitespace().next().unwrap_or_default();
    for (key, value) in STANDARD.iter().zip([name, first, address, campaign]) {
        all.insert((*key).to_owned(), value.to_owned());
    }
    all
}

enum Piece<'a> {
    Text(&'a str),
    Field {
        name: &'a str,
        fallback: &'a str,
    },
    /// Opened and not closed.
    Open(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        out.push(Piece::Text(before));
        let Some((inner, tail)) = after.split_once("}}") else {
            out.push(Piece::Open(after.get(..after.len().min(30)).unwrap_or("")));
            return out;
        };
        let (name, fallback) = inner.split_once('|').unwrap_or((inner, ""));
        out.push(Piece::Field { name: name.trim(), fallback: fallback.trim() });
        rest = tail;
    }
    out.push(Piece::Text(rest));
    out
}

/// The first mistake of a text, when these are the columns of its lists.
pub fn check(text: &str, columns: &[String]) -> Result<(), MergeError> {
    check_fields(text, |name| {
        STANDARD.contains(&name)
            || name.strip_prefix("contact.").is_some_and(|it| columns.iter().any(|column| column == it))
    })
}

/// The first mistake of a text with these fields.
pub fn check_fields(text: &str, is_known: impl Fn(&str) -> bool) -> Result<(), MergeError> {
    for piece in pieces(text) {
        match piece {
            Piece::Open(near) => return Err(MergeError::Unclosed(near.to_owned())),
            Piece::Field { name, .. } => {
                if !is_known(name) {
                    return Err(MergeError::Unknown(name.to_owned()));
                }
            }
            Piece::Text(_) => {}
        }
    }
    Ok(())
}

/// The text for one recipient. `value` writes a value into it: escaped, encoded or as it is. An empty field takes its
/// words; a field that this recipient does not have is empty.
pub fn render(text: &str, fields: &Fields, value: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Open(near) => {
                out.push_str("{{");
                out.push_str(near);
            }
            Piece::Field { name, fallback } => match fields.get(name).map(|it| it.trim()).filter(|it| !it.is_empty()) {
                Some(found) => out.push_str(&value(found)),
                None => out.push_str(fallback),
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_filled_checked_and_never_guessed() {
        let extra = BTreeMap::from([("city".to_owned(), "Huế & co".to_owned())]);
        let all = fields("Ann Lee", "ann@customer.test", "Winter", &extra);
        let same = |it: &str| it.to_owned();
        for (text, expected) in [
            ("Hi {{contact.first_name}}, {{ contact.city }}!", "Hi Ann, Huế & co!"),
            ("{{contact.phone | no phone}} {{contact.phone}}.", "no phone ."),
            ("{ {x} }} stays", "{ {x} }} stays"),
            ("{{campaign.name}} to {{contact.email|you}}", "Winter to ann@customer.test"),
        ] {
            assert_eq!(render(text, &all, same), expected, "{text}");
        }
        let nobody = fields("", "ann@customer.test", "", &BTreeMap::new());
        assert_eq!(render("Hi {{contact.name | friend}}", &nobody, same), "Hi friend");
        let columns = ["city".to_owned()];
        assert_eq!(check("{{contact.name}} {{contact.city}}", &columns), Ok(()));
        assert_eq!(check("{{contact.town}}", &columns), Err(MergeError::Unknown("contact.town".to_owned())));
        assert_eq!(check("{{city}}", &columns), Err(MergeError::Unknown("city".to_owned())));
        assert_eq!(check("a {{contact.name", &columns), Err(MergeError::Unclosed("contact.name".to_owned())));
        assert_eq!(render("{{contact.city}}", &all, |it| it.replace('&', "&amp;")), "Huế &amp; co");
    }
}
