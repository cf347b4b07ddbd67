//! Text without a charset, or with a wrong one: `chardetng`, the detector of Firefox, and what mail needs beside it.

use chardetng::EncodingDetector;
use chardetng::Iso2022JpDetection;
use chardetng::Utf8Detection;
use encoding_rs::Encoding;
use encoding_rs::WINDOWS_1252;

/// Enough bytes to tell languages apart, few enough for a 25 MiB body.
const SAMPLE: usize = 64 * 1024;

/// The most plausible encoding of bytes that are neither ASCII nor UTF-8.
fn encoding(bytes: &[u8]) -> &'static Encoding {
    // `10 µm ± 2 °C` has no words that could tell.
    if bytes.len() <= SHORT && stands_alone(bytes) {
        return WINDOWS_1252;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes.get(..bytes.len().min(SAMPLE)).unwrap_or(bytes), bytes.len() <= SAMPLE);
    detector.guess(None, Utf8Detection::Deny)
}

/// A subject, not a text.
const SHORT: usize = 200;

/// No character outside ASCII is part of a word.
fn stands_alone(bytes: &[u8]) -> bool {
    let text = WINDOWS_1252.decode_without_bom_handling(bytes).0;
    let chars: Vec<char> = [' '].into_iter().chain(text.chars()).chain([' ']).collect();
    chars.windows(3).all(|it| match it {
        [before, c, after] => {
            c.is_ascii() || "µªº°¡¿".contains(*c) || !(before.is_alphabetic() || after.is_alphabetic())
        }
        _ => true,
    })
}

/// The most plausible text.
pub(super) fn text(bytes: &[u8]) -> String {
    let encoding = encoding(bytes);
    let text = encoding.decode_without_bom_handling(bytes).0;
    if encoding == WINDOWS_1252 { text.replace('\u{fffd}', "?") } else { text.into_owned() }
}

/// Latin 1 is what careless mailers declare for everything: nonsense as Western European, and sense as something else.
pub(super) fn is_not_western(bytes: &[u8]) -> bool {
    let sample = bytes.get(..bytes.len().min(SAMPLE)).unwrap_or(bytes);
    let text = WINDOWS_1252.decode_without_bom_handling(sample).0;
    let (mut strange, mut total, n_plain) = (0, 0, text.bytes().filter(u8::is_ascii_alphabetic).count());
    // No Western language has three letters with marks in a row, and its signs are few.
    let is_high_letter = |it: &char| !it.is_ascii() && it.is_alphabetic();
    let chars: Vec<char> = text.chars().collect();
    for run in chars.chunk_by(|a, b| is_high_letter(a) == is_high_letter(b)) {
        if run.first().is_some_and(is_high_letter) {
            total += run.len();
            strange += if run.len() >= 3 { run.len() } else { 0 };
        } else {
            let signs = run.iter().filter(|it| !it.is_ascii());
            total += signs.clone().count();
            strange += signs.filter(|it| !"’‘“”„«»…–—·°€£§©®™\u{a0}\u{ad}".contains(**it)).count();
        }
    }
    // A word or two may look like anything.
    if total < 10 || strange * 2 <= total && total <= n_plain {
        return false;
    }
    let found = encoding(sample);
    let text = found.decode_without_bom_handling(sample).0;
    let is_latin = |it: &char| ('\u{c0}'..='\u{24f}').contains(it) || ('\u{1e00}'..='\u{1eff}').contains(it);
    let high: Vec<char> = text.chars().filter(|it| !it.is_ascii() && it.is_alphabetic()).collect();
    found != WINDOWS_1252 && high.iter().filter(|it| is_latin(it)).count() * 2 < high.len()
}
