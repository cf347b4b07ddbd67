//! Providers ask to confirm a forwarding: the code or link lands in the alias that was to receive the mail, where nobody
//! would look for it. Recognised by sender and subject, shown on the alias page.

use serde::Deserialize;
use serde::Serialize;

use crate::mail::inbound::Head;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// As people know it.
    pub provider: String,
    /// The mailbox that wants to forward, where the mail names it.
    pub account: Option<String>,
    pub code: Option<String>,
    /// On the provider's own host.
    pub link: Option<String>,
}

struct Provider {
    name: &'static str,
    /// Sender: an address, or an ending that begins with `@` or `.`.
    senders: &'static [&'static str],
    /// One of these words stands in subject or text, lower case.
    words: &'static [&'static str],
    /// Hosts whose links may be followed: endings.
    hosts: &'static [&'static str],
}

const PROVIDERS: [Provider; 5] = [
    Provider {
        name: "Gmail",
        senders: &["forwarding-noreply@google.com"],
        words: &["forward", "chuyển tiếp", "weiterleit", "transfert", "reenv"],
        hosts: &["mail.google.com", "mail-settings.google.com", "isolated.mail.google.com"],
    },
    Provider {
        name: "Outlook",
        senders: &["@microsoft.com", "@outlook.com", ".outlook.com", "@accountprotection.microsoft.com"],
        words: &["forwarding", "security code", "verification code", "chuyển tiếp", "mã bảo mật"],
        hosts: &["outlook.live.com", "outlook.office.com", "outlook.office365.com", "account.live.com"],
    },
    Provider {
        name: "Yahoo",
        senders: &["@cc.yahoo-inc.com", "@mail.yahoo.com", "@yahoo.com"],
        words: &["forward", "verify"],
        hosts: &["mail.yahoo.com", "login.yahoo.com"],
    },
    Provider {
        name: "Zoho",
        senders: &["@zoho.com", "@zohocorp.com", ".zoho.com"],
        words: &["forward", "confirmation code", "verification code"],
        hosts: &["mail.zoho.com", "mail.zoho.eu"],
    },
    Provider {
        name: "Fastmail",
        senders: &["@fastmail.com", "@messagingengine.com"],
        words: &["forward", "verify", "confirm"],
        hosts: &["www.fastmail.com", "app.fastmail.com"],
    },
];

/// Texts longer than this are no confirmation.
const MAX_TEXT: usize = 20_000;

/// Whether a mail is such a request. `text` is its plain text. The sender must be the provider's: `is_trusted` says that
/// the mail authenticated, without which no link is shown.
pub fn confirmation(head: &Head, text: &str, is_trusted: bool) -> Option<Confirmation> {
    let sender = head.sender()?.address.as_str().to_lowercase();
    let fits = |it: &str| if it.starts_with(['@', '.']) { sender.ends_with(it) } else { sender == it };
    let provider = PROVIDERS.iter().find(|it| it.senders.iter().any(|s| fits(s)))?;
    if text.len() > MAX_TEXT {
        return None;
    }
    let words = format!("{}\n{}", head.subject, text).to_lowercase();
    if !provider.words.iter().any(|it| words.contains(it)) {
        return None;
    }
    let code = code(&head.subject).or_else(|| code(text));
    let link = link(text, provider.hosts).filter(|_| is_trusted);
    if code.is_none() && link.is_none() {
        return None;
    }
    let account = addresses(&head.subject).chain(addresses(text)).find(|it| {
        let it = it.to_lowercase();
        it != sender && !head.to.iter().any(|to| to.address.as_str().eq_ignore_ascii_case(&it))
    });
    Some(Confirmation { provider: provider.name.to_owned(), account, code, link })
}

/// The first number of 5 to 12 digits that stands alone.
fn code(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '#')
        .map(|it| it.trim_start_matches('#'))
        .find(|it| (5..=12).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit()))
        .map(str::to_owned)
}

fn link(text: &str, hosts: &[&str]) -> Option<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')'))
        .filter(|it| it.starts_with("https://") && it.len() < 2_000)
        .find(|it| {
            let host = it.trim_start_matches("https://").split(['/', '?', '#']).next().unwrap_or_default();
            hosts.iter().any(|known| host.eq_ignore_ascii_case(known))
        })
        .map(str::to_owned)
}

fn addresses(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')' | ',' | ';'))
        .map(|it| it.trim_end_matches(['.', ':', '\'']))
        .filter(|it| it.contains('@') && crate::address::EmailAddress::parse(it).is_ok())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse::parse;

    /// Provider, account, code, link.
    type Found<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>);

    #[track_caller]
    fn check(from: &str, subject: &str, text: &str, expected: Option<Found<'_>>) {
        let raw = format!("From: {from}\r\nTo: sales@corp.test\r\nSubject: {subject}\r\n\r\n{text}\r\n");
        let mail = parse(raw.as_bytes());
        let found = confirmation(&mail.head, &mail.text, true);
        let found = found
            .as_ref()
            .map(|it| (it.provider.as_str(), it.account.as_deref(), it.code.as_deref(), it.link.as_deref()));
        assert_eq!(found, expected, "{subject}");
    }

    #[test]
    fn confirmations_are_known_by_sender_and_words() {
        let link = "https://mail-settings.google.com/mail/vf-abc-DEF";
        let text = format!(
            "ann.reid@example.org has asked to forward mail to your address.\r\nConfirmation code: 123456789\r\n{link}\r\n"
        );
        check(
            "Gmail Team <forwarding-noreply@google.com>",
            "(#123456789) Gmail Forwarding Confirmation - Receive Mail from ann.reid@example.org",
            &text,
            Some(("Gmail", Some("ann.reid@example.org"), Some("123456789"), Some(link))),
        );
        check(
            "Microsoft account team <account-security-noreply@accountprotection.microsoft.com>",
            "Your security code",
            "Security code: 482913",
            Some(("Outlook", None, Some("482913"), None)),
        );
        // Another host's link, a stranger with the same words, a provider's mail without code.
        check("x@google.com", "(#123456789) Gmail Forwarding Confirmation", &text, None);
        check("forwarding-noreply@google.com", "Forwarding", "https://evil.test/vf", None);
        check("forwarding-noreply@google.com.evil.test", "(#123456789) Forwarding Confirmation", "", None);
    }

    #[test]
    fn without_proof_of_the_sender_no_link_is_shown() {
        let raw = b"From: forwarding-noreply@google.com\r\nSubject: Forwarding\r\n\r\ncode 55555\r\nhttps://mail.google.com/vf\r\n";
        let mail = parse(raw);
        let found = confirmation(&mail.head, &mail.text, false).unwrap();
        assert_eq!((found.code.as_deref(), found.link), (Some("55555"), None));
    }
}
