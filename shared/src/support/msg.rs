//! Outlook's `.msg` (MS-OXMSG): a compound file with a stream per property.

use std::io::Cursor;
use std::io::Read;

use mail_parser::decoders::html::html_to_text;

use super::Dropped;
use super::FileInfo;
use super::Format;
use super::eml;
use super::one_line;
use super::rtf;
use super::rtf::Body;
use crate::time::Timestamp;

/// Files and recipients that are looked at.
const MAX_PARTS: usize = 200;
/// Mails within mails that are read.
const MAX_DEPTH: usize = 3;
/// Longest property that is read.
const MAX_PROPERTY: u64 = 32 << 20;
/// From 1601 to 1970, milliseconds.
const EPOCH: i64 = 11_644_473_600_000;

/// Property ids (MS-OXPROPS).
mod id {
    pub(super) const SUBJECT: u16 = 0x0037;
    pub(super) const SUBMITTED: u16 = 0x0039;
    pub(super) const REPRESENTING_NAME: u16 = 0x0042;
    pub(super) const REPRESENTING_EMAIL: u16 = 0x0065;
    pub(super) const TRANSPORT_HEADERS: u16 = 0x007d;
    pub(super) const RECIPIENT_TYPE: u16 = 0x0c15;
    pub(super) const SENDER_NAME: u16 = 0x0c1a;
    pub(super) const SENDER_EMAIL: u16 = 0x0c1f;
    pub(super) const DISPLAY_CC: u16 = 0x0e03;
    pub(super) const DISPLAY_TO: u16 = 0x0e04;
    pub(super) const DELIVERED: u16 = 0x0e06;
    pub(super) const BODY: u16 = 0x1000;
    pub(super) const RTF: u16 = 0x1009;
    pub(super) const HTML: u16 = 0x1013;
    pub(super) const MESSAGE_ID: u16 = 0x1035;
    pub(super) const REFERENCES: u16 = 0x1039;
    pub(super) const IN_REPLY_TO: u16 = 0x1042;
    pub(super) const NAME: u16 = 0x3001;
    pub(super) const EMAIL: u16 = 0x3003;
    pub(super) const FILE: u16 = 0x3701;
    pub(super) const FILE_SHORT: u16 = 0x3704;
    pub(super) const FILE_LONG: u16 = 0x3707;
    pub(super) const FILE_TYPE: u16 = 0x370e;
    pub(super) const SMTP: u16 = 0x39fe;
    pub(super) const INTERNET_PAGE: u16 = 0x3fde;
    pub(super) const PAGE: u16 = 0x3ffd;
    pub(super) const SENDER_SMTP: u16 = 0x5d01;
    pub(super) const REPRESENTING_SMTP: u16 = 0x5d02;
}

type File<'a> = cfb::CompoundFile<Cursor<&'a [u8]>>;

/// A storage with properties: a message, a recipient, an attachment.
struct Place<'f, 'a> {
    file: &'f mut File<'a>,
    path: String,
    page: u32,
    /// Bytes before the entries of its property stream.
    head: usize,
}

impl Place<'_, '_> {
    fn stream(&mut self, id: u16, kind: u16) -> Option<Vec<u8>> {
        let path = format!("{}/__substg1.0_{id:04X}{kind:04X}", self.path);
        if !self.file.is_stream(&path) {
            return None;
        }
        let mut bytes = Vec::new();
        self.file.open_stream(&path).ok()?.take(MAX_PROPERTY).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Unicode (001F) or of the code page (001E).
    fn text(&mut self, id: u16) -> Option<String> {
        let text = match self.stream(id, 0x001f) {
            Some(bytes) => {
                let units: Vec<u16> =
                    bytes.chunks_exact(2).map(|it| it.try_into().map_or(0, u16::from_le_bytes)).collect();
                String::from_utf16_lossy(&units)
            }
            None => rtf::decode(&self.stream(id, 0x001e)?, self.page),
        };
        Some(text.trim_end_matches('\0').to_owned()).filter(|it| !it.is_empty())
    }

    /// The eight bytes of a property of fixed size.
    fn fixed(&mut self, id: u16) -> Option<u64> {
        let path = format!("{}/__properties_version1.0", self.path);
        let mut bytes = Vec::new();
        self.file.open_stream(&path).ok()?.take(1 << 20).read_to_end(&mut bytes).ok()?;
        bytes.get(self.head..)?.chunks_exact(16).find_map(|entry| {
            let its = u16::from_le_bytes(entry.get(2..4)?.try_into().ok()?);
            let value = u64::from_le_bytes(entry.get(8..16)?.try_into().ok()?);
            (its == id).then_some(value)
        })
    }

    fn time(&mut self, id: u16) -> Option<Timestamp> {
        let ticks = i64::try_from(self.fixed(id)?).ok()?;
        Some(Timestamp::from_millis(ticks / 10_000 - EPOCH)).filter(|it| it.as_millis() > 0)
    }

    /// The first of these properties that is an address: Exchange keeps a directory name in the usual one.
    fn address(&mut self, ids: &[u16]) -> Option<String> {
        ids.iter().find_map(|id| self.text(*id).filter(|it| it.contains('@')))
    }
}

fn mailbox(name: Option<String>, address: Option<String>) -> Option<String> {
    match (name, address) {
        (Some(name), Some(address)) if name != address => Some(format!("{} <{address}>", one_line(&name))),
        (_, Some(address)) => Some(address),
        (name, None) => name,
    }
}

pub(super) fn read(bytes: &[u8]) -> Option<Dropped> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
    message(&mut file, "", 0)
}

