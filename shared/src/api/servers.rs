//! Outgoing servers: settings, health, test, simulation, and recipient domains that asked us to slow down.

use serde::Deserialize;
use serde::Serialize;

use crate::id::ServerId;
use crate::outbox::choice::Hindrance;
use crate::outbox::choice::Mismatch;
use crate::outbox::choice::Passed;
use crate::outbox::choice::ReturnPath;
use crate::outbox::choice::Why;
use crate::time::Timestamp;

/// How mail gets to a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServerKind {
    /// Cloudflare Email Sending: the built-in server, which the daily limit is about.
    Cloudflare,
    #[default]
    Smtp,
}

impl ServerKind {
    pub const ALL: [Self; 2] = [Self::Cloudflare, Self::Smtp];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cloudflare => "cloudflare",
            Self::Smtp => "smtp",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// Encryption of the connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Security {
    None,
    StartTls,
    #[default]
    Tls,
}

impl Security {
    pub const ALL: [Self; 3] = [Self::Tls, Self::StartTls, Self::None];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::StartTls => "starttls",
            Self::Tls => "tls",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// How a login is proven (RFC 4954): `auto` takes the best that the server offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    #[default]
    Auto,
    Plain,
    Login,
    /// SCRAM-SHA-256 (RFC 7677).
    Scram,
}

impl Auth {
    pub const ALL: [Self; 4] = [Self::Auto, Self::Plain, Self::Login, Self::Scram];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Plain => "plain",
            Self::Login => "login",
            Self::Scram => "scram",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// What a person may set. A password that is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct EditServer {
    pub name: String,
    pub kind: ServerKind,
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// With STARTTLS: no mail without encryption.
    pub strict_tls: bool,
    pub auth: Auth,
    pub username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Addresses and domains, parted by commas; empty carries every From.
    pub from_filter: String,
    /// Lowest first.
    pub priority: i32,
    /// May take campaigns.
    pub bulk: bool,
    pub enabled: bool,
    pub daily_limit: Option<u32>,
    pub hourly_limit: Option<u32>,
    /// Bytes.
    pub max_size: Option<u32>,
    /// Seconds.
    pub connect_timeout: u32,
    pub send_timeout: u32,
    /// Sign with the key of the From's domain.
    pub dkim: bool,
}

impl Default for EditServer {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: ServerKind::default(),
            host: String::new(),
            port: 465,
            security: Security::default(),
            strict_tls: true,
            auth: Auth::default(),
            username: String::new(),
            password: None,
            from_filter: String::new(),
            priority: 10,
            bulk: false,
            enabled: true,
            daily_limit: None,
            hourly_limit: None,
            max_size: None,
            connect_timeout: 20,
            send_timeout: 120,
            dkim: false,
        }
    }
}

/// How a server has been.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerHealth {
    pub last_success: Option<Timestamp>,
    pub last_trouble: Option<Timestamp>,
    pub last_error: Option<String>,
    /// It rests after trouble until then; other servers take its mail meanwhile.
    pub rests_until: Option<Timestamp>,
    /// Last 24 hours: taken, refused for the mail's sake, in trouble itself.
    pub taken: u32,
    pub refused: u32,
    pub trouble: u32,
    /// Milliseconds of one hand-over, on average.
    pub latency: Option<u32>,
}

impl ServerHealth {
    /// Hundredths of the last 24 hours' hand-overs that failed for the server's sake.
    pub fn error_rate(&self) -> u32 {
        match self.taken + self.refused + self.trouble {
            0 => 0,
            all => self.trouble * 100 / all,
        }
    }
}

/// A server with its health. Its password is never here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerRow {
    pub id: ServerId,
    pub settings: EditServer,
    pub has_password: bool,
    pub archived: bool,
    pub health: ServerHealth,
    pub used_today: u32,
    pub used_hour: u32,
    /// The daily limit that counts, learned ones included.
    pub limit: Option<u32>,
    /// The limit came from an answer of the provider.
    pub learned: bool,
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TestStage {
    /// Port and address are ones that mail may leave by.
    Allowed,
    /// The name leads to an address.
    Dns,
    /// The address answers on the port.
    Connect,
    /// The greeting is SMTP.
    Greeting,
    /// The connection is encrypted.
    Tls,
    Login,
    /// The server takes our From as sender.
    Sender,
}

