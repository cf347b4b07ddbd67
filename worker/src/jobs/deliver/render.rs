//! A claimed delivery as the bytes that leave.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::gateway::loops::loop_value;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::mail::compose::AutoSubmitted;
use mailroom_shared::mail::compose::ExtraHeader;
use mailroom_shared::mail::compose::Outgoing;
use mailroom_shared::mail::compose::OutgoingFile;
use mailroom_shared::mail::compose::compose;
use mailroom_shared::mail::dkim;
use mailroom_shared::mail::html;
use mailroom_shared::mail::rfc_id::RfcMessageId;
use mailroom_shared::mail::rfc_id::make;
use mailroom_shared::policy::HEADER_LOOP;
use mailroom_shared::policy::HEADER_MESSAGE;
use mailroom_shared::time::Span;
use mailroom_shared::token;
use mailroom_shared::token::Purpose;

use super::Run;
use super::choose::size_of;
use super::fleet::Fleet;
use crate::account;
use crate::app::App;
use crate::seal;
use crate::store::deliveries::Claimed;
use crate::store::deliveries::ClaimedFile;
use crate::store::dkim as dkim_keys;
use crate::store::servers::Server;

/// Largest mail where a server says nothing else. Many mailboxes refuse more.
const DEFAULT_MAX_SIZE: u64 = 10 * 1024 * 1024;
/// How long a file can be fetched that did not fit into its mail.
const LINK_LIFE: Span = Span::days(30);

fn files_of<'a>(row: &'a Claimed, files: &'a [ClaimedFile]) -> impl Iterator<Item = &'a ClaimedFile> {
    files.iter().filter(|it| it.message_id == row.message_id.as_str())
}

/// What a mail has at least: files that can become links don't count.
pub(super) fn least_size(row: &Claimed, files: &[ClaimedFile], can_link: bool) -> u64 {
    let kept = files_of(row, files).filter(|it| !can_link || it.cid.is_some()).map(|it| u64::from(it.size)).sum();
    size_of(row, kept)
}

/// Bytes of its files.
pub(super) fn size_of_files(row: &Claimed, files: &[ClaimedFile]) -> u64 {
    files_of(row, files).map(|it| u64::from(it.size)).sum()
}

/// Nobody else gets the same bytes: a mail that names its one recipient, or has a link of his own.
pub(super) fn is_personal(row: &Claimed) -> bool {
    row.recipients.to.is_empty() || row.follows || is_passed_on(row) || row.campaign_id.is_some()
}

/// A mail that came in and goes on to followers.
pub(super) fn is_passed_on(row: &Claimed) -> bool {
    row.rfc_id.as_deref().is_some_and(|id| row.refs.iter().any(|it| it == id))
}

/// Files that stay, and those that become links: the largest first, until the rest fits.
fn split<'a>(row: &Claimed, files: Vec<&'a ClaimedFile>, most: u64) -> (Vec<&'a ClaimedFile>, Vec<&'a ClaimedFile>) {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(files.get(*i).map(|it| it.size)));
    let total = |out: &[usize]| -> u64 {
        let kept = files.iter().enumerate().filter(|(i, _)| !out.contains(i)).map(|(_, it)| u64::from(it.size)).sum();
        size_of(row, kept)
    };
    let mut out = Vec::new();
    for index in order {
        if total(&out) <= most {
            break;
        }
        // An inline image has its place in the text.
        if files.get(index).is_some_and(|it| it.cid.is_none()) {
            out.push(index);
        }
    }
    let (mut kept, mut linked) = (Vec::new(), Vec::new());
    for (index, file) in files.into_iter().enumerate() {
        if out.contains(&index) { linked.push(file) } else { kept.push(file) }
    }
    (kept, linked)
}

/// `12.3 MB`
fn megabytes(size: u32) -> String {
    format!("{}.{} MB", size / 1_000_000, size / 100_000 % 10)
}

/// Renders a mail for its recipient. The error says which file could not be read.
pub(super) async fn render(run: &Run<'_>, server: &Server, row: &Claimed, from: &Mailbox) -> Result<Vec<u8>, String> {
    let (app, fleet) = (run.app, run.fleet);
    let most = server.max_size.map_or(DEFAULT_MAX_SIZE, u64::from);
    let all: Vec<&ClaimedFile> = files_of(row, run.files).collect();
    let (kept, linked) = match &fleet.base_url {
        Some(_) => split(row, all, most),
        None => (all, Vec::new()),
    };
    let mut attachments = Vec::with_capacity(kept.len());
    for file in kept {
        let bytes = run.letters.file(app, file).await?;
        attachments.push(OutgoingFile {
            name: file.name.clone(),
            content_type: file.content_type.clone(),
            bytes: bytes.to_vec(),
            cid: file.cid.clone(),
        });
    }
    let mut text = match (&row.account_link, &fleet.base_url) {
        (None, _) => row.text.clone(),
        (Some(link), Some(base)) => account::fill(app, base, link, &row.text),
        (Some(_), None) => return Err("nobody has opened the page yet: its address is not known".to_owned()),
    };
    let until = app.now() + LINK_LIFE;
    for (i, file) in linked.into_iter().enumerate() {
        let id = format!("{}~{}", file.id, until.as_millis() / 1_000);
        let signed = token::sign(&app.config.token_secret, Purpose::Link, &id);
        let base = fleet.base_url.as_deref().unwrap_or_default();
        let gap = if i == 0 { "\n\n" } else { "\n" };
        let date = until.to_rfc3339();
        let day = date.split('T').next().unwrap_or_default();
        text.extend([gap, &file.name, " (", &megabytes(file.size), ", – ", day, ")\n", base, "/api/files/", &signed]);
    }
    text.extend(way_out(app, fleet.base_url.as_deref(), row));
    finish(app, fleet, server, from, &content(app, row, from, text, attachments)).await
}

