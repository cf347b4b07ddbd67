//! DKIM keys in DNS (RFC 6376 section 3.6.1, RFC 8301, RFC 8463).

use base64::Engine;

use super::tags;
use super::tags::TagError;

/// A key that can be used, or why it can't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub kind: KeyKind,
    /// `t=y`: receivers may treat mail as if it were not signed.
    pub testing: bool,
    /// `t=s`: signatures may not name a subdomain.
    pub strict: bool,
    /// Bytes of the key, without the blanks it was written with.
    pub public: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    Rsa {
        /// Bits of the modulus.
        bits: u32,
    },
    Ed25519,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// Nothing of it looks like a key record.
    NoKey,
    /// `p=` is empty.
    Revoked,
    Tags(TagError),
    /// `v=` is not first or not `DKIM1`.
    Version(String),
    /// No `p=`.
    NoPublic,
    /// The key's bytes can't be read.
    Damaged,
    /// `k=` names something else.
    Kind(String),
    /// `h=` leaves out sha256, which is what everybody signs with.
    Hash(String),
    /// `s=` does not name email.
    Service(String),
}

/// Whether a text means to be a key record: it may leave out the version.
fn is_meant(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    compact.starts_with("v=DKIM1") || compact.split(';').any(|it| it.starts_with("p=")) || compact.contains("v=DKIM")
}

/// Reads a key record.
pub fn parse(text: &str) -> Result<Key, KeyError> {
    if !is_meant(text) {
        return Err(KeyError::NoKey);
    }
    let tags = tags::parse(text).map_err(KeyError::Tags)?;
    let get = |name: &str| tags.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str());
    if let Some(version) = get("v")
        && (version != "DKIM1" || tags.first().is_none_or(|(name, _)| name != "v"))
    {
        return Err(KeyError::Version(version.to_owned()));
    }
    let list =
        |name: &str| get(name).map(|it| it.split(':').map(|it| it.trim().to_ascii_lowercase()).collect::<Vec<_>>());
    if let Some(hashes) = list("h")
        && !hashes.iter().any(|it| it == "sha256")
    {
        return Err(KeyError::Hash(hashes.join(":")));
    }
    if let Some(services) = list("s")
        && !services.iter().any(|it| it == "*" || it == "email")
    {
        return Err(KeyError::Service(services.join(":")));
    }
    let public: String = get("p").ok_or(KeyError::NoPublic)?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if public.is_empty() {
        return Err(KeyError::Revoked);
    }
    let bytes = decode(&public).ok_or(KeyError::Damaged)?;
    let kind = match get("k").unwrap_or("rsa").to_ascii_lowercase().as_str() {
        "rsa" => KeyKind::Rsa { bits: modulus_bits(&bytes).ok_or(KeyError::Damaged)? },
        // 32 bytes as they are; some write them as SubjectPublicKeyInfo, which no verifier has to read.
        "ed25519" if bytes.len() == 32 => KeyKind::Ed25519,
        "ed25519" => return Err(KeyError::Damaged),
        other => return Err(KeyError::Kind(other.to_owned())),
    };
    let flags = list("t").unwrap_or_default();
    Ok(Key { kind, testing: flags.iter().any(|it| it == "y"), strict: flags.iter().any(|it| it == "s"), public })
}

fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::alphabet::STANDARD;
    use base64::engine::DecodePaddingMode;
    use base64::engine::GeneralPurpose;
    use base64::engine::GeneralPurposeConfig;
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config).decode(text).ok()
}

/// One DER element: tag, content, rest.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let n = usize::from(first & 0x7f);
        if n == 0 || n > 3 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(n)?;
        (digits.iter().fold(0, |it, b| it << 8 | usize::from(*b)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Bits of the modulus in a SubjectPublicKeyInfo, or in an RSAPublicKey, which older tools write.
fn modulus_bits(der: &[u8]) -> Option<u32> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    let (tag, content, _) = element(der)?;
    if tag != SEQUENCE {
        return None;
    }
    let (tag, first, rest) = element(content)?;
    if tag == INTEGER {
        let (exponent, _, _) = element(rest)?;
        let leading = first.iter().take_while(|it| **it == 0).count();
        let digits = first.get(leading..)?;
        let top = digits.first()?;
        return (exponent == INTEGER).then(|| digits.len() as u32 * 8 - top.leading_zeros());
    }
    let (tag, bits, _) = element(rest)?;
    if tag != BIT_STRING {
        return None;
    }
    // The first byte counts unused bits.
    modulus_bits(bits.get(1..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";
    const ED: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn keys_are_read_whatever_their_blanks() {
        let rsa = |text: &str| parse(text).map(|it| it.kind);
        let spaced = format!("v=DKIM1 ; k = rsa;\r\n p= {} {} ;", &RSA_1024[..100], &RSA_1024[100..]);
        for text in [format!("p={RSA_1024}"), format!("v=DKIM1; p={RSA_1024};"), spaced, format!("k=RSA; p={RSA_1024}")]
        {
            assert_eq!(rsa(&text), Ok(KeyKind::Rsa { bits: 1024 }), "{text}");
        }
        let ed = parse(&format!("v=DKIM1; k=ed25519; t=y:s; p={ED}")).unwrap();
        assert_eq!((ed.kind, ed.testing, ed.strict), (KeyKind::Ed25519, true, true));
        // Without its padding, as some panels cut it.
        assert!(parse(&format!("k=ed25519; p={}", ED.trim_end_matches('='))).is_ok());
        let check = |text: &str, expected: KeyError| assert_eq!(parse(text), Err(expected), "{text}");
        check("v=DKIM1; p=", KeyError::Revoked);
        check("v=DKIM1; p=  ;", KeyError::Revoked);
        check("v=spf1 -all", KeyError::NoKey);
        check("v=DKIM1; k=rsa", KeyError::NoPublic);
        check("v=DKIM1; k=rsa; p=AAAA", KeyError::Damaged);
        check("v=DKIM1; p=!!!", KeyError::Damaged);
        check(&format!("k=rsa; v=DKIM1; p={RSA_1024}"), KeyError::Version("DKIM1".to_owned()));
        check(&format!("v=DKIM2; p={RSA_1024}"), KeyError::Version("DKIM2".to_owned()));
        check(&format!("v=DKIM1; k=dsa; p={RSA_1024}"), KeyError::Kind("dsa".to_owned()));
        check(&format!("v=DKIM1; h=sha1; p={RSA_1024}"), KeyError::Hash("sha1".to_owned()));
        check(&format!("v=DKIM1; s=tlsrpt; p={RSA_1024}"), KeyError::Service("tlsrpt".to_owned()));
        check(&format!("v=DKIM1; p={RSA_1024}; p={RSA_1024}"), KeyError::Tags(TagError::Twice("p".to_owned())));
        check(&format!("v=DKIM1; key; p={RSA_1024}"), KeyError::Tags(TagError::Malformed("key".to_owned())));
        assert!(parse(&format!("v=DKIM1; h=sha1:sha256; s=email:x; p={RSA_1024}")).is_ok());
    }
}
