//! Received lines (RFC 5321 section 4.4): the stops of a mail on its way, and how long it stayed at each.
//!
//! Every stop writes what it wants, so reading never fails: what is not understood is simply absent.

use self::date::parse_date;
use crate::time::Span;
use crate::time::Timestamp;
use crate::way::CLOCK_SKEW;
use crate::way::Stop;

pub mod date;

/// Stops that are shown; a loop has more.
const MAX_HOPS: usize = 100;
/// Characters of a name that are kept.
const MAX_NAME: usize = 255;

/// One Received line: a host that took the mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hop {
    /// What the sending host called itself (`from`).
    pub from: Option<String>,
    /// What the receiving host saw of it: `mail.shop.test [192.0.2.7]`.
    pub seen: Option<String>,
    /// The receiving host (`by`).
    pub by: Option<String>,
    /// `ESMTPS` and its like (`with`), upper case.
    pub with: Option<String>,
    /// `TLS1.3`, `TLS1_3`, … as a number: `1.3`.
    pub tls: Option<String>,
    pub id: Option<String>,
    /// The recipient at that stop (`for`), without angle brackets.
    pub recipient: Option<String>,
    pub at: Option<Timestamp>,
}

impl Hop {
    /// Whether the connection to this stop was encrypted: it says so, or its protocol does (RFC 3848).
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
            || self.with.as_deref().is_some_and(|it| {
                let base = it.strip_prefix("UTF8").unwrap_or(it);
                matches!(base, "ESMTPS" | "ESMTPSA" | "SMTPS" | "SMTPSA" | "LMTPS" | "LMTPSA" | "HTTPS")
            })
    }
}

/// The Received lines of a mail as they stand there, newest first; gives them oldest first.
pub fn hops<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Hop> {
    let mut all: Vec<Hop> = lines.take(MAX_HOPS).map(read).collect();
    all.reverse();
    all
}

/// Reads the value of one Received line.
pub fn read(value: &str) -> Hop {
    let (clauses, date) = match value.rfind(';') {
        Some(at) => (value.get(..at).unwrap_or_default(), value.get(at + 1..).unwrap_or_default()),
        None => (value, ""),
    };
    let mut hop = Hop { at: parse_date(&without_comments(date)), ..Hop::default() };
    let mut key = "";
    let mut is_named = false;
    for piece in pieces(clauses) {
        match piece {
            Piece::Word(word) => match word.to_ascii_lowercase().as_str() {
                "from" => (key, is_named) = ("from", false),
                "by" => (key, is_named) = ("by", false),
                "via" => (key, is_named) = ("via", false),
                "with" => (key, is_named) = ("with", false),
                "id" => (key, is_named) = ("id", false),
                "for" => (key, is_named) = ("for", false),
                _ => {
                    set(&mut hop, key, &word, is_named);
                    is_named = true;
                }
            },
            Piece::Comment(text) => {
                if hop.tls.is_none() {
                    hop.tls = tls(&text);
                }
                if key == "from" && hop.seen.is_none() {
                    hop.seen = seen(&text);
                }
            }
        }
    }
    // `with SMTP (TLS1_3, …)` and `using TLSv1.3 with cipher …` say more than the word.
    if hop.with.as_deref() == Some("CIPHER") {
        hop.with = None;
    }
    hop
}

