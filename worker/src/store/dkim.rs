//! DKIM keys: one per alias domain, private parts sealed.

use mailroom_shared::address::Domain;
use mailroom_shared::api::servers::DkimKey;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use crate::ports::Statement;
use crate::statement;

/// What a sealed key is for.
pub fn purpose(domain: &str, selector: &str) -> String {
    format!("dkim:{selector}:{domain}")
}

#[derive(Debug, Clone, Deserialize)]
pub struct Key {
    pub domain: Domain,
    pub selector: String,
    /// Base 64 of PKCS #8, sealed.
    pub private_sealed: String,
    /// Value of the DNS record.
    pub public: String,
    pub created: Timestamp,
}

impl From<Key> for DkimKey {
    fn from(it: Key) -> Self {
        Self {
            record_name: format!("{}._domainkey.{}", it.selector, it.domain.ascii()),
            domain: it.domain,
            selector: it.selector,
            record_value: it.public,
            created: it.created,
        }
    }
}

/// A handful of rows.
pub fn list() -> Statement {
    statement!("SELECT domain, selector, private_sealed, public, created FROM dkim_keys ORDER BY domain, created")
}

/// The same again changes nothing: a domain keeps its key, since its record may be published.
pub fn insert(domain: &str, selector: &str, sealed: &str, public: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO dkim_keys (domain, selector, private_sealed, public, created)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM dkim_keys WHERE domain = ?1)",
        domain,
        selector,
        sealed,
        public,
        now
    )
}