/// The message of a storage: that of the file, or one attached to another (MS-OXMSG section 2.1.3.1), whose property
/// stream begins sooner.
fn message(file: &mut File<'_>, path: &str, depth: usize) -> Option<Dropped> {
    if !file.is_stream(format!("{path}/__properties_version1.0")) {
        return None;
    }
    let root = if path.is_empty() { "/" } else { path };
    let names: Vec<String> = file.read_storage(root).ok()?.map(|it| it.name().to_owned()).collect();
    let head = if depth == 0 { 32 } else { 24 };
    let mut place = Place { file, path: path.to_owned(), page: 1252, head };
    let page = |value: Option<u64>| value.map(|it| (it & 0xffff_ffff) as u32).filter(|it| *it > 0);
    place.page = page(place.fixed(id::PAGE)).unwrap_or(1252);
    let html_page = page(place.fixed(id::INTERNET_PAGE)).unwrap_or(place.page);

    let text = body(&mut place, html_page);
    let transport = place.text(id::TRANSPORT_HEADERS).map(|it| eml::head(&it)).filter(|it| !it.is_empty());
    let has_transport = transport.is_some();
    let made = made_fields(&mut place);
    let page = place.page;
    let mut fields = transport.unwrap_or_default();
    let (mut to, mut cc) = (Vec::new(), Vec::new());
    for name in names.iter().filter(|it| it.starts_with("__recip_version1.0_")).take(MAX_PARTS) {
        let mut it = Place { file, path: format!("{path}/{name}"), page, head: 8 };
        let address = it.address(&[id::SMTP, id::EMAIL]);
        let Some(mailbox) = mailbox(it.text(id::NAME), address) else { continue };
        match it.fixed(id::RECIPIENT_TYPE).unwrap_or(1) & 0xff {
            2 => cc.push(mailbox),
            _ => to.push(mailbox),
        }
    }
    let lists = [("To", to), ("Cc", cc)].map(|(name, all)| (name.to_owned(), all.join(", ")));
    let lists = lists.into_iter().filter(|(_, value)| !value.is_empty());
    for (name, value) in lists.chain(made) {
        if !fields.iter().any(|(it, _)| it.eq_ignore_ascii_case(&name)) {
            fields.push((name, one_line(&value)));
        }
    }
    let (mut files, mut inner) = (Vec::new(), Vec::new());
    for name in names.iter().filter(|it| it.starts_with("__attach_version1.0_")).take(MAX_PARTS) {
        let path = format!("{path}/{name}");
        let embedded = format!("{path}/__substg1.0_{:04X}000D", id::FILE);
        let is_mail = file.is_storage(&embedded);
        let mut it = Place { file, path, page, head: 8 };
        let title = it.text(id::FILE_LONG).or_else(|| it.text(id::FILE_SHORT)).or_else(|| it.text(id::NAME));
        let kind = if is_mail { Some("message/rfc822".to_owned()) } else { it.text(id::FILE_TYPE) };
        let size = it.stream(id::FILE, 0x0102).map_or(0, |it| it.len());
        let mail = if is_mail && depth < MAX_DEPTH { message(file, &embedded, depth + 1) } else { None };
        let title = title.or_else(|| mail.as_ref().map(|it| it.field("subject").to_owned()));
        files.push(FileInfo {
            name: title.unwrap_or_default(),
            kind: kind.unwrap_or_else(|| "application/octet-stream".to_owned()),
            size: mail.as_ref().map_or(size, |it| it.text.len()),
        });
        inner.extend(mail);
    }
    Some(Dropped { format: Format::Msg, fields, has_transport, text, files, inner })
}

/// Fields from properties, for what the head does not say; all of them for a mail that never left Exchange.
fn made_fields(place: &mut Place<'_, '_>) -> Vec<(String, String)> {
    let sender = place.address(&[id::SENDER_SMTP, id::SENDER_EMAIL, id::REPRESENTING_SMTP, id::REPRESENTING_EMAIL]);
    let name = place.text(id::REPRESENTING_NAME).or_else(|| place.text(id::SENDER_NAME));
    let at = place.time(id::DELIVERED).or_else(|| place.time(id::SUBMITTED));
    let made = [
        ("From", mailbox(name, sender)),
        ("To", place.text(id::DISPLAY_TO)),
        ("Cc", place.text(id::DISPLAY_CC)),
        ("Subject", place.text(id::SUBJECT)),
        ("Date", at.map(|it| it.to_rfc5322())),
        ("Message-ID", place.text(id::MESSAGE_ID)),
        ("In-Reply-To", place.text(id::IN_REPLY_TO)),
        ("References", place.text(id::REFERENCES)),
    ];
    made.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Plain text, else HTML, else what is wrapped in RTF.
fn body(place: &mut Place<'_, '_>, html_page: u32) -> String {
    if let Some(text) = place.text(id::BODY) {
        return text;
    }
    let html = place.stream(id::HTML, 0x0102).map(|it| rtf::decode(&it, html_page)).or_else(|| place.text(id::HTML));
    if let Some(html) = html {
        return html_to_text(&html);
    }
    let wrapped = place.stream(id::RTF, 0x0102).and_then(|it| rtf::decompress(&it));
    match wrapped.map(|it| rtf::unwrap(&it, place.page)) {
        Some(Body::Html(html)) => html_to_text(&html),
        Some(Body::Text(text)) => text,
        None => String::new(),
    }
}
