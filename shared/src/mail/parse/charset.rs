//! Bytes to text: declared charsets, wrong declarations, none at all. Never fails; says when it had to guess.
//!
//! `encoding_rs` knows the charsets of the Web. Mail has more: ISO-2022-KR and -CN, the supersets of ISO-2022-JP, HZ,
//! UTF-7, UTF-32, and labels that only mailers write.

mod pages;

use std::borrow::Cow;

use encoding_rs::BIG5;
use encoding_rs::EUC_JP;
use encoding_rs::EUC_KR;
use encoding_rs::Encoding;
use encoding_rs::GB18030;
use encoding_rs::SHIFT_JIS;
use encoding_rs::UTF_8;
use encoding_rs::WINDOWS_1252;

/// A decoded text.
pub(super) struct Decoded {
    pub(super) text: String,
    /// Every byte was valid in the declared charset (or plain UTF-8 without a declaration).
    pub(super) is_clean: bool,
}

impl Decoded {
    fn clean(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_clean: true }
    }

    fn guessed(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_clean: false }
    }
}

/// Decodes bytes with the charset a mail declared for them, or says it doesn't know.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> Decoded {
    let label = label.map(normalize).filter(|it| !it.is_empty());
    match label.as_deref() {
        None
        | Some(
            "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown-8bit" | "x-unknown" | "unknown" | "8bit" | "binary"
            | "default",
        ) => unlabelled(bytes),
        Some("utf-8" | "utf8" | "unicode-1-1-utf-8" | "utf-8-sig" | "utf8mb4") => utf8(bytes),
        Some(name) if name.starts_with("iso-2022-") || name == "csiso2022jp" || name == "csiso2022kr" => {
            from_iso2022(bytes)
        }
        Some("hz-gb-2312" | "hz") => from_hz(bytes),
        Some("utf-32" | "utf-32le" | "utf-32be" | "ucs-4" | "utf32") => {
            from_utf32(bytes, label.as_deref() == Some("utf-32be"))
        }
        Some("utf-7" | "utf7" | "unicode-1-1-utf-7" | "csutf7" | "x-unicode-2-0-utf-7") => from_utf7(bytes),
        Some(name) => match find(name) {
            Some(encoding) => labelled(bytes, encoding),
            None => match pages::decode(name, bytes).or_else(|| super::other_charset(name, bytes).map(|it| (it, true)))
            {
                Some((text, is_clean)) => Decoded { text, is_clean },
                None => Decoded::guessed(unlabelled(bytes).text),
            },
        },
    }
}

fn normalize(label: &str) -> String {
    let label = label.trim().trim_matches(['"', '\'']);
    // RFC 2231 section 5: `utf-8*en` names a language too.
    let label = label.split('*').next().unwrap_or_default().trim().to_ascii_lowercase();
    label.strip_prefix("charset=").unwrap_or(&label).replace('_', "-").replace("iso8859", "iso-8859")
}

fn find(name: &str) -> Option<&'static Encoding> {
    let name = match name {
        "gb2312" | "gbk" | "gb-2312-80" | "cp936" | "ms936" | "windows-936" | "x-gbk" | "euc-cn" | "gb2312-80" => {
            "gb18030"
        }
        "cp932" | "ms932" | "windows-932" | "x-sjis" | "shift-jis" | "sjis" | "x-ms-cp932" | "windows-31j" => {
            "shift_jis"
        }
        "cp949" | "ms949" | "windows-949" | "uhc" | "ks-c-5601-1987" | "ks-c-5601" | "ksc5601" | "ksc-5601" => "euc-kr",
        "cp950" | "ms950" | "windows-950" | "x-x-big5" | "big5hkscs" => "big5",
        "cp51932" | "eucjp" | "euc-jp-ms" | "x-euc-jp" | "ujis" => "euc-jp",
        "cp874" | "windows-874" | "tis-620" | "iso-8859-11" => "windows-874",
        "latin1" | "latin-1" | "iso-latin-1" => "windows-1252",
        "mac-roman" | "macroman" => "macintosh",
        "mac-cyrillic" | "maccyrillic" => "x-mac-cyrillic",
        other => match other
            .strip_prefix("x-cp")
            .or_else(|| other.strip_prefix("win-"))
            .or_else(|| other.strip_prefix("windows"))
        {
            Some(number) if number.len() == 4 && number.starts_with("12") => {
                return Encoding::for_label(format!("windows-{number}").as_bytes());
            }
            _ => other,
        },
    };
    Encoding::for_label(name.as_bytes()).filter(|it| it.name() != "replacement").or_else(|| {
        // Labels with underscores, as the registry of the Web has them.
        Encoding::for_label(name.replace('-', "_").as_bytes()).filter(|it| it.name() != "replacement")
    })
}