/// For a colleague the way to the record; for who is told because he follows, why, and how to stop. The link is his own.
fn way_out(app: &App, base: Option<&str>, row: &Claimed) -> Option<String> {
    let (base, record, contact) = (base?, row.record_id.as_ref()?, row.contact_id.as_ref()?);
    let texts = Catalogue::load(row.language.as_deref().map_or(Lang::En, Lang::of));
    // Only users have a language; mail about their login hangs on no record that they could open.
    let is_colleague = row.language.is_some() && row.account_link.is_none();
    let open = if is_colleague {
        format!("\n\n{} {base}/record/{record}", texts.text("mail.open", &[]))
    } else {
        String::new()
    };
    if !row.follows {
        return Some(open);
    }
    let token = token::sign(&app.config.token_secret, Purpose::Unfollow, &format!("{record}/{contact}"));
    let title = row.record_title.as_deref().unwrap_or(&row.subject);
    let why = texts.text("mail.follows", &[("title", title)]);
    let stop = texts.text("mail.unfollow", &[]);
    Some(format!("{open}\n\n{why}\n{stop} {base}/f/{token}"))
}

/// As bytes, signed where the server wants it.
pub(super) async fn finish(
    app: &App,
    fleet: &Fleet,
    server: &Server,
    from: &Mailbox,
    mail: &Outgoing,
) -> Result<Vec<u8>, String> {
    let raw = compose(mail);
    if server.dkim { sign(app, fleet, from, raw).await } else { Ok(raw) }
}

/// Signs in the name of the From's domain; a domain without a key is not signed for.
pub(in crate::jobs) async fn sign(app: &App, fleet: &Fleet, from: &Mailbox, raw: Vec<u8>) -> Result<Vec<u8>, String> {
    let Some(key) = fleet.dkim.iter().find(|it| it.domain.as_str() == from.address.domain()) else { return Ok(raw) };
    let purpose = dkim_keys::purpose(key.domain.as_str(), &key.selector);
    let sealed = seal::open(app, &purpose, &key.private_sealed).map_err(|e| format!("DKIM key: {e}"))?;
    let private = STANDARD.decode(sealed).map_err(|e| format!("DKIM key: {e}"))?;
    let unsigned = dkim::prepare(&raw, &key.domain.ascii(), &key.selector, app.now());
    let signature = app.keys.sign(&private, &unsigned.input).await.map_err(|e| format!("DKIM {e}"))?;
    Ok(unsigned.finish(&signature, &raw))
}

fn content(app: &App, row: &Claimed, from: &Mailbox, text: String, attachments: Vec<OutgoingFile>) -> Outgoing {
    let reply = token::reply_local(&app.config.token_secret, row.message_id.as_str());
    let reply_to = EmailAddress::parse(&format!("{reply}@{}", row.domain)).ok();
    let references: Vec<RfcMessageId> = row.refs.iter().filter_map(|it| RfcMessageId::parse(it).ok()).collect();
    let header = |name: &str, value: &str| ExtraHeader::new(name, value).ok();
    let passed_on = is_passed_on(row);
    // A mail that came in and is passed on to followers keeps its own id for itself.
    let message_id = match &row.rfc_id {
        Some(id) if !passed_on => RfcMessageId::parse(id).ok(),
        _ => None,
    };
    Outgoing {
        from: from.clone(),
        sender: None,
        to: if row.recipients.to.is_empty() || passed_on {
            vec![Mailbox::new(None, row.address.clone())]
        } else {
            row.recipients.to.clone()
        },
        cc: if passed_on { Vec::new() } else { row.recipients.cc.clone() },
        // Mail about a login has no chatter that an answer could go to.
        reply_to: reply_to
            .filter(|_| row.account_link.is_none())
            .map(|it| Mailbox::new(row.sender.name.as_deref(), it))
            .into_iter()
            .collect(),
        subject: row.subject.clone(),
        date: row.email_created,
        message_id: message_id.unwrap_or_else(|| make(&row.email_id.as_str().to_lowercase(), &row.domain)),
        in_reply_to: references.last().cloned(),
        references,
        html: Some(html::from_text(&text)),
        text: Some(text),
        attachments,
        extra_headers: [
            header(HEADER_MESSAGE, row.message_id.as_str()),
            header(HEADER_LOOP, &loop_value(&app.config.token_secret)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        auto_submitted: (row.lane != "urgent" || passed_on || row.account_link.is_some())
            .then_some(AutoSubmitted::Generated),
    }
}
