//! Charsets that switch between sets within 7 bits: ISO-2022-JP with its supersets -1, -2, -3, -2004, ISO-2022-KR, ISO-2022-CN
//! (RFC 1468, 1554, 1557, 1922) and HZ (RFC 1843). `encoding_rs` knows only the first, as the Web has it.

use encoding_rs::EUC_JP;
use encoding_rs::EUC_KR;
use encoding_rs::Encoding;
use encoding_rs::GB18030;
use encoding_rs::UTF_8;
use encoding_rs::WINDOWS_1252;

use super::Decoded;
use super::taiwan;

pub(super) fn has_iso2022(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|it| matches!(it, [0x1b, b'$' | b'(']))
}

/// `~{` and `~}` around pairs of printable bytes.
pub(super) fn has_hz(bytes: &[u8]) -> bool {
    let Some(start) = bytes.windows(2).position(|it| it == b"~{") else { return false };
    let rest = bytes.get(start + 2..).unwrap_or_default();
    let end = rest.windows(2).take(2_000).position(|it| it == b"~}");
    end.is_some_and(|it| it >= 4 && it.is_multiple_of(2) && rest.iter().take(it).all(u8::is_ascii_graphic))
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
    /// CNS 11643, by plane.
    Cns(u8),
}

/// All of ISO 2022 in one decoder: the escape sequences of the languages do not collide.
pub(super) fn from_iso2022(bytes: &[u8]) -> Decoded {
    const SEQUENCES: [(&[u8], bool, Set); 18] = [
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
        (b"$)G", true, Set::Cns(1)),
        // ISO-IR-165 holds GB 2312 in its lower half.
        (b"$)E", true, Set::Gb),
    ];
    let mut res = String::with_capacity(bytes.len());
    let mut pending: (Set, Vec<u8>) = (Set::Ascii, Vec::new());
    let (mut g0, mut g1, mut g2) = (Set::Ascii, Set::Kana, WINDOWS_1252);
    let (mut ss2, mut ss3) = (Set::Ascii, Set::Ascii);
    let (mut is_shifted, mut is_clean) = (false, true);
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            0x1b => {
                let after = tail.first();
                if let Some((sequence, is_g1, set)) = SEQUENCES.iter().find(|(it, ..)| tail.starts_with(it)) {
                    if *is_g1 {
                        g1 = *set;
                    } else {
                        g0 = *set;
                    }
                    rest = tail.get(sequence.len()..).unwrap_or_default();
                } else if let Some(tail) = tail.strip_prefix(b"$*H") {
                    ss2 = Set::Cns(2);
                    rest = tail;
                } else if let [b'$', b'+', set @ b'I'..=b'M', tail @ ..] = tail {
                    ss3 = Set::Cns(set - b'I' + 3);
                    rest = tail;
                } else if let [b'N' | b'O', a @ 0x21..=0x7e, b @ 0x21..=0x7e, tail @ ..] = tail
                    && let Set::Cns(plane) = if after == Some(&b'N') { ss2 } else { ss3 }
                {
                    is_clean &= flush(&mut pending, &mut res);
                    is_clean &= taiwan::decode_plane(plane, &[*a, *b], &mut res);
                    rest = tail;
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
            res.push_str(&super::unlabelled(&bytes).text);
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
        Set::Cns(plane) => return taiwan::decode_plane(plane, &bytes, res),
    };
    let (text, has_errors) = encoding.decode_without_bom_handling(&shifted);
    res.push_str(&text);
    !has_errors
}

/// HZ (RFC 1843): GB 2312 between `~{` and `~}`.
pub(super) fn from_hz(bytes: &[u8]) -> Decoded {
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
