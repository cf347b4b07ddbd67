//! Text without a charset, or with a wrong one: `chardetng`, the detector of Firefox, and what mail needs beside it.

use chardetng::EncodingDetector;
use chardetng::Iso2022JpDetection;
use chardetng::Utf8Detection;
use encoding_rs::Encoding;
use encoding_rs::WINDOWS_1252;

/// Enough bytes to tell languages apart, few enough for a 25 MiB body.
const SAMPLE: usize = 64 * 1024;

/// The most plausible encoding of bytes that are neither ASCII nor UTF-8.
pub(super) fn encoding(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes.get(..bytes.len().min(SAMPLE)).unwrap_or(bytes), bytes.len() <= SAMPLE);
    detector.guess(None, Utf8Detection::Deny)
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
    let is_strange = strange * 2 > total && strange >= 3 || total > n_plain && total >= 6;
    is_strange && encoding(sample) != WINDOWS_1252
}
