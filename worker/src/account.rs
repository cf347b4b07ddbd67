//! Mail about a login: invitations, forgotten passwords, addresses to confirm. Its link is signed, works once, and is kept as
//! a hash only: the text in the database has a gap, which is filled when the mail leaves.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::session::Role;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;
use mailroom_shared::mail::parse::sha256_hex;
use mailroom_shared::mail::rfc_id::make;
use mailroom_shared::people;
use mailroom_shared::time::Span;
use mailroom_shared::token;
use mailroom_shared::token::Purpose;

use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::ports::Statement;
use crate::store::messages;
use crate::store::people as store;
use crate::store::people::Link;
use crate::store::people::LinkKind;
use crate::store::settings;

/// The record all of this mail hangs on; people never see it. Migration 0005 makes it.
const RECORD: &str = "00000000000000000000000000";
/// Stands in the stored text where the link will be.
const GAP: &str = "{link}";

/// A link that is asked for.
pub struct Wanted<'a> {
    pub kind: LinkKind,
    pub email: &'a EmailAddress,
    pub user: Option<&'a UserId>,
    /// Name of who gets the mail.
    pub name: &'a str,
    /// Who invites; empty for one's own doing.
    pub by: &'a str,
    pub company: &'a str,
    /// `en` or `vi`.
    pub language: &'a str,
    pub role: Option<Role>,
    pub types: &'a [TypeName],
}

const fn life(kind: LinkKind) -> Span {
    match kind {
        LinkKind::Invitation => people::INVITATION,
        LinkKind::Password => people::RESET,
        LinkKind::Address => people::CONFIRMATION,
    }
}

/// Path of the page that a link opens.
const fn path(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Invitation => "join",
        LinkKind::Password => "password",
        LinkKind::Address => "confirm",
    }
}

fn token_of(app: &App, id: &str) -> String {
    token::sign(&app.config.token_secret, Purpose::Account, id)
}

fn hash_of(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

/// The text that leaves: with its link.
pub fn fill(app: &App, base_url: &str, link: &str, text: &str) -> String {
    // `join/ID`: the page and what the token is made of.
    let (page, id) = link.split_once('/').unwrap_or(("", link));
    text.replace(GAP, &format!("{base_url}/{page}/{}", token_of(app, id)))
}

/// The link of a token: ours, not used, not too old.
pub async fn find(app: &App, kind: LinkKind, token: &str) -> AppResult<Link> {
    let invalid = || AppError::new(mailroom_shared::api::ProblemCode::LinkInvalid);
    token::verify(&app.config.token_secret, Purpose::Account, token).ok_or_else(invalid)?;
    // As it was signed, whatever a mail program did to its case.
    let hash = hash_of(&token.to_ascii_lowercase());
    store::link_by_hash(app, kind, &hash).await?.ok_or_else(invalid)
}

/// Uses a link up; false when somebody else just did.
pub async fn use_up(app: &App, link: &Link) -> AppResult<bool> {
    Ok(app.run(store::delete_link(&link.id)).await?.changes > 0)
}

/// A new link and its mail. Returns the id of the link.
pub async fn send(app: &App, wanted: &Wanted<'_>) -> AppResult<(String, Vec<Statement>)> {
    let id = app.new_id();
    let (made, mut statements) = mail(app, wanted).await?;
    let now = app.now();
    statements.push(store::insert_link(&store::NewLink {
        id: &id,
        kind: wanted.kind,
        hash: &made.hash,
        email: wanted.email,
        user: wanted.user,
        name: wanted.name,
        role: wanted.role,
        types: wanted.types,
        by_name: wanted.by,
        language: wanted.language,
        email_id: &made.email,
        created: now,
        expires: now + life(wanted.kind),
    }));
    Ok((id, statements))
}

/// Another mail for an invitation; the link before is void.
pub async fn send_again(app: &App, link: &str, wanted: &Wanted<'_>) -> AppResult<Vec<Statement>> {
    let (made, mut statements) = mail(app, wanted).await?;
    statements.push(store::renew_link(link, &made.hash, &made.email, app.now() + life(wanted.kind)));
    Ok(statements)
}

struct Made {
    hash: String,
    email: String,
}

async fn mail(app: &App, wanted: &Wanted<'_>) -> AppResult<(Made, Vec<Statement>)> {
    let domains = settings::domains(app).await?;
    let domain = domains.first().ok_or_else(|| AppError::field("domain", "required"))?;
    let address = EmailAddress::parse(&format!("{}@{}", domain.default_from, domain.name.as_str()))
        .map_err(|_| AppError::field("domain", "domain"))?;
    let sender = Mailbox::new(Some(wanted.company), address);
    let (message, email, delivery, seed) = (app.new_id(), app.new_id(), app.new_id(), app.new_id());
    let texts = Catalogue::load(Lang::of(wanted.language));
    let name = if wanted.name.is_empty() { wanted.email.as_str() } else { wanted.name };
    let args = [
        ("name", name),
        ("by", wanted.by),
        ("company", wanted.company),
        ("address", wanted.email.as_str()),
        ("link", GAP),
    ];
    let key = wanted.kind.as_str();
    let subject = texts.text(&format!("mail.{key}.subject"), &args);
    let now = app.now();
    let row = messages::NewMessage {
        id: message.clone(),
        record: RECORD.to_owned(),
        kind: Some(MessageKind::Notification),
        internal: true,
        author_name: wanted.company.to_owned(),
        subject: subject.clone(),
        recipients: messages::Recipients {
            to: vec![Mailbox::new(Some(name), wanted.email.clone())],
            ..messages::Recipients::default()
        },
        text: texts.text(&format!("mail.{key}.text"), &args),
        rfc_id: Some(make(&message.to_lowercase(), domain.name.as_str()).into()),
        ..messages::NewMessage::default()
    };
    let link = format!("{}/{seed}", path(wanted.kind));
    let mut statements = vec![messages::insert(&row, now)];
    statements.extend(store::insert_mail(
        &store::LinkMail {
            email: &email,
            message: &message,
            delivery: &delivery,
            link: &link,
            sender: &sender,
            domain: domain.name.as_str(),
            subject: &subject,
            to_name: name,
            to: wanted.email,
        },
        now,
    ));
    Ok((Made { hash: hash_of(&token_of(app, &seed)), email }, statements))
}
