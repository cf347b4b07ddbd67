//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding: enough to see that a client proves
//! that it knows the password without saying it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

const ROUNDS: u32 = 4096;
const SALT: &[u8] = b"mailroom test sink";
/// Behind the client's own nonce.
const NONCE: &str = "K1tcHenS1nk";

/// Where an exchange stands after the first message of the client.
pub(super) struct Scram {
    pub(super) user: String,
    client_first: String,
    server_first: String,
    nonce: String,
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// PBKDF2 for one block.
fn salted(password: &str) -> [u8; 32] {
    let mut last = hmac(password.as_bytes(), &[SALT, &[0, 0, 0, 1]].concat());
    let mut all = last;
    for _ in 1..ROUNDS {
        last = hmac(password.as_bytes(), &last);
        all.iter_mut().zip(last).for_each(|(a, b)| *a ^= b);
    }
    all
}

fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.split(',').find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
}

impl Scram {
    /// Reads `n,,n=user,r=nonce`.
    pub(super) fn begin(first: &str) -> Option<Self> {
        let bare = first.strip_prefix("n,,")?;
        let nonce = format!("{}{NONCE}", field(bare, "r")?);
        Some(Self {
            user: field(bare, "n")?.replace("=2C", ",").replace("=3D", "="),
            client_first: bare.to_owned(),
            server_first: format!("r={nonce},s={},i={ROUNDS}", STANDARD.encode(SALT)),
            nonce,
        })
    }

    /// The challenge, in base64.
    pub(super) fn challenge(&self) -> String {
        STANDARD.encode(&self.server_first)
    }

    /// Our own proof, in base64, when the client's is right.
    pub(super) fn check(&self, last: &str, password: &str) -> Option<String> {
        let (bare, proof) = last.rsplit_once(",p=")?;
        if field(bare, "r") != Some(self.nonce.as_str()) {
            return None;
        }
        let salted = salted(password);
        let talk = format!("{},{},{bare}", self.client_first, self.server_first);
        let client_key = hmac(&salted, b"Client Key");
        let signature = hmac(&Sha256::digest(client_key), talk.as_bytes());
        let expected: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        (STANDARD.decode(proof).ok()? == expected).then(|| {
            let server_key = hmac(&salted, b"Server Key");
            STANDARD.encode(format!("v={}", STANDARD.encode(hmac(&server_key, talk.as_bytes()))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_password_gets_through() {
        let it = Scram::begin("n,,n=mai,r=abc").unwrap();
        assert_eq!(it.user, "mai");
        let bare = format!("c=biws,r=abc{NONCE}");
        let prove = |password: &str| {
            let talk = format!("n=mai,r=abc,{},{bare}", it.server_first);
            let key = hmac(&salted(password), b"Client Key");
            let signature = hmac(&Sha256::digest(key), talk.as_bytes());
            let proof: Vec<u8> = key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
            format!("{bare},p={}", STANDARD.encode(proof))
        };
        assert!(it.check(&prove("right"), "right").is_some());
        assert!(it.check(&prove("wrong"), "right").is_none());
        assert!(it.check("c=biws,r=other,p=AAAA", "right").is_none());
        assert!(Scram::begin("p=tls-unique,,n=mai,r=abc").is_none());
    }
}
