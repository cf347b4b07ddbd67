//! Johab (KS X 1001 annex 3, code page 1361): Korean syllables composed of five bits per letter; symbols and Chinese
//! characters are those of EUC-KR, two rows per lead byte.

use encoding_rs::EUC_KR;

const INITIALS: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const FINALS: &str = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";

/// Bits of a letter to its number; the outer `None` is no letter, the inner one an empty place.
type Letter = Option<Option<u32>>;

fn initial(bits: u32) -> Letter {
    match bits {
        1 => Some(None),
        2..=20 => Some(Some(bits - 2)),
        _ => None,
    }
}

fn medial(bits: u32) -> Letter {
    match bits {
        2 => Some(None),
        3..=7 => Some(Some(bits - 3)),
        10..=15 => Some(Some(bits - 5)),
        18..=23 => Some(Some(bits - 7)),
        26..=29 => Some(Some(bits - 9)),
        _ => None,
    }
}

fn last(bits: u32) -> Letter {
    match bits {
        1 => Some(None),
        2..=17 => Some(Some(bits - 2)),
        19..=29 => Some(Some(bits - 3)),
        _ => None,
    }
}

fn hangul(lead: u8, trail: u8) -> Option<char> {
    let bits = u32::from(lead) << 8 | u32::from(trail);
    match (initial(bits >> 10 & 31)?, medial(bits >> 5 & 31)?, last(bits & 31)?) {
        (Some(a), Some(b), c) => char::from_u32(0xac00 + (a * 21 + b) * 28 + c.map_or(0, |it| it + 1)),
        (Some(a), None, None) => INITIALS.chars().nth(a as usize),
        (None, Some(b), None) => char::from_u32(0x314f + b),
        (None, None, Some(c)) => FINALS.chars().nth(c as usize),
        _ => None,
    }
}

/// Two bytes of EUC-KR for a symbol or a Chinese character.
fn other(lead: u8, trail: u8) -> Option<[u8; 2]> {
    let row = match lead {
        0xd9..=0xde => 0xa1 + (lead - 0xd9) * 2,
        0xe0..=0xf9 => 0xca + (lead - 0xe0) * 2,
        _ => return None,
    };
    match trail {
        0x31..=0x7e => Some([row, trail - 0x31 + 0xa1]),
        0x91..=0xa0 => Some([row, trail - 0x91 + 0xa1 + 78]),
        0xa1..=0xfe => Some([row + 1, trail]),
        _ => None,
    }
}

/// The text, and whether every byte had a character.
pub(super) fn decode(bytes: &[u8]) -> (String, bool) {
    let mut res = String::with_capacity(bytes.len());
    let mut is_clean = true;
    let mut rest = bytes;
    while let [lead, after @ ..] = rest {
        rest = after;
        // The won sign stands in the place of the backslash only in fonts.
        if lead.is_ascii() {
            res.push(char::from(*lead));
            continue;
        }
        let [trail, after @ ..] = after else {
            is_clean = false;
            res.push('\u{fffd}');
            break;
        };
        let found = hangul(*lead, *trail).filter(|_| (0x84..=0xd3).contains(lead)).map(String::from).or_else(|| {
            let pair = other(*lead, *trail)?;
            let (text, has_errors) = EUC_KR.decode_without_bom_handling(&pair);
            Some(text.into_owned()).filter(|_| !has_errors)
        });
        if let Some(text) = found {
            res.push_str(&text);
            rest = after;
        } else {
            is_clean = false;
            res.push('\u{fffd}');
            // A broken pair does not swallow a letter of the next word.
            rest = if trail.is_ascii() { rest } else { after };
        }
    }
    (res, is_clean)
}