/// A declared charset may be wrong: the commonest mistake is UTF-8 declared as something else.
fn labelled(bytes: &[u8], encoding: &'static Encoding) -> Decoded {
    if bytes.is_ascii() && !encoding.name().starts_with("UTF-16") {
        return if has_iso2022(bytes) { from_iso2022(bytes) } else { Decoded::clean(String::from_utf8_lossy(bytes)) };
    }
    let (text, _, has_errors) = encoding.decode(bytes);
    if !encoding.name().starts_with("UTF-16") {
        let n_sequences = utf8_sequences(bytes);
        let enough = if has_errors || encoding == WINDOWS_1252 { 1 } else { 3 };
        if n_sequences >= enough && (has_errors || !is_multi_byte(encoding)) {
            return Decoded::guessed(String::from_utf8_lossy(bytes));
        }
        // Latin 1 is what careless mailers declare for everything.
        if encoding == WINDOWS_1252 && is_implausible(bytes) {
            return Decoded::guessed(guess(bytes));
        }
    }
    if has_errors {
        // A few broken characters are damage, many are another charset.
        let n_broken = text.chars().filter(|c| *c == '\u{fffd}').count();
        let n_high = text.chars().filter(|c| !c.is_ascii()).count();
        if n_broken * 4 > n_high {
            return Decoded::guessed(guess(bytes));
        }
    }
    Decoded { text: text.into_owned(), is_clean: !has_errors }
}

fn is_multi_byte(encoding: &'static Encoding) -> bool {
    [GB18030, BIG5, SHIFT_JIS, EUC_JP, EUC_KR].contains(&encoding)
}

/// How many multi-byte sequences the bytes hold when they are valid UTF-8, else 0.
fn utf8_sequences(bytes: &[u8]) -> usize {
    core::str::from_utf8(bytes).map_or(0, |text| text.chars().filter(|c| !c.is_ascii()).count())
}

fn unlabelled(bytes: &[u8]) -> Decoded {
    if bytes.is_ascii() {
        if has_hz(bytes) {
            return from_hz(bytes);
        }
        return if has_iso2022(bytes) { from_iso2022(bytes) } else { Decoded::clean(String::from_utf8_lossy(bytes)) };
    }
    let bom = Encoding::for_bom(bytes);
    if let Some((encoding, _)) = bom {
        return Decoded::clean(encoding.decode(bytes).0);
    }
    match core::str::from_utf8(bytes) {
        Ok(text) => Decoded::clean(text),
        Err(_) => Decoded::guessed(guess_or_damaged_utf8(bytes)),
    }
}

