//! Files: their types and names, pictures within the HTML, what is shown inline.

use std::collections::HashSet;

use super::parse_head;
use super::sha256_hex;
use super::structure;
use super::structure::Part;
use super::transfer;
use crate::mail::inbound::Attachment;

/// How many pictures written into the HTML become attachments.
const MAX_DATA_IMAGES: usize = 200;

/// A type as it should have been written (PAR-22, PAR-23).
pub(super) fn repair_type(value: &str, name: Option<&str>) -> String {
    let is_token =
        |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=*".contains(&b));
    let repaired = match value {
        "" => {
            if name.is_some() {
                "application/octet-stream"
            } else {
                "text/plain"
            }
        }
        "text" | "plain" | "text/text" | "plain/text" | "text/ascii" | "txt" | "text/txt" => "text/plain",
        "html" | "text/htm" => "text/html",
        "pdf" | "application/x-pdf" | "text/pdf" | "application/acrobat" => "application/pdf",
        "jpeg" | "jpg" | "image/jpg" | "image/pjpeg" => "image/jpeg",
        "png" | "image/x-png" => "image/png",
        "gif" => "image/gif",
        "zip" | "application/x-zip-compressed" | "application/x-zip" => "application/zip",
        "calendar" => "text/calendar",
        other => match other.split_once('/') {
            Some((kind, sub)) if is_token(kind) && is_token(sub) && kind != "binary" && kind != "unknown" => other,
            // No type at all (RFC 2045 section 5.2): text, unless it is named.
            None if name.is_none() => "text/plain",
            _ => "application/octet-stream",
        },
    };
    repaired.to_owned()
}

pub(super) fn attachment(part: &Part, content_type: &str, declared_name: Option<&str>, bytes: Vec<u8>) -> Attachment {
    let name = declared_name.map(safe_name).filter(|it| !it.is_empty());
    let name = name.unwrap_or_else(|| default_name(content_type, &bytes));
    let cid = part.header("Content-ID").and_then(clean_cid);
    let is_image = content_type.starts_with("image/");
    let inline = is_image && part.disposition.value == "inline";
    Attachment { name, content_type: content_type.to_owned(), sha256: String::new(), bytes, cid, inline }
}

fn clean_cid(value: &str) -> Option<String> {
    let value: String = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let value = value.trim_matches(['<', '>']);
    if value.is_empty() || value.len() > 500 { None } else { Some(value.to_owned()) }
}

/// A file name without path parts, control and direction characters or reserved characters, at most 200 characters.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|it| !it.trim().is_empty()).unwrap_or_default();
    // `C:report.pdf` names a drive.
    let last = match last.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 && drive.chars().all(|c| c.is_ascii_alphabetic()) => rest,
        _ => last,
    };
    let is_bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let clean: String = last.chars().filter(|c| !is_bad(*c)).collect();
    let clean = clean.trim().trim_start_matches("..").trim_matches(' ');
    if clean.chars().all(|c| c == '.') {
        return String::new();
    }
    if clean.chars().count() <= 200 {
        return clean.to_owned();
    }
    // Keep the extension of an over-long name.
    let extension = clean.rsplit_once('.').map(|(_, it)| it).filter(|it| it.chars().count() <= 10);
    let n_kept = 200 - extension.map_or(0, |it| it.chars().count() + 1);
    let start: String = clean.chars().take(n_kept).collect();
    extension.map_or_else(|| start.clone(), |it| format!("{start}.{it}"))
}

/// What a file without a name is called.
fn default_name(content_type: &str, bytes: &[u8]) -> String {
    let name = match content_type {
        "message/rfc822" | "message/global" => {
            let head = parse_head(bytes.get(..bytes.len().min(structure::MAX_HEAD)).unwrap_or_default());
            let subject: String =
                head.subject.chars().map(|c| if "/\\:*?\"<>|".contains(c) { '_' } else { c }).take(100).collect();
            let subject = safe_name(&subject);
            return if subject.is_empty() { "message.eml".to_owned() } else { format!("{subject}.eml") };
        }
        "text/calendar" | "application/ics" => "invite.ics",
        "text/vcard" | "text/x-vcard" => "contact.vcf",
        "message/delivery-status" | "message/global-delivery-status" => "delivery-status.txt",
        "message/disposition-notification" => "disposition-notification.txt",
        "message/feedback-report" => "feedback-report.txt",
        "text/rfc822-headers" | "message/global-headers" => "headers.txt",
        "application/pgp-signature" => "signature.asc",
        "application/pgp-encrypted" => "version.asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "smime.p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "smime.p7m",
        "application/ms-tnef" | "application/vnd.ms-tnef" => "winmail.dat",
        "application/pdf" => "attachment.pdf",
        "application/zip" => "attachment.zip",
        "text/plain" => "attachment.txt",
        "text/html" => "attachment.html",
        "text/csv" => "attachment.csv",
        "text/xml" | "application/xml" => "attachment.xml",
        "application/json" => "attachment.json",
        "image/jpeg" => "attachment.jpg",
        "image/svg+xml" => "attachment.svg",
        "image/tiff" => "attachment.tif",
        _ => match content_type.split_once('/') {
            Some(("image", sub)) if sub.len() <= 5 => return format!("attachment.{sub}"),
            _ => "attachment",
        },
    };
    name.to_owned()
}

