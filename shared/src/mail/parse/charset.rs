//! Bytes to text: declared charsets, wrong declarations, none at all. Never fails; says when it had to guess.
//!
//! `encoding_rs` knows the charsets of the Web. Mail has more: ISO-2022-KR and -CN, the supersets of ISO-2022-JP, HZ,
//! UTF-7, UTF-32, Johab, EUC-TW, code pages of DOS and old Macs, and labels that only mailers write.

mod guess;
mod iso2022;
mod johab;
mod pages;
mod taiwan;
mod utf;

use encoding_rs::BIG5;
use encoding_rs::EUC_JP;
use encoding_rs::EUC_KR;
use encoding_rs::Encoding;
use encoding_rs::GB18030;
use encoding_rs::SHIFT_JIS;
use encoding_rs::WINDOWS_1252;
use encoding_rs::WINDOWS_1258;
use icu_normalizer::ComposingNormalizerBorrowed;

/// A decoded text.
pub(super) struct Decoded {
    pub(super) text: String,
    /// Every byte was valid in the declared charset (or plain UTF-8 without a declaration).
    pub(super) is_clean: bool,
}

impl From<(String, bool)> for Decoded {
    fn from((text, is_clean): (String, bool)) -> Self {
        Self { text, is_clean }
    }
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
        Some(name) if name.starts_with("iso-2022") || name.starts_with("iso2022") || name.starts_with("csiso2022") => {
            iso2022::from_iso2022(bytes)
        }
        Some("hz-gb-2312" | "hz" | "hz-gb" | "hzgb" | "cp52936") => iso2022::from_hz(bytes),
        Some(
            name @ ("utf-32" | "utf-32le" | "utf-32be" | "ucs-4" | "ucs-4be" | "ucs-4le" | "iso-10646-ucs-4" | "u32"),
        ) => utf::from_utf32(bytes, name),
        Some(
            name @ ("utf-16"
            | "utf-16le"
            | "utf-16be"
            | "ucs-2"
            | "ucs-2be"
            | "ucs-2le"
            | "iso-10646-ucs-2"
            | "unicode"
            | "csunicode"
            | "u16"
            | "cp1200"
            | "cp1201"
            | "unicodebigunmarked"
            | "unicodelittleunmarked"),
        ) => utf::from_utf16(bytes, name),
        Some("utf-7" | "utf7" | "u7" | "unicode-1-1-utf-7" | "csutf7" | "x-unicode-2-0-utf-7" | "cp65000") => {
            utf::from_utf7(bytes)
        }
        Some("johab" | "cp1361" | "ms1361" | "x-johab" | "ks-x-1001:1992-3") => johab::decode(bytes).into(),
        Some("euc-tw" | "euctw" | "x-euc-tw" | "cns11643" | "cp964") => taiwan::from_euc_tw(bytes).into(),
        Some(name) => match find(name) {
            Some(encoding) => labelled(bytes, encoding),
            None => match pages::decode(name, bytes) {
                Some(found) => labelled_page(bytes, found.into()),
                None => match super::other_charset(name, bytes) {
                    Some(text) => Decoded::clean(text),
                    None => Decoded::guessed(unlabelled(bytes).text),
                },
            },
        },
    }
}

fn normalize(label: &str) -> String {
    let label = label.trim().trim_matches(['"', '\'']);
    // RFC 2231 section 5: `utf-8*en` names a language too.
    let label = label.split('*').next().unwrap_or_default().trim().to_ascii_lowercase();
    let label = label.strip_prefix("charset=").unwrap_or(&label).replace('_', "-").replace("iso8859", "iso-8859");
    let label = label.replace("utf-16-", "utf-16").replace("utf-32-", "utf-32");
    // The registry of IANA names years: `ISO_8859-4:1988`.
    match label.rsplit_once([':', '-']) {
        Some((base, year)) if year.len() == 4 && (year.starts_with("19") || year.starts_with("20")) => base.to_owned(),
        _ => label,
    }
}

/// A page that was declared, unless the bytes are plainly UTF-8.
fn labelled_page(bytes: &[u8], found: Decoded) -> Decoded {
    if utf8_sequences(bytes) >= 3 { Decoded::guessed(String::from_utf8_lossy(bytes)) } else { found }
}