fn utf8(bytes: &[u8]) -> Decoded {
    if bytes.is_ascii() {
        return unlabelled(bytes);
    }
    match core::str::from_utf8(bytes) {
        Ok(text) => Decoded::clean(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(_) => Decoded::guessed(guess_or_damaged_utf8(bytes)),
    }
}

/// UTF-8 with a few broken bytes (a text cut in the middle of a character) stays UTF-8.
fn guess_or_damaged_utf8(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let n_broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    let n_valid = text.chars().filter(|c| !c.is_ascii()).count() - n_broken;
    if n_valid > n_broken * 2 { text.into_owned() } else { guess(bytes) }
}

/// Nonsense as Western European, and sense as something else.
fn is_implausible(bytes: &[u8]) -> bool {
    let sample = bytes.get(..bytes.len().min(SAMPLE)).unwrap_or(bytes);
    let (encoding, score) = best(sample);
    encoding != WINDOWS_1252 && score >= 1.3 && score_single(sample, WINDOWS_1252, COMMON_LATIN) < 0.2
}

/// The most plausible text for bytes that are not UTF-8.
fn guess(bytes: &[u8]) -> String {
    let (encoding, _) = best(bytes.get(..bytes.len().min(SAMPLE)).unwrap_or(bytes));
    let mut text = encoding.decode_without_bom_handling(bytes).0;
    if text.contains('\u{fffd}') && encoding == WINDOWS_1252 {
        text = Cow::Owned(text.replace('\u{fffd}', "?"));
    }
    text.into_owned()
}

/// Enough bytes to tell languages apart, few enough for a 25 MiB body.
const SAMPLE: usize = 64 * 1024;

/// The most plausible encoding and its score.
fn best(sample: &[u8]) -> (&'static Encoding, f64) {
    let multi = [
        (SHIFT_JIS, weigh_shift_jis as fn(u8, u8) -> i32),
        (EUC_JP, weigh_euc_jp),
        (EUC_KR, weigh_euc_kr),
        (GB18030, weigh_gb),
        (BIG5, weigh_big5),
    ];
    let best_multi = multi
        .into_iter()
        .filter_map(|(encoding, weigh)| score_multi(sample, encoding, weigh).map(|score| (encoding, score)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let best_single = SINGLE
        .iter()
        .map(|(encoding, common)| (*encoding, score_single(sample, encoding, common)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    match (best_multi, best_single) {
        (Some(multi), Some(single)) => {
            if multi.1 >= single.1 {
                multi
            } else {
                single
            }
        }
        (Some(it), None) | (None, Some(it)) => it,
        (None, None) => (WINDOWS_1252, 0.0),
    }
}

/// Average weight per character outside ASCII, about 2 for real text; `None` when the bytes can't be this charset.
fn score_multi(bytes: &[u8], encoding: &'static Encoding, weigh: fn(u8, u8) -> i32) -> Option<f64> {
    let (text, has_errors) = encoding.decode_without_bom_handling(bytes);
    // A sample may end inside a character.
    if has_errors && text.trim_end_matches('\u{fffd}').contains('\u{fffd}') {
        return None;
    }
    let (mut total, mut count) = (0, 0);
    let mut rest = bytes;
    while let [lead, tail @ ..] = rest {
        rest = tail;
        if lead.is_ascii() {
            continue;
        }
        count += 1;
        if encoding == SHIFT_JIS && (0xa1..=0xdf).contains(lead) {
            total -= 1;
            continue;
        }
        let [trail, after @ ..] = tail else { break };
        rest = after;
        total += weigh(*lead, *trail);
    }
    // One or two characters are too few to believe in: `é,` is a valid pair in most of these.
    if count < 2 { None } else { Some(f64::from(total) / f64::from(count)) }
}

fn weigh_shift_jis(lead: u8, trail: u8) -> i32 {
    match lead {
        0x82 if trail >= 0x9f => 3,
        0x83 if trail <= 0x96 => 3,
        0x81 | 0x82 => 1,
        0x88..=0x97 => 2,
        0x98..=0x9f | 0xe0..=0xea => 0,
        _ => -2,
    }
}

fn weigh_euc_jp(lead: u8, _: u8) -> i32 {
    match lead {
        0xa4 | 0xa5 => 3,
        0xa1 | 0xa3 => 1,
        0xb0..=0xcf => 2,
        0xd0..=0xf4 => 0,
        0x8e => -1,
        _ => -2,
    }
}

fn weigh_euc_kr(lead: u8, trail: u8) -> i32 {
    match (lead, trail) {
        (_, ..=0xa0) | (..=0xa0, _) => -2,
        (0xb0..=0xc8, _) => 3,
        (0xa1 | 0xa3, _) => 1,
        _ => -1,
    }
}

fn weigh_gb(lead: u8, trail: u8) -> i32 {
    match (lead, trail) {
        (_, ..=0xa0) | (..=0xa0, _) => -2,
        (0xb0..=0xd7, _) => 2,
        (0xa1 | 0xa3, _) => 1,
        (0xd8..=0xf7, _) => 0,
        _ => -1,
    }
}

fn weigh_big5(lead: u8, _: u8) -> i32 {
    match lead {
        0xa4..=0xc6 => 2,
        0xa1..=0xa3 => 1,
        0xc9..=0xf9 => 0,
        _ => -2,
    }
}

const COMMON_LATIN: &str = "éèàùâêîôûçëïäöüßñáíóúãõåæøœ";

/// Single-byte charsets with the letters outside ASCII that are frequent in the languages they were made for.
static SINGLE: [(&Encoding, &str); 14] = [
    (WINDOWS_1252, COMMON_LATIN),
    (encoding_rs::WINDOWS_1250, "ąćęłńóśźżáčďěíňřšťůúýžéőűöü"),
    (encoding_rs::ISO_8859_2, "ąćęłńóśźżáčďěíňřšťůúýžéőűöü"),
    (encoding_rs::WINDOWS_1257, "ąčęėįšųūžāēģīķļņõäöü"),
    (encoding_rs::WINDOWS_1251, "оеаинтсрвлкмдпуя"),
    (encoding_rs::ISO_8859_5, "оеаинтсрвлкмдпуя"),
    (encoding_rs::KOI8_U, "оеаинтсрвлкмдпуя"),
    (encoding_rs::IBM866, "оеаинтсрвлкмдпуя"),
    (encoding_rs::WINDOWS_1253, "αοιεστνηρίάόέήςπκμλ"),
    (encoding_rs::WINDOWS_1254, "ışğüçöİ"),
    (encoding_rs::WINDOWS_1255, "יוהלארתבמשנ"),
    (encoding_rs::WINDOWS_1256, "اليمونرتبةعدسفه"),
    (encoding_rs::WINDOWS_874, "านรอกเงมยลวดตสทะ่้ีั"),
    (encoding_rs::WINDOWS_1258, "đươăâêôưàáạảãèéẹìíòóọùúýṇ̃̀́̉̃"),
];

/// Average weight per character outside ASCII, about 2 for real text.
fn score_single(bytes: &[u8], encoding: &'static Encoding, common: &str) -> f64 {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let is_latin = common.contains('ö') || common.contains('đ');
    let (mut total, mut count) = (0.0, 0);
    let mut previous = ' ';
    for c in text.chars() {
        if !c.is_ascii() {
            count += 1;
            let beside_letter = previous.is_alphabetic();
            let mixes = beside_letter && previous.is_ascii() != is_latin;
            let is_thai_mark = matches!(c, '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}');
            total += if is_thai_mark
                && !matches!(previous, '\u{e01}'..='\u{e2e}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}')
            {
                -3.0
            } else if common.contains(c) {
                2.0 - if is_latin && beside_letter && !previous.is_ascii() { 1.5 } else { 0.0 }
            } else if c.is_uppercase() {
                if previous.is_lowercase() {
                    -2.0
                } else if c.to_lowercase().next().is_some_and(|it| common.contains(it)) && !beside_letter {
                    1.2
                } else {
                    0.2
                }
            } else if c == '\u{fffd}' || c.is_control() {
                -4.0
            } else if c.is_alphabetic() {
                if is_latin { -0.3 } else { 0.4 }
            } else if "–—‘’“”„…«»€№°§\u{a0}·•®©™".contains(c) {
                0.7
            } else {
                -2.0
            };
            if !is_latin && mixes && beside_letter && c.is_alphabetic() && previous.is_ascii() {
                total -= 1.5;
            }
        } else if !is_latin && c.is_ascii_alphabetic() && previous.is_alphabetic() && !previous.is_ascii() {
            total -= 1.0;
        }
        previous = c;
    }
    // Western European is what unlabelled mail most often is.
    let prior = if encoding == WINDOWS_1252 { 0.15 } else { 0.0 };
    if count == 0 { prior } else { total / f64::from(count) + prior }
}

/// `~{` and `~}` around pairs of printable bytes.
fn has_hz(bytes: &[u8]) -> bool {
    let Some(start) = bytes.windows(2).position(|it| it == b"~{") else { return false };
    let rest = bytes.get(start + 2..).unwrap_or_default();
    let end = rest.windows(2).take(2_000).position(|it| it == b"~}");
    end.is_some_and(|it| it >= 4 && it.is_multiple_of(2) && rest.iter().take(it).all(u8::is_ascii_graphic))
}

fn has_iso2022(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|it| matches!(it, [0x1b, b'$' | b'(']))
}

/// A character set of ISO 2022, named by the encoding that holds it in its upper half.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    Kana,
    Jis0208,
    Jis0212,
    Gb,
    Ks,
    Unknown,
}

/// ISO-2022-JP with its supersets -1, -2, -3, -2004, ISO-2022-KR and ISO-2022-CN in one decoder (RFC 1468, 1554, 1557, 1922).
fn from_iso2022(bytes: &[u8]) -> Decoded {
    const SEQUENCES: [(&[u8], bool, Set); 19] = [
        (b"(B", false, Set::Ascii),
        (b"(J", false, Set::Ascii),
        (b"(H", false, Set::Ascii),
        (b"(I", false, Set::Kana),
        (b"$@", false, Set::Jis0208),
        (b"$B", false, Set::Jis0208),
        (b"$(@", false, Set::Jis0208),
        (b"$(B", false, Set::Jis0208),
        (b"$(O", false, Set::Jis0208),
        (b"$(Q", false, Set::Jis0208),
        (b"$(D", false, Set::Jis0212),
        (b"$A", false, Set::Gb),
        (b"$(A", false, Set::Gb),
        (b"$(C", false, Set::Ks),
        (b"$)C", true, Set::Ks),
        (b"$)A", true, Set::Gb),
        (b"$)G", true, Set::Unknown),
        (b"$)E", true, Set::Unknown),
        (b"$*H", true, Set::Unknown),
    ];
    let mut res = String::with_capacity(bytes.len());
    let mut pending: (Set, Vec<u8>) = (Set::Ascii, Vec::new());
    let (mut g0, mut g1, mut g2) = (Set::Ascii, Set::Kana, WINDOWS_1252);
    let (mut is_shifted, mut is_clean) = (false, true);
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            0x1b => {
                if let Some((sequence, is_g1, set)) = SEQUENCES.iter().find(|(it, ..)| tail.starts_with(it)) {
                    if *is_g1 {
                        g1 = *set;
                    } else {
                        g0 = *set;
                    }
                    rest = tail.get(sequence.len()..).unwrap_or_default();
                } else if let [b'.', set, tail @ ..] = tail {
                    g2 = if *set == b'F' { encoding_rs::ISO_8859_7 } else { WINDOWS_1252 };
                    rest = tail;
                } else if let [b'N', c, tail @ ..] = tail {
                    is_clean &= flush(&mut pending, &mut res);
                    res.push_str(&g2.decode_without_bom_handling(&[*c | 0x80]).0);
                    rest = tail;
                } else if let [b'&', _, tail @ ..] = tail {
                    rest = tail;
                } else {
                    is_clean = false;
                }
            }
            0x0e => is_shifted = true,
            0x0f => is_shifted = false,
            _ => {
                if *byte == b'\n' {
                    g0 = Set::Ascii;
                    is_shifted = false;
                }
                // Blanks, controls and stray 8-bit bytes belong to no set.
                let set = match byte {
                    ..=0x20 | 0x7f.. => Set::Ascii,
                    _ if is_shifted => g1,
                    _ => g0,
                };
                if set != pending.0 {
                    is_clean &= flush(&mut pending, &mut res);
                    pending.0 = set;
                }
                pending.1.push(*byte);
            }
        }
    }
    is_clean &= flush(&mut pending, &mut res);
    Decoded { text: res, is_clean }
}

/// Appends the collected bytes of one set; false when some have no character.
fn flush(pending: &mut (Set, Vec<u8>), res: &mut String) -> bool {
    let bytes = core::mem::take(&mut pending.1);
    if bytes.is_empty() {
        return true;
    }
    let upper = || bytes.iter().map(|it| it | 0x80);
    let (encoding, shifted): (&Encoding, Vec<u8>) = match pending.0 {
        Set::Ascii if bytes.is_ascii() => (UTF_8, bytes),
        Set::Ascii => {
            res.push_str(&unlabelled(&bytes).text);
            return false;
        }
        Set::Kana => (EUC_JP, bytes.iter().flat_map(|it| [0x8e, it | 0x80]).collect()),
        Set::Jis0208 => (EUC_JP, upper().collect()),
        Set::Jis0212 => (
            EUC_JP,
            bytes.chunks(2).flat_map(|pair| [0x8f].into_iter().chain(pair.iter().map(|it| it | 0x80))).collect(),
        ),
        Set::Gb => (GB18030, upper().collect()),
        Set::Ks => (EUC_KR, upper().collect()),
        Set::Unknown => {
            res.extend(core::iter::repeat_n('\u{fffd}', bytes.len().div_ceil(2)));
            return false;
        }
    };
    let (text, has_errors) = encoding.decode_without_bom_handling(&shifted);
    res.push_str(&text);
    !has_errors
}

/// HZ (RFC 1843): GB 2312 between `~{` and `~}`.
fn from_hz(bytes: &[u8]) -> Decoded {
    let mut gb = Vec::with_capacity(bytes.len());
    let mut is_shifted = false;
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => break,
            [b'~', b'{', tail @ ..] => {
                is_shifted = true;
                tail
            }
            [b'~', b'}', tail @ ..] => {
                is_shifted = false;
                tail
            }
            [b'~', b'~', tail @ ..] if !is_shifted => {
                gb.push(b'~');
                tail
            }
            [b'~', b'\r', b'\n', tail @ ..] | [b'~', b'\n', tail @ ..] => tail,
            [byte, tail @ ..] => {
                if *byte == b'\n' {
                    is_shifted = false;
                }
                gb.push(if is_shifted && (0x21..0x7f).contains(byte) { byte | 0x80 } else { *byte });
                tail
            }
        };
    }
    let (text, has_errors) = GB18030.decode_without_bom_handling(&gb);
    Decoded { text: text.into_owned(), is_clean: !has_errors }
}