/// An invitation comes twice from several calendars: once to show, once to save.
pub(super) fn drop_twin_invitations(attachments: &mut Vec<Attachment>) {
    let mut seen = HashSet::new();
    attachments.retain(|it| {
        let is_invitation = matches!(it.content_type.as_str(), "text/calendar" | "application/ics");
        !is_invitation || seen.insert(it.bytes.clone())
    });
}

/// Pictures written into the HTML as data URIs become attachments, referenced by `cid:` (PAR-21).
pub(super) fn extract_data_images(html: &mut String, attachments: &mut Vec<Attachment>) {
    const START: &str = "data:image/";
    if !html.contains(START) {
        return;
    }
    let mut res = String::with_capacity(html.len());
    let mut rest = html.as_str();
    let mut count = 0;
    while let Some(at) = rest.find(START) {
        let (before, uri) = rest.split_at(at);
        res.push_str(before);
        let quote = before.trim_end_matches([' ', '\n']).chars().next_back().filter(|it| *it == '"' || *it == '\'');
        let end = quote.and_then(|it| uri.find(it));
        let decoded = end.and_then(|it| uri.get(..it)).filter(|_| count < MAX_DATA_IMAGES).and_then(decode_data_image);
        let (Some(end), Some((content_type, bytes))) = (end, decoded) else {
            let (skipped, after) = uri.split_at(START.len());
            res.push_str(skipped);
            rest = after;
            continue;
        };
        let sha256 = sha256_hex(&bytes);
        let cid = format!("{}@image.invalid", sha256.get(..32).unwrap_or(&sha256));
        res.push_str("cid:");
        res.push_str(&cid);
        if !attachments.iter().any(|it| it.cid.as_deref() == Some(cid.as_str())) {
            let extension = default_name(&content_type, &[]);
            let extension = extension.rsplit_once('.').map_or("bin", |(_, it)| it);
            let name = format!("image{count}.{extension}");
            count += 1;
            attachments.push(Attachment { name, content_type, bytes, cid: Some(cid), inline: true, sha256 });
        }
        rest = uri.get(end..).unwrap_or_default();
    }
    res.push_str(rest);
    *html = res;
}

fn decode_data_image(uri: &str) -> Option<(String, Vec<u8>)> {
    let (head, data) = uri.strip_prefix("data:")?.split_once(',')?;
    let (content_type, params) = head.split_once(';')?;
    if !params.trim().to_ascii_lowercase().ends_with("base64") || content_type.len() > 60 {
        return None;
    }
    let data = data.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let (bytes, is_clean) = transfer::from_base64(data.as_bytes());
    let content_type = repair_type(&content_type.trim().to_ascii_lowercase(), None);
    if is_clean && !bytes.is_empty() && content_type.starts_with("image/") { Some((content_type, bytes)) } else { None }
}

/// What the HTML shows by `cid:` is inline, whatever its disposition says.
pub(super) fn mark_inline(html: Option<&str>, attachments: &mut [Attachment]) {
    let Some(html) = html else { return };
    let mut shown = HashSet::new();
    for (at, _) in html.match_indices("cid:").chain(html.match_indices("CID:")) {
        let rest = html.get(at + 4..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || "\"'<>)\\".contains(c)).unwrap_or(rest.len());
        shown.insert(rest.get(..end).unwrap_or_default().replace("%40", "@").replace("&amp;", "&"));
    }
    for attachment in attachments {
        if attachment.cid.as_ref().is_some_and(|it| shown.contains(it)) {
            attachment.inline = true;
        }
    }
}
