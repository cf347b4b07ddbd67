//! Received fields (RFC 5321 section 4.4) as a way with delays.

/// One host that passed the mail on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hop {
    pub from: Option<String>,
    pub by: Option<String>,
    /// `ESMTPS` and the like.
    pub with: Option<String>,
    /// Of `for <…>`.
    pub recipient: Option<String>,
    /// Milliseconds since 1970.
    pub at: Option<i64>,
    /// Milliseconds since the hop before; clocks differ, so it may be below zero.
    pub delay: Option<i64>,
}

/// Reads the fields as they stand in a mail, newest first; gives the way, oldest first.
pub fn read<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<Hop> {
    let mut hops: Vec<Hop> = fields.take(100).map(one).collect();
    hops.reverse();
    let mut last = None;
    for hop in &mut hops {
        hop.delay = hop.at.zip(last).map(|(now, before)| now - before);
        last = hop.at.or(last);
    }
    hops
}

fn one(value: &str) -> Hop {
    let (words, date) = value.rsplit_once(';').unwrap_or((value, ""));
    let plain = without_comments(words);
    let words: Vec<&str> = plain.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|it| it.eq_ignore_ascii_case(name))?;
        words.get(at + 1).map(|it| it.trim_matches(['<', '>', ';', ',']).to_owned()).filter(|it| !it.is_empty())
    };
    Hop {
        from: after("from"),
        by: after("by"),
        with: after("with"),
        recipient: after("for").filter(|it| it.contains('@')),
        at: time(date.trim()),
        delay: None,
    }
}

fn without_comments(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

fn time(text: &str) -> Option<i64> {
    let date = mail_parser::DateTime::parse_rfc822(&without_comments(text))?;
    (date.year > 1970).then(|| date.to_timestamp() * 1_000)
}
