//! Templates for mail to customers: the fields they may have, and filling them. The substitution is that of campaigns.

use crate::campaign::merge;
use crate::campaign::merge::Fields;
use crate::campaign::merge::MergeError;

/// All fields of a template.
pub const FIELDS: [&str; 8] = [
    "record.title",
    "record.number",
    "record.stage",
    "contact.name",
    "contact.first_name",
    "contact.email",
    "user.name",
    "user.email",
];

/// What fills them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    pub title: &'a str,
    pub number: &'a str,
    pub stage: &'a str,
    /// Of the customer.
    pub contact: &'a str,
    pub contact_email: &'a str,
    /// Who writes.
    pub user: &'a str,
    pub user_email: &'a str,
}

/// The first mistake of a text: a field that is not known or not closed.
pub fn check(text: &str) -> Result<(), MergeError> {
    merge::check_fields(text, |name| FIELDS.contains(&name))
}

/// The text with its fields filled; an empty one takes its words after `|`.
pub fn fill(text: &str, it: &Values<'_>) -> String {
    let first = it.contact.split_whitespace().next().unwrap_or_default();
    let values = [it.title, it.number, it.stage, it.contact, first, it.contact_email, it.user, it.user_email];
    let fields: Fields =
        FIELDS.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect();
    merge::render(text, &fields, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_filled_and_an_unknown_one_is_named() {
        let values = Values { title: "Boat", number: "S1", contact: "Ann Lee", user: "Mai", ..Values::default() };
        for (text, expected) in [
            ("Hi {{contact.first_name}}: {{record.title}} ({{record.number}})", "Hi Ann: Boat (S1)"),
            ("{{contact.email | none}}, {{user.name}}", "none, Mai"),
        ] {
            assert_eq!(check(text), Ok(()));
            assert_eq!(fill(text, &values), expected);
        }
        assert_eq!(check("{{contact.phone}}"), Err(MergeError::Unknown("contact.phone".to_owned())));
        assert_eq!(check("{{user.name"), Err(MergeError::Unclosed("user.name".to_owned())));
    }
}