/// UTF-7 (RFC 2152).
fn from_utf7(bytes: &[u8]) -> Decoded {
    let mut res = String::with_capacity(bytes.len());
    let mut is_clean = true;
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'+' {
            is_clean &= byte.is_ascii();
            res.push(if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' });
            continue;
        }
        if let [b'-', tail @ ..] = tail {
            res.push('+');
            rest = tail;
            continue;
        }
        // No URL alphabet here: `-` ends a run.
        let digit = |it: u8| super::transfer::sextet(it).filter(|_| it != b'-' && it != b'_');
        let end = tail.iter().position(|it| digit(*it).is_none()).unwrap_or(tail.len());
        let (mut bits, mut n_bits, mut units) = (0u32, 0u32, Vec::new());
        for sextet in tail.iter().take(end).filter_map(|it| digit(*it)) {
            bits = bits << 6 | u32::from(sextet);
            n_bits += 6;
            if n_bits >= 16 {
                n_bits -= 16;
                units.push((bits >> n_bits) as u16);
            }
        }
        let decoded = char::decode_utf16(units).map(|it| it.unwrap_or('\u{fffd}')).collect::<String>();
        is_clean &= !decoded.contains('\u{fffd}');
        res.push_str(&decoded);
        rest = tail.get(end..).unwrap_or_default();
        rest = rest.strip_prefix(b"-").unwrap_or(rest);
    }
    Decoded { text: res, is_clean }
}

