//! Compressed RTF of Outlook (MS-OXRTFCP) and what is wrapped in it (MS-OXRTFEX). An own decoder: the crate there is wants
//! ASCII alone and panics on short input.

/// What the dictionary begins with (MS-OXRTFCP section 2.1.2.1).
const PREFIX: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW: usize = 4_096;
/// Longest text that is made.
const MAX: usize = 16 << 20;

/// Plain RTF. Damaged input gives what came before the damage.
pub(super) fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|it| it.try_into().ok()).map(u32::from_le_bytes);
    let raw_size = (word(4)? as usize).min(MAX);
    let kind = word(8)?;
    let data = bytes.get(16..)?;
    match kind {
        // MELA: as it is.
        0x414c_454d => return Some(data.get(..raw_size.min(data.len()))?.to_vec()),
        // LZFu.
        0x7546_5a4c => {}
        _ => return None,
    }
    let mut window = [b' '; WINDOW];
    window.get_mut(..PREFIX.len())?.copy_from_slice(PREFIX);
    let mut at = PREFIX.len();
    let mut out = Vec::with_capacity(raw_size);
    let mut rest = data.iter().copied();
    'all: while let Some(flags) = rest.next() {
        for bit in 0..8 {
            if flags >> bit & 1 == 0 {
                let Some(byte) = rest.next() else { break 'all };
                out.push(byte);
                *window.get_mut(at)? = byte;
                at = (at + 1) % WINDOW;
            } else {
                let (Some(high), Some(low)) = (rest.next(), rest.next()) else { break 'all };
                let token = usize::from(high) << 8 | usize::from(low);
                let (from, length) = (token >> 4, (token & 15) + 2);
                // A reference to the place to write at ends it.
                if from == at {
                    break 'all;
                }
                for step in 0..length {
                    let byte = *window.get((from + step) % WINDOW)?;
                    out.push(byte);
                    *window.get_mut(at)? = byte;
                    at = (at + 1) % WINDOW;
                }
            }
            if out.len() >= MAX {
                break 'all;
            }
        }
    }
    Some(out)
}

/// What stands in RTF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    Html(String),
    Text(String),
}

/// State of a group.
#[derive(Clone, Copy, Default)]
struct Group {
    /// Fonts, styles and the like.
    is_hidden: bool,
    /// `\htmlrtf`: for readers of RTF alone.
    is_rtf_only: bool,
    /// `{\*\htmltag …}`.
    is_tag: bool,
    /// Characters that stand in for one `\u`.
    skip: usize,
}

