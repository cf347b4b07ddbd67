//! Confirmations of forwarding: a mailbox at a provider that shall forward to one of our aliases first sends a code there.
//! They are shown on the alias page, since a person has to type the code back in at the provider.

use serde::Deserialize;
use serde::Serialize;

use crate::mail::html;
use crate::mail::inbound::Head;
use crate::mail::parse;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Gmail,
    Outlook,
    Yahoo,
    Zoho,
    Fastmail,
}

impl Provider {
    /// As people know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gmail => "Gmail",
            Self::Outlook => "Outlook",
            Self::Yahoo => "Yahoo",
            Self::Zoho => "Zoho",
            Self::Fastmail => "Fastmail",
        }
    }
}

/// What a provider wants confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub provider: Provider,
    /// The digits to type in.
    pub code: Option<String>,
    /// The page that confirms with one click: always one of the provider.
    pub link: Option<String>,
    /// The mailbox that shall forward.
    pub mailbox: Option<String>,
}

/// Who writes these, an address or every address at a host no customer has a mailbox at, and where their links lead.
const SENDERS: [(&str, Provider, &[&str]); 7] = [
    ("forwarding-noreply@google.com", Provider::Gmail, GOOGLE),
    ("mail-noreply@google.com", Provider::Gmail, GOOGLE),
    (
        "@accountprotection.microsoft.com",
        Provider::Outlook,
        &["account.live.com", "outlook.live.com", "outlook.office.com"],
    ),
    ("@cc.yahoo-inc.com", Provider::Yahoo, &["mail.yahoo.com", "login.yahoo.com"]),
    ("@mail.yahoo.com", Provider::Yahoo, &["mail.yahoo.com", "login.yahoo.com"]),
    ("@zohocorp.com", Provider::Zoho, &["mail.zoho.com", "mail.zoho.eu"]),
    ("@messagingengine.com", Provider::Fastmail, &["www.fastmail.com", "app.fastmail.com"]),
];
const GOOGLE: &[&str] = &["mail-settings.google.com", "isolated.mail.google.com", "mail.google.com"];

/// Reads a confirmation. Whether From is proven is for the caller to judge.
pub(super) fn read(head: &Head, raw: &[u8]) -> Option<Confirmation> {
    let sender = head.sender()?.address.key();
    let fits = |it: &str| if it.starts_with('@') { sender.ends_with(it) } else { sender == it };
    let (_, provider, hosts) = SENDERS.into_iter().find(|(it, ..)| fits(it))?;
    let mail = parse::parse(raw);
    let text =
        mail.html.as_deref().map_or_else(|| mail.text.clone(), |it| format!("{}\n{}", mail.text, html::to_text(it)));
    // `(#123456789) Gmail Forwarding Confirmation - Receive Mail from ann@gmail.com`, in any language.
    let in_subject = head.subject.split_once("(#").and_then(|(_, it)| Some(it.split_once(')')?.0)).and_then(digits);
    let code = in_subject.or_else(|| text.lines().find_map(after_colon));
    let link = text.split(|c: char| c.is_whitespace() || "<>\"()".contains(c)).find(|it| {
        hosts.iter().any(|host| {
            it.strip_prefix("https://").and_then(|it| it.strip_prefix(host)).is_some_and(|it| it.starts_with('/'))
        })
    });
    let is_link = |it: &&str| provider != Provider::Gmail || it.contains("/vf-") || it.contains("%2Fvf-");
    let link = link.filter(is_link).map(str::to_owned);
    let mailbox = words(&head.subject).chain(words(&text)).find(|it| {
        crate::address::EmailAddress::parse(it).is_ok_and(|it| it.key() != sender && it.domain() != "google.com")
    });
    // Both providers write other mail from the same addresses.
    if code.is_none() && link.is_none() {
        return None;
    }
    Some(Confirmation { provider, code, link, mailbox: mailbox.map(str::to_owned) })
}

/// Six to twelve digits and nothing else.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let is_code = (6..=12).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    is_code.then(|| text.to_owned())
}

/// `Confirmation code: 123456789`.
fn after_colon(line: &str) -> Option<String> {
    line.rsplit([':', '：']).next().filter(|it| it.len() < line.len()).and_then(digits)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "<>(),;\"".contains(c)).map(|it| it.trim_end_matches(['.', ':']))
}
