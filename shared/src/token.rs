//! Signed local parts: the address a reply goes to, and the address a bounce goes to (VERP).
//!
//! Shape: `reply+<id>.<mac>` and `bounce+<id>.<mac>` where the MAC is 80 bits of HMAC-SHA256 over purpose and id in
//! lower-case base 32, since local parts may be lower-cased on their way. The id is hex of its bytes when it holds
//! anything but `0-9a-z`; nothing of it can be guessed or changed without the secret.

use hmac::Hmac;
use hmac::Mac;
use sha2::Sha256;

/// What a signed text may be used for; a token for one never opens another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Reply-To of a message: id of the message.
    Reply,
    /// Return-Path of a delivery: id of the delivery.
    Bounce,
    /// A session cookie: id of the session.
    Session,
    /// A link in a mail.
    Link,
    /// A link in a mail about somebody's login: id of the link.
    Account,
    /// A mail that we send to ourselves: its id.
    Canary,
    /// The way out of campaigns: recipient of a campaign.
    Unsubscribe,
    /// The picture of a campaign: recipient.
    Open,
    /// A link of a campaign: recipient and number of the link.
    Click,
    /// No longer following: record and contact, with `/` between them.
    Unfollow,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Bounce => "bounce",
            Self::Session => "session",
            Self::Link => "link",
            Self::Account => "account",
            Self::Canary => "canary",
            Self::Unsubscribe => "unsubscribe",
            Self::Open => "open",
            Self::Click => "click",
            Self::Unfollow => "unfollow",
        }
    }
}

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

fn mac(secret: &str, purpose: Purpose, id: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(purpose.as_str().as_bytes());
    mac.update(b"\0");
    mac.update(id.as_bytes());
    Some(mac)
}

fn tag(secret: &str, purpose: Purpose, id: &str) -> String {
    let bytes = mac(secret, purpose, id).map(|it| it.finalize().into_bytes().to_vec()).unwrap_or_default();
    let (mut out, mut buffer, mut bits) = (String::with_capacity(16), 0_u32, 0);
    for byte in bytes.iter().take(10) {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(ALPHABET.get(((buffer >> bits) & 31) as usize).copied().map_or('a', char::from));
        }
    }
    out
}

fn hex(text: &str) -> String {
    text.bytes().flat_map(|b| [b >> 4, b & 15]).filter_map(|n| char::from_digit(u32::from(n), 16)).collect()
}

fn unhex(text: &str) -> Option<String> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

/// `<id>.<mac>`, safe in a local part, a cookie and a URL; survives lower-casing.
pub fn sign(secret: &str, purpose: Purpose, id: &str) -> String {
    let plain = id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-');
    // A ULID is upper case only, so lower-casing it loses nothing.
    let ulid = id.len() == 26 && id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    let name = if ulid {
        id.to_ascii_lowercase()
    } else if plain && !id.starts_with("x-") {
        format!("y{id}")
    } else {
        format!("x-{}", hex(id))
    };
    format!("{name}.{}", tag(secret, purpose, id))
}

/// The id of a signed text; `None` when the signature is not ours.
pub fn verify(secret: &str, purpose: Purpose, text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (name, given) = text.rsplit_once('.')?;
    let id = if let Some(digits) = name.strip_prefix("x-") {
        unhex(digits)?
    } else if let Some(plain) = name.strip_prefix('y') {
        plain.to_owned()
    } else {
        name.to_ascii_uppercase()
    };
    let expected = tag(secret, purpose, &id);
    // Compared without an early exit, so that timing tells nothing.
    let same =
        expected.len() == given.len() && expected.bytes().zip(given.bytes()).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0;
    same.then_some(id)
}

/// The local part of a reply address: `reply+<token>`.
pub fn reply_local(secret: &str, message: &str) -> String {
    format!("reply+{}", sign(secret, Purpose::Reply, message))
}

/// The local part of a bounce address: `<bounce>+<token>`; the token names a delivery.
pub fn bounce_local(secret: &str, bounce: &str, delivery: &str) -> String {
    format!("{bounce}+{}", sign(secret, Purpose::Bounce, delivery))
}

/// The local part of the address that takes a recipient of a campaign off: `unsubscribe+<token>`.
pub fn unsubscribe_local(secret: &str, recipient: u32) -> String {
    format!("unsubscribe+{}", sign(secret, Purpose::Unsubscribe, &recipient.to_string()))
}

/// The recipient of a campaign that such an address takes off; 0 is that of a test.
pub fn read_unsubscribe_local(secret: &str, local: &str) -> Option<u32> {
    let (name, token) = local.split_once('+')?;
    let id = if name.eq_ignore_ascii_case("unsubscribe") { verify(secret, Purpose::Unsubscribe, token) } else { None };
    id?.parse().ok()
}

/// The message a reply address belongs to.
pub fn read_reply_local(secret: &str, local: &str) -> Option<String> {
    let (name, token) = local.split_once('+')?;
    if name.eq_ignore_ascii_case("reply") { verify(secret, Purpose::Reply, token) } else { None }
}

/// The delivery a bounce address belongs to.
pub fn read_bounce_local(secret: &str, bounce: &str, local: &str) -> Option<String> {
    let (name, token) = local.split_once('+')?;
    if name.eq_ignore_ascii_case(bounce) { verify(secret, Purpose::Bounce, token) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_open_only_what_they_were_made_for() {
        for id in ["01HZXYABCDEFGHJKMNPQRSTVWX", "m1", "x-1", "Ab/7", "m-note", "m1/ann@customer.test"] {
            let local = reply_local("s", id);
            assert!(local.len() <= 64 || id.contains('@'), "RFC 5321 allows 64 bytes: {local}");
            assert_eq!(read_reply_local("s", &local).as_deref(), Some(id));
            assert_eq!(read_reply_local("s", &local.to_ascii_uppercase()).as_deref(), Some(id), "case may change");
            assert_eq!(read_reply_local("t", &local), None, "another secret");
            let token = local.strip_prefix("reply+").unwrap();
            assert_eq!(verify("s", Purpose::Bounce, token), None, "another purpose");
            let bounce = bounce_local("s", "returns", id);
            assert_eq!(read_bounce_local("s", "returns", &bounce).as_deref(), Some(id));
            let mut changed = local.clone();
            changed.pop();
            assert_eq!(read_reply_local("s", &changed), None, "cut short");
        }
        let local = unsubscribe_local("s", 4_294_967_295);
        assert!(local.len() <= 64, "{local}");
        assert_eq!(read_unsubscribe_local("s", &local.to_uppercase()), Some(4_294_967_295));
        assert_eq!(read_unsubscribe_local("s", &local.replace("unsubscribe", "reply")), None);
        assert_eq!(read_unsubscribe_local("t", &local), None);
        assert_eq!(read_reply_local("s", "reply+"), None);
        assert_eq!(read_reply_local("s", "reply"), None);
    }
}
