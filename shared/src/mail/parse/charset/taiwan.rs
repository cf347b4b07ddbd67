//! CNS 11643, the character set of EUC-TW and ISO-2022-CN: planes 1 and 2 hold the characters of Big5 in nearly the same
//! order (Ken Lunde, CJKV Information Processing, appendix on Big5 and CNS), so runs of code points tell all of it.

use encoding_rs::BIG5;

/// First code point of the plane, how many, first of Big5.
#[rustfmt::skip]
static PLANE_1: [(u16, u16, u16); 46] = [
    (0x2121, 5, 0xa140), (0x2127, 8, 0xa146), (0x2130, 6, 0xa14f), (0x2136, 2, 0xa157), (0x2139, 1, 0xa156),
    (0x213e, 44, 0xa15d), (0x216a, 1, 0xa1ac), (0x216b, 1, 0xa1ab), (0x216c, 22, 0xa1ad), (0x2225, 1, 0xa1c4),
    (0x2227, 27, 0xa1c6), (0x2242, 1, 0xa1e2), (0x2243, 1, 0xa1e1), (0x2244, 19, 0xa1e3), (0x2257, 1, 0xa1f7),
    (0x2258, 1, 0xa1f6), (0x2259, 4, 0xa1f8), (0x225e, 1, 0xa155), (0x225f, 2, 0xa1fe), (0x2263, 1, 0xa243),
    (0x2265, 1, 0xa245), (0x2268, 69, 0xa248), (0x2421, 29, 0xa2af), (0x243f, 1, 0xa2cd), (0x2441, 142, 0xa2cf),
    (0x2621, 20, 0xc7e9), (0x4421, 17, 0xa440), (0x4432, 1, 0xa2cc), (0x4433, 86, 0xa452), (0x452b, 1, 0xa2ce),
    (0x452c, 1307, 0xa4cb), (0x5323, 424, 0xad40), (0x5753, 1, 0xacfe), (0x5754, 1876, 0xafd0), (0x6b50, 1, 0xbe52),
    (0x6b51, 387, 0xbbc8), (0x6f5c, 525, 0xbe53), (0x7535, 1, 0xc2cb), (0x7536, 189, 0xc1ab), (0x7737, 84, 0xc2cc),
    (0x782d, 1, 0xc456), (0x782e, 54, 0xc361), (0x7864, 1, 0xc3ba), (0x7865, 1, 0xc3b9), (0x7866, 90, 0xc3bb),
    (0x7962, 354, 0xc457),
];

#[rustfmt::skip]
static PLANE_2: [(u16, u16, u16); 49] = [
    (0x2121, 10, 0xc940), (0x212b, 33, 0xc94b), (0x214c, 1, 0xc9be), (0x214d, 48, 0xc96c), (0x217d, 46, 0xc9bf),
    (0x224d, 1, 0xcaf7), (0x224e, 167, 0xc9ed), (0x2439, 1840, 0xcaf8), (0x376f, 1, 0xdadf), (0x3770, 108, 0xd6cd),
    (0x387e, 537, 0xd77b), (0x3e63, 1, 0xd6cc), (0x3e64, 100, 0xdae0), (0x3f6a, 1, 0xd77a), (0x3f6b, 399, 0xdba7),
    (0x4424, 1637, 0xddfd), (0x554b, 1, 0xebf1), (0x554c, 146, 0xe8a3), (0x5722, 1, 0xecde), (0x5723, 287, 0xe976),
    (0x5a28, 1, 0xf0cb), (0x5a29, 116, 0xeb5b), (0x5b3f, 137, 0xebf2), (0x5c6a, 104, 0xecdf), (0x5d74, 1, 0xf056),
    (0x5d75, 222, 0xedaa), (0x6039, 198, 0xeeec), (0x6243, 82, 0xf057), (0x6337, 86, 0xf0cc), (0x642f, 1, 0xeeeb),
    (0x6430, 8, 0xf163), (0x6438, 153, 0xf16c), (0x6573, 56, 0xf269), (0x664d, 1, 0xf4b5), (0x664e, 113, 0xf2c3),
    (0x6761, 1, 0xf16b), (0x6762, 142, 0xf375), (0x6934, 1, 0xf268), (0x6935, 45, 0xf466), (0x6962, 71, 0xf4b6),
    (0x6a4b, 1, 0xf663), (0x6a4c, 194, 0xf4fd), (0x6c52, 490, 0xf664), (0x7166, 1, 0xf9c4), (0x7167, 43, 0xf977),
    (0x7234, 1, 0xf9c5), (0x7235, 11, 0xf9c7), (0x7240, 1, 0xf9c6), (0x7241, 4, 0xf9d2),
];

/// The place of a character among those of its set: 94 in a row.
fn position(code: u16) -> u16 {
    let [row, cell] = code.to_be_bytes();
    u16::from(row.wrapping_sub(0x21)) * 94 + u16::from(cell.wrapping_sub(0x21))
}

/// Code points of Big5 after `first`: 157 in a row, in two blocks.
fn big5_after(first: u16, n: u16) -> [u8; 2] {
    let [lead, trail] = first.to_be_bytes();
    let column = if trail < 0x7f { u16::from(trail) - 0x40 } else { u16::from(trail) - 0xa1 + 63 };
    let at = u16::from(lead - 0xa1) * 157 + column + n;
    let (row, column) = (at / 157, at % 157);
    [(row + 0xa1) as u8, (if column < 63 { column + 0x40 } else { column - 63 + 0xa1 }) as u8]
}

/// The character of two 7-bit bytes in plane 1 or 2.
fn character(plane: u8, pair: [u8; 2]) -> Option<String> {
    let table: &[(u16, u16, u16)] = match plane {
        1 => &PLANE_1,
        2 => &PLANE_2,
        _ => return None,
    };
    let at = position(u16::from_be_bytes(pair));
    let (first, _, big5) = table.iter().find(|(first, n, _)| (position(*first)..position(*first) + n).contains(&at))?;
    let pair = big5_after(*big5, at - position(*first));
    let (text, has_errors) = BIG5.decode_without_bom_handling(&pair);
    if has_errors { None } else { Some(text.into_owned()) }
}

/// Pairs of 7-bit bytes of one plane; false when some have no character.
pub(super) fn decode_plane(plane: u8, bytes: &[u8], res: &mut String) -> bool {
    let mut is_clean = true;
    for pair in bytes.chunks(2) {
        let text = <[u8; 2]>::try_from(pair).ok().and_then(|it| character(plane, it));
        is_clean &= text.is_some();
        res.push_str(text.as_deref().unwrap_or("\u{fffd}"));
    }
    is_clean
}

/// EUC-TW: plane 1 in two bytes, any plane in four.
pub(super) fn from_euc_tw(bytes: &[u8]) -> (String, bool) {
    let mut res = String::with_capacity(bytes.len());
    let mut is_clean = true;
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return (res, is_clean),
            [0x8e, plane @ 0xa1..=0xb0, a @ 0xa1..=0xfe, b @ 0xa1..=0xfe, tail @ ..] => {
                is_clean &= decode_plane(plane - 0xa0, &[a & 0x7f, b & 0x7f], &mut res);
                tail
            }
            [a @ 0xa1..=0xfe, b @ 0xa1..=0xfe, tail @ ..] => {
                is_clean &= decode_plane(1, &[a & 0x7f, b & 0x7f], &mut res);
                tail
            }
            [byte, tail @ ..] => {
                is_clean &= byte.is_ascii();
                res.push(if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' });
                tail
            }
        };
    }
}
