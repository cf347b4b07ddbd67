//! UTF-7, UTF-16 and UTF-32: the Unicode forms that mail has and the Web gave up.

use encoding_rs::UTF_16BE;
use encoding_rs::UTF_16LE;

use super::Decoded;

/// UTF-7 (RFC 2152).
pub(super) fn from_utf7(bytes: &[u8]) -> Decoded {
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
        let digit = |it: u8| crate::mail::parse::transfer::sextet(it).filter(|_| it != b'-' && it != b'_');
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

/// UTF-32; without a mark and a say, big endian unless the first character says otherwise.
pub(super) fn from_utf32(bytes: &[u8], label: &str) -> Decoded {
    let is_big_endian = match bytes {
        [0, 0, 0xfe, 0xff, ..] => true,
        [0xff, 0xfe, 0, 0, ..] => false,
        _ if label.ends_with("le") => false,
        _ if label.ends_with("be") => true,
        _ => bytes.first() == Some(&0),
    };
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

/// UTF-16; without a mark and a say, the order in which blanks and line ends make sense (RFC 2781 says big endian,
/// mailers write little).
pub(super) fn from_utf16(bytes: &[u8], label: &str) -> Decoded {
    let is_big_endian = match bytes {
        [0xfe, 0xff, ..] => true,
        [0xff, 0xfe, ..] => false,
        _ if label.ends_with("le") => false,
        _ if label.ends_with("be") => true,
        _ => zeros(bytes, 0) > zeros(bytes, 1),
    };
    let encoding = if is_big_endian { UTF_16BE } else { UTF_16LE };
    let (text, has_errors) = encoding.decode_with_bom_removal(bytes);
    Decoded { text: text.into_owned(), is_clean: !has_errors }
}

/// UTF-16 that nobody declared: half of its bytes are zero, always the same half.
pub(super) fn looks_like_utf16(bytes: &[u8]) -> bool {
    let half = bytes.len() / 2;
    let (even, odd) = (zeros(bytes, 0), zeros(bytes, 1));
    half >= 4 && bytes.len().is_multiple_of(2) && even.max(odd) * 10 >= half * 6 && even.min(odd) * 10 <= half
}

fn zeros(bytes: &[u8], offset: usize) -> usize {
    bytes.iter().skip(offset).step_by(2).filter(|it| **it == 0).count()
}
