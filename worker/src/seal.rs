//! Secrets at rest: AES-256-GCM under a key made from the Worker secret `SEAL_SECRET`. The text names the key, so that a
//! changed secret is told from a broken text; what it is for is authenticated with it, so that it opens nowhere else.

use aes_gcm::Aes256Gcm;
use aes_gcm::KeyInit;
use aes_gcm::Nonce;
use aes_gcm::aead::Aead;
use aes_gcm::aead::Payload;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest;
use sha2::Sha256;

use crate::app::App;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("the secret SEAL_SECRET is missing")]
    NoSecret,
    #[error("sealed with another SEAL_SECRET: enter it again")]
    OtherKey,
    #[error("the sealed text is broken: enter it again")]
    Broken,
}

struct Key {
    cipher: Aes256Gcm,
    id: String,
}

fn key(secret: &str) -> Result<Key, SealError> {
    if secret.is_empty() {
        return Err(SealError::NoSecret);
    }
    let bytes = Sha256::digest([b"mailroom seal v1\0", secret.as_bytes()].concat());
    let id = Sha256::digest(bytes).iter().take(4).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let cipher = Aes256Gcm::new_from_slice(&bytes).map_err(|_| SealError::Broken)?;
    Ok(Key { cipher, id })
}

/// `v1.<key id>.<nonce and ciphertext>`.
pub fn seal(app: &App, purpose: &str, text: &str) -> Result<String, SealError> {
    let key = key(&app.config.seal_secret)?;
    let mut nonce = [0; 12];
    app.random.bytes(&mut nonce);
    let payload = Payload { msg: text.as_bytes(), aad: purpose.as_bytes() };
    let sealed = key.cipher.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| SealError::Broken)?;
    let body = URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat());
    Ok(format!("v1.{}.{body}", key.id))
}

/// Opens what [`seal`] made for the same purpose.
pub fn open(app: &App, purpose: &str, sealed: &str) -> Result<String, SealError> {
    let key = key(&app.config.seal_secret)?;
    let mut parts = sealed.split('.');
    let (Some("v1"), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(SealError::Broken);
    };
    if id != key.id {
        return Err(SealError::OtherKey);
    }
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| SealError::Broken)?;
    let (nonce, rest) = bytes.split_at_checked(12).ok_or(SealError::Broken)?;
    let payload = Payload { msg: rest, aad: purpose.as_bytes() };
    let plain = key.cipher.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| SealError::Broken)?;
    String::from_utf8(plain).map_err(|_| SealError::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestApp;

    #[test]
    fn opens_only_with_the_key_and_for_the_purpose_it_was_sealed_for() {
        let test = TestApp::new();
        let sealed = seal(&test.app, "server:1", "pässword").unwrap();
        assert!(sealed.starts_with("v1.") && !sealed.contains("ssword"), "{sealed}");
        assert_ne!(sealed, seal(&test.app, "server:1", "pässword").unwrap(), "never the same twice");
        assert_eq!(open(&test.app, "server:1", &sealed).as_deref(), Ok("pässword"));
        assert_eq!(open(&test.app, "server:2", &sealed), Err(SealError::Broken), "another server");
        let mut broken = sealed.clone();
        broken.pop();
        assert_eq!(open(&test.app, "server:1", &broken), Err(SealError::Broken));
        let other = TestApp::with_seal("another secret");
        assert_eq!(open(&other.app, "server:1", &sealed), Err(SealError::OtherKey));
        assert_eq!(seal(&TestApp::with_seal("").app, "x", "y"), Err(SealError::NoSecret));
    }
}