fn from_utf32(bytes: &[u8], is_big_endian: bool) -> Decoded {
    let is_big_endian = is_big_endian || bytes.starts_with(&[0, 0, 0xfe, 0xff]);
    let mut is_clean = bytes.len().is_multiple_of(4);
    let text = bytes
        .chunks_exact(4)
        .filter_map(|it| <[u8; 4]>::try_from(it).ok())
        .map(|it| if is_big_endian { u32::from_be_bytes(it) } else { u32::from_le_bytes(it) })
        .map(|it| char::from_u32(it).unwrap_or('\u{fffd}'))
        .inspect(|it| is_clean &= *it != '\u{fffd}')
        .filter(|it| *it != '\u{feff}')
        .collect::<String>();
    Decoded { text, is_clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSSIAN: &str = "Здравствуйте! Когда придёт наш заказ? Спасибо за быстрый ответ.";
    const JAPANESE: &str = "お世話になっております。注文の件でご連絡いたしました。よろしくお願いします。";
    const CHINESE: &str = "您好，我们想订购这个产品，请告诉我们价格和交货时间，谢谢。";
    const TAIWANESE: &str = "您好，我們想訂購這個產品，請告訴我們價格和交貨時間，謝謝。";
    const KOREAN: &str = "안녕하세요. 주문한 제품의 배송 일정을 알려 주시기 바랍니다. 감사합니다.";

    fn check(bytes: &[u8], label: Option<&str>, expect: &str) {
        assert_eq!(decode(bytes, label).text, expect, "{label:?}");
    }

    fn encode(text: &str, label: &str) -> Vec<u8> {
        Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned()
    }

    #[test]
    fn declared_charsets_are_decoded() {
        for (text, web, labels) in [
            (JAPANESE, "iso-2022-jp", &["ISO-2022-JP", "iso-2022-jp-ms", "csISO2022JP"][..]),
            (JAPANESE, "shift_jis", &["Shift_JIS", "cp932", "windows-31j", "x-sjis"]),
            (JAPANESE, "euc-jp", &["EUC-JP", "cp51932"]),
            (CHINESE, "gb18030", &["GB18030", "gb2312", "GBK", "cp936"]),
            (TAIWANESE, "big5", &["Big5", "big5-hkscs", "cp950"]),
            (KOREAN, "euc-kr", &["EUC-KR", "ks_c_5601-1987", "cp949"]),
            (RUSSIAN, "koi8-r", &["KOI8-R", "\"koi8-r\"", "koi8-r*ru"]),
            (RUSSIAN, "windows-1251", &["windows-1251", "cp1251", "win-1251"]),
            ("Grüße, façade €", "windows-1252", &["iso-8859-1", "latin1", "ISO8859-1", "windows-1252"]),
            ("Grüße € ž", "iso-8859-15", &["ISO-8859-15", "iso_8859-15"]),
            ("שלום", "iso-8859-8-i", &["iso-8859-8-i", "ISO-8859-8"]),
            ("สวัสดีครับ", "windows-874", &["windows-874", "tis-620"]),
        ] {
            for label in labels {
                let bytes = encode(text, web);
                check(&bytes, Some(label), text);
                assert!(decode(&bytes, Some(label)).is_clean, "{label}");
            }
        }
        check(
            b"\x1b$)C\x0e>H3gGO\x0f OK",
            Some("iso-2022-kr"),
            &decode(b"\xbe\xc8\xb3\xe7\xc7\xcf OK", Some("euc-kr")).text,
        );
        check(b"~{VPND~} ~~ hz", Some("hz-gb-2312"), "中文 ~ hz");
        check(b"\x1b$)A\x0eVPND\x0f cn", Some("iso-2022-cn"), "中文 cn");
        check(b"\x1b(I1\x1b(B", Some("iso-2022-jp"), "ｱ");
        check(b"Hi +AOQ-+AGE- 1 +- 1 +ZeVnLIqe-", Some("utf-7"), "Hi äa 1 + 1 日本語");
        check(b"A\0\0\0\xe4\0\0\0", Some("utf-32le"), "Aä");
        check(&[0x82], Some("cp850"), "é");
    }

    #[test]
    fn wrong_and_missing_labels_are_seen_through() {
        check("Grüße".as_bytes(), Some("iso-8859-1"), "Grüße");
        check("Grüße".as_bytes(), Some("us-ascii"), "Grüße");
        check("Grüße".as_bytes(), Some("x-no-such-thing"), "Grüße");
        check(b"Gr\xfc\xdfe aus K\xf6ln", Some("utf-8"), "Grüße aus Köln");
        check(b"caf\xe9", None, "café");
        check(RUSSIAN.as_bytes(), Some("koi8-r"), RUSSIAN);
        for (text, label) in [
            (RUSSIAN, "windows-1251"),
            (RUSSIAN, "koi8-r"),
            (RUSSIAN, "ibm866"),
            (JAPANESE, "shift_jis"),
            (JAPANESE, "euc-jp"),
            (JAPANESE, "iso-2022-jp"),
            (CHINESE, "gb18030"),
            (TAIWANESE, "big5"),
            (KOREAN, "euc-kr"),
            ("Ελληνικά: η παραγγελία μας δεν έφτασε ακόμα, παρακαλώ απαντήστε.", "windows-1253"),
            ("שלום, מתי תגיע ההזמנה שלנו? תודה רבה מראש.", "windows-1255"),
            ("مرحبا، متى سيصل طلبنا؟ شكرا جزيلا لكم", "windows-1256"),
            ("สวัสดีครับ สินค้าที่สั่งซื้อจะมาถึงเมื่อไหร่", "windows-874"),
            ("Où est passée ma commande ? Merci d’avance, à bientôt.", "windows-1252"),
            ("Żółte łódki płyną, proszę o fakturę i odpowiedź.", "windows-1250"),
            ("Siparişimiz ne zaman gelecek? Teşekkür ederiz, iyi günler, ığdır.", "windows-1254"),
        ] {
            check(&encode(text, label), None, text);
            check(&encode(text, label), Some("utf-8"), text);
        }
    }

    #[test]
    fn cut_utf8_stays_utf8() {
        let bytes = "Đơn hàng của chúng tôi chưa đế".as_bytes();
        let cut = &bytes[..bytes.len() - 1];
        assert!(decode(cut, Some("utf-8")).text.starts_with("Đơn hàng của chúng tôi"));
        assert!(!decode(cut, Some("utf-8")).is_clean);
    }
}