fn set(hop: &mut Hop, key: &str, word: &str, is_named: bool) {
    let word = cut(word.trim_matches(['<', '>', ',']));
    if is_named || word.is_empty() {
        return;
    }
    match key {
        "from" => hop.from = Some(word),
        "by" => hop.by = Some(word),
        "with" => hop.with = Some(word.to_ascii_uppercase()),
        "id" => hop.id = Some(word),
        "for" => hop.recipient = Some(word),
        _ => {}
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

enum Piece {
    Word(String),
    /// Without its parentheses.
    Comment(String),
}

/// Words and comments; comments nest (RFC 5322 section 3.2.2).
fn pieces(text: &str) -> Vec<Piece> {
    let (mut out, mut word, mut comment, mut depth, mut is_escaped) =
        (Vec::new(), String::new(), String::new(), 0, false);
    for c in text.chars() {
        if depth > 0 {
            match c {
                _ if is_escaped => {
                    comment.push(c);
                    is_escaped = false;
                    continue;
                }
                '\\' => {
                    is_escaped = true;
                    continue;
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                out.push(Piece::Comment(core::mem::take(&mut comment)));
            } else {
                comment.push(c);
            }
        } else if c == '(' || c.is_whitespace() {
            if !word.is_empty() {
                out.push(Piece::Word(core::mem::take(&mut word)));
            }
            depth += i32::from(c == '(');
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        out.push(Piece::Word(word));
    }
    out
}

fn without_comments(text: &str) -> String {
    let words = pieces(text).into_iter().filter_map(|it| match it {
        Piece::Word(word) => Some(word),
        Piece::Comment(_) => None,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The version in `using TLSv1.3`, `version=TLS1_3`, `TLS1.2:…`.
fn tls(comment: &str) -> Option<String> {
    let upper = comment.to_ascii_uppercase();
    let rest = upper.match_indices("TLS").find_map(|(at, _)| {
        let rest = upper.get(at + 3..)?.trim_start_matches(['V', '_']);
        rest.starts_with(|c: char| c.is_ascii_digit()).then_some(rest)
    })?;
    let version: String = rest
        .chars()
        .map(|c| if c == '_' { '.' } else { c })
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .take(3)
        .collect();
    Some(if version.contains('.') { version } else { format!("{}.0", version.get(..1).unwrap_or("1")) })
}

/// Name and address of the peer, as the receiving host saw it.
fn seen(comment: &str) -> Option<String> {
    let is_peer = |it: &str| {
        let bare = it.trim_matches(['[', ']', ',', ';']);
        let bare = bare.strip_prefix("IPv6:").unwrap_or(bare);
        bare.parse::<core::net::IpAddr>().is_ok() || (bare.contains('.') && !bare.contains(['=', '/', '@']))
    };
    let words: Vec<&str> = comment.split_whitespace().filter(|it| is_peer(it)).take(2).collect();
    (!words.is_empty()).then(|| cut(&words.join(" ")))
}

/// The way as stretches, the oldest first: who wrote it, each host that took it, at last us. `written` is the mail's Date,
/// `here` when we got it.
pub fn way(hops: &[Hop], written: Option<Timestamp>, here: Option<Timestamp>, us: &str) -> Vec<Stop> {
    let mut stops = Vec::with_capacity(hops.len() + 2);
    let stop = |name: &str| Stop {
        name: name.to_owned(),
        seen: None,
        with: None,
        encrypted: None,
        at: None,
        stay: None,
        backwards: false,
    };
    if let Some(first) = hops.first().filter(|it| it.from.is_some() || it.seen.is_some()) {
        let mut it = stop(first.from.as_deref().unwrap_or_default());
        it.seen.clone_from(&first.seen);
        it.at = written;
        stops.push(it);
    }
    for (index, hop) in hops.iter().enumerate() {
        // A host that did not name itself is named by the one it gave the mail to.
        let next = hops.get(index + 1);
        let mut it = stop(hop.by.as_deref().or(next.and_then(|it| it.from.as_deref())).unwrap_or_default());
        it.seen = next.and_then(|it| it.seen.clone());
        it.with.clone_from(&hop.with);
        it.encrypted = Some(hop.is_encrypted());
        it.at = hop.at;
        stops.push(it);
    }
    if let Some(here) = here {
        let mut it = stop(us);
        it.at = Some(here);
        stops.push(it);
    }
    let times: Vec<Option<Timestamp>> = stops.iter().map(|it| it.at).collect();
    for (index, it) in stops.iter_mut().enumerate() {
        let next = times.iter().skip(index + 1).find_map(|it| *it);
        let (Some(at), Some(next)) = (it.at, next) else { continue };
        let stay = next - at;
        it.backwards = stay.as_millis() < -CLOCK_SKEW.as_millis();
        it.stay = (stay.as_millis() >= 0).then_some(stay).or((!it.backwards).then_some(Span::millis(0)));
    }
    stops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse::parse_head;
    use crate::way::Bar;
    use crate::way::bars;
    use crate::way::held_up;

    #[track_caller]
    fn check(value: &str, expect: &str) {
        let it = read(value);
        let text = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".to_owned());
        let at = it.at.map_or_else(|| "-".to_owned(), Timestamp::to_rfc3339);
        let fields = [&it.from, &it.seen, &it.by, &it.with, &it.tls, &it.id, &it.recipient].map(text).join(" | ");
        assert_eq!(format!("{fields} | {at}"), expect, "{value}");
    }

    #[test]
    fn lines_as_hosts_write_them() {
        check(
            "from mail.shop.test (mail.shop.test [192.0.2.7]) by mx.hub.test (Postfix) with ESMTPS id 4XyZ for <orders@hub.test>; Tue, 24 Nov 2026 10:00:03 +0000 (UTC)",
            "mail.shop.test | mail.shop.test [192.0.2.7] | mx.hub.test | ESMTPS | - | 4XyZ | orders@hub.test | 2026-11-24T10:00:03Z",
        );
        check(
            "by 2002:a05:6000:1:b0:1 with SMTP id a1csp12; Tue, 24 Nov 2026 02:00:03 -0800 (PST)",
            "- | - | 2002:a05:6000:1:b0:1 | SMTP | - | a1csp12 | - | 2026-11-24T10:00:03Z",
        );
        check(
            "from [10.0.0.14] (unknown [IPv6:2001:db8::7]) (using TLSv1.3 with cipher TLS_AES_256 (256/256 bits)) (No client certificate requested) by smtp.a.test (Postfix) with ESMTPSA id 9; 24 Nov 2026 10:00 +0100",
            "[10.0.0.14] | [IPv6:2001:db8::7] | smtp.a.test | ESMTPSA | 1.3 | 9 | - | 2026-11-24T09:00:00Z",
        );
        check(
            "from AM0.eur.test (2603:10a6::1) by DB3.eur.test (2603:10a6::2) with Microsoft SMTP Server (version=TLS1_2, cipher=X) id 15.20.1; Tue, 24 Nov 2026 10:00:00 +0000",
            "AM0.eur.test | 2603:10a6::1 | DB3.eur.test | MICROSOFT | 1.2 | 15.20.1 | - | 2026-11-24T10:00:00Z",
        );
        check(
            "(qmail 7 invoked by uid 5); 24 Nov 2026 10:00:00 -0000",
            "- | - | - | - | - | - | - | 2026-11-24T10:00:00Z",
        );
        check("from a.test by b.test; nonsense", "a.test | - | b.test | - | - | - | - | -");
        check("((((", "- | - | - | - | - | - | - | -");
        check("", "- | - | - | - | - | - | - | -");
    }

    const MAIL: &[u8] = b"Received: from relay.b.test (relay.b.test [192.0.2.9]) by mx.c.test with ESMTPS id 3; Tue, 24 Nov 2026 10:11:40 +0000\r\n\
Received: from smtp.a.test by relay.b.test with ESMTP id 2; Tue, 24 Nov 2026 10:00:20 +0000\r\n\
Received: from [10.0.0.14] by smtp.a.test with ESMTPSA id 1; Tue, 24 Nov 2026 10:00:02 +0000\r\n\
Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\n";

    #[test]
    fn the_stop_that_held_it_up_is_found() {
        let head = parse_head(MAIL);
        let here = Timestamp::parse_rfc3339("2026-11-24T10:11:40.2Z").unwrap();
        let stops = way(&hops(head.all("Received")), head.date, Some(here), "Mailroom");
        let names: Vec<(&str, i64)> =
            stops.iter().map(|it| (it.name.as_str(), it.stay.map_or(-1, Span::as_millis))).collect();
        assert_eq!(
            names,
            [
                ("[10.0.0.14]", 2_000),
                ("smtp.a.test", 18_000),
                ("relay.b.test", 680_000),
                ("mx.c.test", 200),
                ("Mailroom", -1)
            ]
        );
        assert_eq!(held_up(&stops), Some(2));
        assert_eq!(
            stops.iter().map(|it| it.encrypted).collect::<Vec<_>>(),
            [None, Some(true), Some(false), Some(true), None]
        );
        let (bars, span) = bars(&stops);
        assert_eq!(bars.get(2), Some(&Some(Bar { start: 28, length: 971 })));
        assert_eq!(span.map(|(a, b)| (b - a).as_millis()), Some(700_200));
    }

    #[test]
    fn a_clock_that_runs_ahead_is_marked_and_a_second_is_nothing() {
        let at = |text: &str| Timestamp::parse_rfc3339(text);
        let hop = |by: &str, time| Hop { by: Some(by.to_owned()), at: at(time), ..Hop::default() };
        let hops =
            [hop("a", "2026-11-24T10:05:00Z"), hop("b", "2026-11-24T10:00:01Z"), hop("c", "2026-11-24T10:00:00Z")];
        let stops = way(&hops, None, at("2026-11-24T10:00:09Z"), "us");
        let read: Vec<(bool, Option<i64>)> =
            stops.iter().map(|it| (it.backwards, it.stay.map(Span::as_millis))).collect();
        assert_eq!(read, [(true, None), (false, Some(0)), (false, Some(9_000)), (false, None)]);
        assert_eq!(bars(&stops).0.first(), Some(&None));
        assert_eq!(held_up(&stops), None);
    }
}