/// Takes out the HTML or text that was wrapped, else the text of real RTF.
pub(super) fn unwrap(rtf: &[u8], default_page: u32) -> Body {
    let is_html = find(rtf, b"\\fromhtml");
    let mut run = Run { out: String::new(), bytes: Vec::new(), page: default_page, surrogate: None };
    let mut stack: Vec<Group> = Vec::new();
    let mut group = Group { skip: 1, ..Group::default() };
    let mut at = 0;
    let mut to_skip = 0_usize;
    while let Some(&byte) = rtf.get(at) {
        at += 1;
        let shows = !group.is_hidden && !group.is_rtf_only;
        match byte {
            b'{' => {
                if stack.len() > 200 {
                    break;
                }
                stack.push(group);
            }
            b'}' => group = stack.pop().unwrap_or_default(),
            b'\r' | b'\n' | 0 => {}
            b'\\' => {
                let Some(&next) = rtf.get(at) else { break };
                if next.is_ascii_alphabetic() {
                    let start = at;
                    while rtf.get(at).is_some_and(u8::is_ascii_alphabetic) {
                        at += 1;
                    }
                    let word = rtf.get(start..at).unwrap_or_default();
                    let number_at = at;
                    if rtf.get(at) == Some(&b'-') {
                        at += 1;
                    }
                    while rtf.get(at).is_some_and(u8::is_ascii_digit) {
                        at += 1;
                    }
                    let number = rtf.get(number_at..at).and_then(|it| std::str::from_utf8(it).ok());
                    let number: Option<i64> = number.and_then(|it| it.parse().ok());
                    if rtf.get(at) == Some(&b' ') {
                        at += 1;
                    }
                    match word {
                        b"par" | b"line" | b"row" if shows && !group.is_tag => {
                            run.str(if is_html { "\r\n" } else { "\n" });
                        }
                        b"tab" | b"cell" if shows => run.str("\t"),
                        b"lquote" | b"rquote" if shows => run.str("'"),
                        b"ldblquote" | b"rdblquote" if shows => run.str("\""),
                        b"bullet" if shows => run.str("•"),
                        b"endash" if shows => run.str("–"),
                        b"emdash" if shows => run.str("—"),
                        b"ansicpg" => run.page = number.and_then(|it| u32::try_from(it).ok()).unwrap_or(run.page),
                        b"uc" => group.skip = number.and_then(|it| usize::try_from(it).ok()).unwrap_or(1).min(8),
                        b"u" => {
                            if shows {
                                run.unit(number.unwrap_or(0));
                            }
                            to_skip = group.skip;
                        }
                        b"htmlrtf" => group.is_rtf_only = number != Some(0),
                        b"htmltag" | b"mhtmltag" => {
                            group.is_hidden = word == b"mhtmltag";
                            group.is_tag = true;
                        }
                        b"fonttbl" | b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"header" | b"footer"
                        | b"listtable" | b"generator" => group.is_hidden = true,
                        b"bin" => at += number.and_then(|it| usize::try_from(it).ok()).unwrap_or(0),
                        _ => {}
                    }
                } else {
                    at += 1;
                    match next {
                        b'\'' => {
                            let hex = rtf.get(at..at + 2).and_then(|it| std::str::from_utf8(it).ok());
                            let value = hex.and_then(|it| u8::from_str_radix(it, 16).ok());
                            at += 2;
                            if to_skip > 0 {
                                to_skip -= 1;
                            } else if let Some(value) = value.filter(|_| shows) {
                                run.bytes.push(value);
                            }
                        }
                        // Groups of unknown kind are left out, but those that are named behind it.
                        b'*' => {
                            let known = rtf.get(at..at + 8).is_some_and(|it| it.starts_with(b"\\htmltag"));
                            group.is_hidden |= !known;
                        }
                        b'~' if shows => run.str("\u{a0}"),
                        b'_' if shows => run.str("-"),
                        b'\\' | b'{' | b'}' if shows => run.str(char::from(next).encode_utf8(&mut [0; 4])),
                        _ => {}
                    }
                }
            }
            _ if to_skip > 0 => to_skip -= 1,
            _ if shows => run.bytes.push(byte),
            _ => {}
        }
        if run.out.len() > MAX {
            break;
        }
    }
    run.flush();
    if is_html { Body::Html(run.out) } else { Body::Text(run.out.trim().to_owned()) }
}

fn find(all: &[u8], what: &[u8]) -> bool {
    all.get(..all.len().min(4_096)).is_some_and(|it| it.windows(what.len()).any(|it| it == what))
}

/// What comes out: bytes of the code page and Unicode in turns.
struct Run {
    out: String,
    bytes: Vec<u8>,
    page: u32,
    surrogate: Option<u16>,
}

impl Run {
    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            self.out.push_str(&decode(&self.bytes, self.page));
            self.bytes.clear();
        }
    }

    fn str(&mut self, text: &str) {
        self.flush();
        self.out.push_str(text);
    }

    /// A UTF-16 unit, written as a signed number.
    fn unit(&mut self, number: i64) {
        self.flush();
        let unit = (number & 0xffff) as u16;
        match (self.surrogate.take(), unit) {
            (None, 0xd800..=0xdbff) => self.surrogate = Some(unit),
            (Some(high), _) => self.out.push_str(&String::from_utf16_lossy(&[high, unit])),
            (None, _) => self.out.push_str(&String::from_utf16_lossy(&[unit])),
        }
    }
}

/// Bytes of a Windows code page.
pub(super) fn decode(bytes: &[u8], page: u32) -> String {
    let encoding = match page {
        874 => encoding_rs::WINDOWS_874,
        932 => encoding_rs::SHIFT_JIS,
        936 => encoding_rs::GBK,
        949 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        1250 => encoding_rs::WINDOWS_1250,
        1251 => encoding_rs::WINDOWS_1251,
        1253 => encoding_rs::WINDOWS_1253,
        1254 | 28599 => encoding_rs::WINDOWS_1254,
        1255 => encoding_rs::WINDOWS_1255,
        1256 => encoding_rs::WINDOWS_1256,
        1257 => encoding_rs::WINDOWS_1257,
        1258 => encoding_rs::WINDOWS_1258,
        20866 => encoding_rs::KOI8_R,
        21866 => encoding_rs::KOI8_U,
        28592 => encoding_rs::ISO_8859_2,
        28605 => encoding_rs::ISO_8859_15,
        50220..=50222 => encoding_rs::ISO_2022_JP,
        51932 => encoding_rs::EUC_JP,
        54936 => encoding_rs::GB18030,
        65001 => encoding_rs::UTF_8,
        _ => encoding_rs::WINDOWS_1252,
    };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}
