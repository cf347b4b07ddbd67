//! Outgoing servers.

use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use crate::ports::Security;
use crate::ports::ServerAccess;
use crate::ports::ServerKind;
use crate::ports::Statement;
use crate::statement;

/// An outgoing server as the queue needs it.
#[derive(Debug, Deserialize)]
pub struct Server {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub host: String,
    pub port: u16,
    pub security: String,
    pub username: String,
    /// Servers with a login come with the page that sets them up.
    pub password_sealed: String,
    #[serde(deserialize_with = "super::int_bool")]
    pub bulk: bool,
}

impl Server {
    /// `ehlo` is what we call ourselves.
    pub fn access(&self, ehlo: &str) -> ServerAccess {
        ServerAccess {
            id: self.id.clone(),
            name: self.name.clone(),
            kind: if self.kind == "smtp" { ServerKind::Smtp } else { ServerKind::Cloudflare },
            host: self.host.clone(),
            port: self.port,
            security: match self.security.as_str() {
                "none" => Security::None,
                "starttls" => Security::StartTls,
                _ => Security::Tls,
            },
            username: self.username.clone(),
            password: self.password_sealed.clone(),
            ehlo: ehlo.to_owned(),
        }
    }
}

/// Those in use, in the order they are chosen.
pub fn list_enabled() -> Statement {
    statement!(
        "SELECT id, name, kind, host, port, security, username, password_sealed, bulk FROM servers WHERE enabled = 1
         ORDER BY priority, created"
    )
}

/// A server to be.
pub struct NewServer<'a> {
    pub id: &'a str,
    pub name: &'a str,
    /// `cloudflare` or `smtp`.
    pub kind: &'a str,
    pub host: &'a str,
    pub port: u16,
    /// `none`, `starttls` or `tls`.
    pub security: &'a str,
}

pub fn insert(s: &NewServer<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO servers (id, name, kind, host, port, security, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        s.id,
        s.name,
        s.kind,
        s.host,
        s.port,
        s.security,
        now
    )
}
