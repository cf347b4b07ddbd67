//! Content-Transfer-Encoding (RFC 2045 section 6), read from mailers that did not: linear, and never fails.

/// The value of a base 64 digit, the URL alphabet included.
pub(super) const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Decodes base 64; bytes that are no digits are skipped, padding in the middle starts anew (joined encodings). The flag
/// is false when something other than line ends and blanks was skipped.
pub(super) fn from_base64(bytes: &[u8]) -> (Vec<u8>, bool) {
    if has_words(bytes, 1) {
        return (bytes.to_vec(), false);
    }
    let mut res = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut bits, mut n_digits, mut is_clean) = (0u32, 0u8, true);
    for (i, byte) in bytes.iter().enumerate() {
        if let Some(sextet) = sextet(*byte) {
            bits = bits << 6 | u32::from(sextet);
            n_digits += 1;
            if n_digits == 4 {
                let [_, a, b, c] = bits.to_be_bytes();
                res.extend_from_slice(&[a, b, c]);
                (bits, n_digits) = (0, 0);
            }
        } else if *byte == b'=' {
            finish_base64(&mut res, bits, n_digits);
            (bits, n_digits) = (0, 0);
            // What a mailing list wrote below the encoded text is none of it.
            let rest = bytes.get(i + 1..).unwrap_or_default();
            if rest.first() != Some(&b'=') && has_words(rest, 3) {
                return (res, false);
            }
        } else if !byte.is_ascii_whitespace() {
            is_clean = false;
        }
    }
    finish_base64(&mut res, bits, n_digits);
    (res, is_clean)
}

/// A line among the first with blanks within it: words, whatever was declared.
fn has_words(bytes: &[u8], n_lines: usize) -> bool {
    let lines = bytes.split(|it| *it == b'\n').map(<[u8]>::trim_ascii).filter(|it| !it.is_empty());
    lines.take(n_lines).any(|line| line.split(|it| *it == b' ').nth(2).is_some())
}

fn finish_base64(res: &mut Vec<u8>, bits: u32, n_digits: u8) {
    match n_digits {
        2 => res.push((bits >> 4) as u8),
        3 => res.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
}

/// Decodes quoted-printable; a stray `=` stays as it is. The flag is false when there was one.
pub(super) fn from_quoted_printable(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut res = Vec::with_capacity(bytes.len());
    let mut is_clean = true;
    for line in bytes.split_inclusive(|it| *it == b'\n') {
        let (body, end): (&[u8], &[u8]) = if let Some(body) = line.strip_suffix(b"\r\n") {
            (body, b"\r\n")
        } else if let Some(body) = line.strip_suffix(b"\n") {
            (body, b"\n")
        } else {
            (line, b"")
        };
        // RFC 2045 section 6.7 (3): blanks at the end of a line were added on the way.
        let body = body.trim_ascii_end();
        let (body, end) = match body.strip_suffix(b"=") {
            Some(body) => (body, &b""[..]),
            None => (body, end),
        };
        let mut rest = body;
        while let [byte, tail @ ..] = rest {
            rest = tail;
            if *byte != b'=' {
                res.push(*byte);
                continue;
            }
            match tail {
                [a, b, tail @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                    res.push(hex(*a) << 4 | hex(*b));
                    rest = tail;
                }
                _ => {
                    is_clean = false;
                    res.push(b'=');
                }
            }
        }
        res.extend_from_slice(end);
    }
    (res, is_clean)
}

/// The value of a hexadecimal digit, 0 for anything else.
pub(super) const fn hex(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => 0,
    }
}

/// Decodes uuencode between its `begin` and `end` lines.
pub(super) fn from_uuencode(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut res = Vec::with_capacity(bytes.len() / 4 * 3);
    let mut is_inside = false;
    for line in bytes.split(|it| *it == b'\n').map(|it| it.strip_suffix(b"\r").unwrap_or(it)) {
        if !is_inside {
            is_inside = line.starts_with(b"begin ");
            continue;
        }
        if line == b"end" {
            return (res, true);
        }
        let value = |byte: u8| byte.wrapping_sub(b' ') & 63;
        let [length, digits @ ..] = line else { continue };
        let mut left = usize::from(value(*length));
        for group in digits.chunks(4) {
            let bits = (0..4).fold(0u32, |bits, i| bits << 6 | u32::from(value(group.get(i).copied().unwrap_or(b' '))));
            let [_, decoded @ ..] = bits.to_be_bytes();
            res.extend(decoded.iter().take(left));
            left = left.saturating_sub(3);
        }
    }
    (res, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_read_leniently() {
        for (text, expect, is_clean) in [
            ("SGVsbG8=", "Hello", true),
            ("SGVs\r\nbG8", "Hello", true),
            ("SGVsbG8=\r\nSGVsbG8=", "HelloHello", true),
            ("SG*Vsb!G8=", "Hello", false),
            ("", "", true),
            ("=", "", true),
        ] {
            assert_eq!(from_base64(text.as_bytes()), (expect.as_bytes().to_vec(), is_clean), "{text:?}");
        }
        for (text, expect, is_clean) in [
            ("a=3Db", "a=b", true),
            ("soft=\r\nbreak", "softbreak", true),
            ("blanks  \r\nnext", "blanks\r\nnext", true),
            ("soft= \nbreak", "softbreak", true),
            ("100 = one =zz hundred=", "100 = one =zz hundred", false),
            ("=c3=A9", "é", true),
        ] {
            assert_eq!(from_quoted_printable(text.as_bytes()), (expect.as_bytes().to_vec(), is_clean), "{text:?}");
        }
        assert_eq!(from_uuencode(b"begin 644 x\r\n#0V%T\r\n`\r\nend\r\n"), (b"Cat".to_vec(), true));
    }
}
