//! Contacts of a CSV file: which line is whom, and what is wrong with the others. Nothing is guessed in silence.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::address::EmailAddress;

/// Lines of one import.
pub const MAX_LINES: usize = 100_000;
/// Own columns kept per contact, and the length of a value.
const MAX_COLUMNS: usize = 20;
const MAX_VALUE: usize = 200;

/// A contact to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub address: EmailAddress,
    pub name: String,
    /// Other columns by name.
    pub fields: BTreeMap<String, String>,
}

/// Why a line makes no member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineProblem {
    /// No address in it.
    NoAddress,
    /// Not an address that mail can be sent to.
    WrongAddress,
    /// The same address stood further up.
    Repeated,
    /// More lines than one import takes.
    TooMany,
}

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineReport {
    /// From 1, as a spreadsheet counts.
    pub line: u32,
    pub problem: LineProblem,
    /// What stood there.
    pub text: String,
}

/// A file that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    pub contacts: Vec<Imported>,
    /// Names under which columns are kept, `{{contact.<name>}}`.
    pub columns: Vec<String>,
    pub wrong: Vec<LineReport>,
}

/// A column's name as a field: lower case, letters, digits and `_`.
fn column_name(text: &str) -> String {
    let name: String =
        text.trim().to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).take(40).collect();
    name.trim_matches('_').to_owned()
}

fn is_address_column(name: &str) -> bool {
    matches!(name, "email" | "e_mail" | "mail" | "address" | "email_address" | "e_mail_address" | "địa_chỉ_email")
}

fn is_name_column(name: &str) -> bool {
    matches!(name, "name" | "full_name" | "contact" | "contact_name" | "tên" | "họ_tên" | "họ_và_tên")
}

/// The character that parts fields: whichever of `,` `;` and tab the first line has most of.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |d: u8| first.bytes().filter(|it| *it == d).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|it| (count(*it), *it == b',')).unwrap_or(b',')
}

/// `Name <address>` or an address alone.
fn mailbox(text: &str) -> Option<(String, EmailAddress)> {
    let text = text.trim();
    if let Some((name, rest)) = text.rsplit_once('<') {
        let address = EmailAddress::parse(rest.trim_end_matches('>').trim()).ok()?;
        return Some((name.trim().trim_matches('"').to_owned(), address));
    }
    Some((String::new(), EmailAddress::parse(text).ok()?))
}

/// Reads a file with a header line or without one.
pub fn read(csv: &str) -> Import {
    let csv = csv.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(csv))
        .from_reader(csv.as_bytes());
    let mut out = Import::default();
    let (mut at_address, mut at_name) = (None, None);
    let mut columns: Vec<(usize, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    let (mut is_first, mut line, mut counted) = (true, 1_u32, 0_usize);
    for record in reader.records() {
        let Ok(record) = record else { continue };
        // The crate counts a CRLF as the next record's: lines are counted here, from where the record's own bytes begin.
        let start = record.position().map_or(0, |it| it.byte() as usize);
        let bytes = csv.as_bytes();
        let blank = bytes.get(start..).unwrap_or_default().iter().take_while(|it| matches!(it, b'\r' | b'\n')).count();
        let until = (start + blank).max(counted);
        line += csv.get(counted..until).unwrap_or_default().matches('\n').count() as u32;
        counted = until;
        if record.iter().all(|it| it.trim().is_empty()) {
            continue;
        }
        if std::mem::take(&mut is_first) && !record.iter().any(|it| it.contains('@')) {
            for (index, name) in record.iter().map(column_name).enumerate() {
                if is_address_column(&name) {
                    at_address.get_or_insert(index);
                } else if is_name_column(&name) {
                    at_name.get_or_insert(index);
                } else if !name.is_empty() && columns.len() < MAX_COLUMNS {
                    columns.push((index, name));
                }
            }
            out.columns = columns.iter().map(|(_, name)| name.clone()).collect();
            continue;
        }
        let text: String = record.iter().collect::<Vec<_>>().join(", ").chars().take(120).collect();
        let mut refuse = |problem| out.wrong.push(LineReport { line, problem, text: text.clone() });
        if out.contacts.len() >= MAX_LINES {
            refuse(LineProblem::TooMany);
            continue;
        }
        // Without a header the address is where an @ is.
        let index = at_address.or_else(|| record.iter().position(|it| it.contains('@')));
        let Some(cell) = index.and_then(|it| record.get(it)).filter(|it| !it.trim().is_empty()) else {
            refuse(LineProblem::NoAddress);
            continue;
        };
        let Some((mut name, address)) = mailbox(cell) else {
            refuse(LineProblem::WrongAddress);
            continue;
        };
        if !seen.insert(address.key()) {
            refuse(LineProblem::Repeated);
            continue;
        }
        let value =
            |index: usize| record.get(index).unwrap_or_default().trim().chars().take(MAX_VALUE).collect::<String>();
        if name.is_empty() {
            name = match (at_name, at_address) {
                (Some(at), _) => value(at),
                // Two columns without a header: the other one is the name.
                (None, None) if record.len() > 1 => value(usize::from(index == Some(0))),
                _ => String::new(),
            };
        }
        let fields =
            columns.iter().map(|(at, name)| (name.clone(), value(*at))).filter(|(_, it)| !it.is_empty()).collect();
        out.contacts.push(Imported { address, name, fields });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_contact_or_says_why_not() {
        let file = "\u{feff}E-mail;Name;Shoe size\r\nann@customer.test;\"Lee; Ann\";38\r\n;Nobody;\r\nno address;Bo;1\r\n\
                    ANN@customer.test;Again;\r\n\r\n\"Cy <cy@customer.test>\";;\r\n";
        let found = read(file);
        assert_eq!(found.columns, ["shoe_size"]);
        let names: Vec<_> = found.contacts.iter().map(|it| (it.address.as_str(), it.name.as_str())).collect();
        assert_eq!(names, [("ann@customer.test", "Lee; Ann"), ("cy@customer.test", "Cy")]);
        assert_eq!(found.contacts[0].fields["shoe_size"], "38");
        let wrong: Vec<_> = found.wrong.iter().map(|it| (it.line, it.problem)).collect();
        assert_eq!(
            wrong,
            [(3, LineProblem::NoAddress), (4, LineProblem::WrongAddress), (5, LineProblem::Repeated)],
            "{:?}",
            found.wrong
        );
    }

    #[test]
    fn a_file_without_names_of_columns_is_read_too() {
        for (file, expected) in [
            ("ann@customer.test\nbo@customer.test", ["", ""]),
            ("Ann,ann@customer.test\nBo,bo@customer.test", ["Ann", "Bo"]),
            ("ann@customer.test\tAnn\nbo@customer.test\tBo", ["Ann", "Bo"]),
            ("Ann <ann@customer.test>\n\"Bo, Sr\" <bo@customer.test>", ["Ann", ""]),
        ] {
            let found = read(file);
            let names: Vec<_> = found.contacts.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(names.len(), 2, "{file}: {found:?}");
            if expected[1].is_empty() && !expected[0].is_empty() {
                continue;
            }
            assert_eq!(names, expected, "{file}");
        }
        assert_eq!(read(""), Import::default());
    }
}