impl TestStage {
    pub const ALL: [Self; 7] =
        [Self::Allowed, Self::Dns, Self::Connect, Self::Greeting, Self::Tls, Self::Login, Self::Sender];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Sender => "sender",
        }
    }
}

/// What *Test connection* found. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestReport {
    /// All went well.
    pub ok: bool,
    /// Stages passed, in order.
    pub passed: Vec<TestStage>,
    /// Where it ended.
    pub failed: Option<TestStage>,
    /// Words of the server, or of the platform.
    pub text: String,
    /// Largest mail that the server says it takes (RFC 1870).
    pub max_size: Option<u32>,
    /// What it offers after EHLO.
    pub offers: Vec<String>,
    pub millis: u32,
}

/// The settings to try, and whose password to take when none is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestServer {
    pub server: Option<ServerId>,
    pub settings: EditServer,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SimulateQuery {
    /// `Name <address>` or an address.
    pub from: String,
    pub to: String,
    /// `urgent` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
}

/// Another server and why it was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PassedOver {
    pub server: String,
    pub why: Passed,
}

/// What would become of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Leaves { server: String, from: String, is_rewritten: bool, return_path: ReturnPath, why: Why },
    Waits { server: String, until: Timestamp, because: Passed },
    Never { because: Hindrance },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Simulation {
    pub outcome: Outcome,
    pub passed: Vec<PassedOver>,
    /// The recipient's domain asked that server to wait until then.
    pub slowed_until: Option<Timestamp>,
}

/// A recipient domain that asked a server of ours to slow down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SlowedDomain {
    pub domain: String,
    pub server: ServerId,
    pub server_name: String,
    pub since: Timestamp,
    pub until: Timestamp,
    /// Its words.
    pub text: String,
    /// Deliveries that wait for it.
    pub waiting: u32,
}

/// Rules for all servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct OutgoingRules {
    /// What becomes of a mail whose From no server may carry.
    pub on_mismatch: Mismatch,
}

/// The DKIM key of a domain and the record to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DkimKey {
    pub domain: crate::address::Domain,
    pub selector: String,
    /// Name of the TXT record.
    pub record_name: String,
    /// Its value.
    pub record_value: String,
    pub created: Timestamp,
}

crate::endpoints! {
    ListServers: Get "/api/v1/servers" "Outgoing servers with their health, in the order of choice" { query: (), body: () } -> Vec<ServerRow>;
    CreateServer: Post "/api/v1/servers" "New outgoing server" { query: (), body: EditServer } -> ServerRow;
    ChangeServer: Patch "/api/v1/servers/{id}" "Change an outgoing server; an archived one comes back" { query: (), body: EditServer } -> ServerRow;
    ArchiveServer: Delete "/api/v1/servers/{id}" "Archive an outgoing server; refused while mail or a rule needs it" { query: (), body: () } -> ();
    TestConnection: Post "/api/v1/servers/test" "Connect, encrypt, log in, name the sender; sends nothing" { query: (), body: TestServer } -> TestReport;
    Simulate: Get "/api/v1/servers/simulate" "By which server a mail would leave, in whose name, and why" { query: SimulateQuery, body: () } -> Simulation;
    ListSlowed: Get "/api/v1/slowed" "Recipient domains that asked us to slow down" { query: (), body: () } -> Vec<SlowedDomain>;
    LiftSlowed: Delete "/api/v1/slowed/{domain}" "Try a slowed domain again at once" { query: (), body: () } -> ();
    ReadRules: Get "/api/v1/outgoing-rules" "Rules for all outgoing servers" { query: (), body: () } -> OutgoingRules;
    ChangeRules: Patch "/api/v1/outgoing-rules" "Change the rules for all outgoing servers" { query: (), body: OutgoingRules } -> OutgoingRules;
    ListDkim: Get "/api/v1/dkim" "DKIM keys with the records to publish" { query: (), body: () } -> Vec<DkimKey>;
    MakeDkim: Post "/api/v1/dkim/{domain}" "Make a DKIM key for an alias domain, unless it has one" { query: (), body: () } -> DkimKey;
}