fn find(name: &str) -> Option<&'static Encoding> {
    let name = match name {
        "gb2312" | "gbk" | "936" | "gb18030-2000" | "gb-18030" | "cn-gb" | "iso-ir-58" | "gb-2312-80" | "cp936"
        | "ms936" | "windows-936" | "x-gbk" | "euc-cn" | "gb2312-80" => "gb18030",
        "cp932" | "932" | "mskanji" | "ms-kanji" | "shift-jis-2004" | "shiftjis2004" | "sjis-2004"
        | "shift-jisx0213" | "sjisx0213" | "s-jis" | "shiftjis" | "cp943" | "ms932" | "windows-932" | "x-sjis"
        | "shift-jis" | "sjis" | "x-ms-cp932" | "windows-31j" => "shift_jis",
        "cp949" | "949" | "euckr" | "ks-x-1001" | "ksx1001" | "x-mac-korean" | "iso-ir-149" | "cp51949" | "ms949"
        | "windows-949" | "uhc" | "ks-c-5601-1987" | "ks-c-5601" | "ksc5601" | "ksc-5601" => "euc-kr",
        "cp950" | "950" | "big-5" | "bigfive" | "big5-tw" | "big5-eten" | "cp951" | "hkscs" | "big5-hkscs-2004"
        | "ms950" | "windows-950" | "x-x-big5" | "big5hkscs" => "big5",
        "cp51932" | "eucjp" | "u-jis" | "euc-jis-2004" | "eucjis2004" | "euc-jisx0213" | "jisx0213" | "eucjpms"
        | "cp20932" | "euc-jp-2004" | "euc-jp-ms" | "x-euc-jp" | "ujis" => "euc-jp",
        "cp874" | "windows-874" | "tis-620" | "iso-8859-11" => "windows-874",
        "koi8-ru" | "cp21866" | "koi8u" => "koi8-u",
        "koi8r" | "koi" | "cp20866" => "koi8-r",
        "latin1" | "latin-1" | "8859" | "8859-1" | "cp819" | "l1" | "cp28591" | "ansi" | "western" | "iso-latin-1" => {
            "windows-1252"
        }
        "mac-roman" | "macroman" | "cp10000" => "macintosh",
        "mac-cyrillic" | "maccyrillic" | "mac-ukrainian" | "macukraine" | "cp10007" => "x-mac-cyrillic",
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
        return unlabelled(bytes);
    }
    let (text, _, has_errors) = encoding.decode(bytes);
    if encoding == WINDOWS_1258 {
        // It writes tones as marks of their own; people search for whole letters.
        let text = ComposingNormalizerBorrowed::new_nfc().normalize(&text);
        return Decoded { text: text.into_owned(), is_clean: !has_errors };
    }
    if !encoding.name().starts_with("UTF-16") {
        let n_sequences = utf8_sequences(bytes);
        let enough = if has_errors || encoding == WINDOWS_1252 { 1 } else { 3 };
        if n_sequences >= enough && (has_errors || !is_multi_byte(encoding)) {
            return Decoded::guessed(String::from_utf8_lossy(bytes));
        }
        // Latin 1 is what careless mailers declare for everything.
        if encoding == WINDOWS_1252 && guess::is_not_western(bytes) {
            return Decoded::guessed(guess::text(bytes));
        }
    }
    if has_errors {
        // A few broken characters are damage, many are another charset.
        let n_broken = text.chars().filter(|c| *c == '\u{fffd}').count();
        let n_high = text.chars().filter(|c| !c.is_ascii()).count();
        if n_broken * 4 > n_high {
            return Decoded::guessed(guess::text(bytes));
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
        if iso2022::has_hz(bytes) {
            return iso2022::from_hz(bytes);
        }
        if utf::looks_like_utf16(bytes) {
            return Decoded { is_clean: false, ..utf::from_utf16(bytes, "") };
        }
        return if iso2022::has_iso2022(bytes) {
            iso2022::from_iso2022(bytes)
        } else {
            Decoded::clean(String::from_utf8_lossy(bytes))
        };
    }
    if utf::looks_like_utf16(bytes) {
        return Decoded { is_clean: false, ..utf::from_utf16(bytes, "") };
    }
    if bytes.starts_with(&[0, 0, 0xfe, 0xff]) || bytes.starts_with(&[0xff, 0xfe, 0, 0]) {
        return utf::from_utf32(bytes, "");
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
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
    if n_valid > n_broken * 2 { text.into_owned() } else { guess::text(bytes) }
}

#[cfg(test)]
mod tests;
