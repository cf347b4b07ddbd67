//! The daily limit: how much is used and left, when it begins anew, who uses it, what speaks for a higher one.

use serde::Deserialize;
use serde::Serialize;

use crate::id::ServerId;
use crate::outbox::limit::LimitPolicy;
use crate::time::Timestamp;

/// Mails of an hour (number of hours since 1970).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HourCount {
    pub hour: i64,
    pub n: u32,
}

/// Mails of a class: `customer`, `colleague` or `automatic`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClassCount {
    pub class: String,
    pub n: u32,
}

/// Use of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Meter {
    pub server: ServerId,
    pub name: String,
    pub built_in: bool,
    pub bulk: bool,
    pub used: u32,
    /// Mails per day; without bounds when absent.
    pub limit: Option<u32>,
    pub left: Option<u32>,
    /// Of those left, kept for urgent mail.
    pub reserved: u32,
    pub resets_at: Timestamp,
    pub hourly: Option<u32>,
    pub this_hour: u32,
    /// When the limit is reached if it goes on like this; absent when it is not.
    pub forecast: Option<Timestamp>,
    /// The limit was taught by the provider.
    pub learned: bool,
    pub by_class: Vec<ClassCount>,
    /// Since the day began.
    pub per_hour: Vec<HourCount>,
    /// Deliveries parked by the limit.
    pub parked: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limits {
    pub meters: Vec<Meter>,
    pub policy: LimitPolicy,
    /// What the table says now.
    pub daily: u32,
    /// Colleagues told by email, and in Mailroom.
    pub told_by_email: u32,
    pub told_in_mailroom: u32,
    /// Notices of the last 30 days that went to Mailroom instead of by email: quota saved.
    pub saved: u32,
}

/// Something that must be known to administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Notice {
    pub id: String,
    /// The text is `notice.<kind>`.
    pub kind: String,
    pub args: std::collections::BTreeMap<String, String>,
    pub at: Timestamp,
}

/// A domain as support looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SupportDomain {
    pub domain: crate::address::Domain,
    pub aliases: u32,
    pub tested: u32,
    pub failing: u32,
    pub dkim: bool,
}

/// What is worth knowing before one asks for a higher limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SupportCase {
    pub users: u32,
    pub plan: crate::outbox::limit::Plan,
    pub marketing: bool,
    pub migrating: bool,
    /// Last 30 days.
    pub handed_over: u32,
    pub bounced: u32,
    pub complained: u32,
    /// Days of the last 30 on which the limit was reached.
    pub days_at_limit: u32,
    pub domains: Vec<SupportDomain>,
    /// Points that support weighs, each `good` or not; texts `support.<key>.good` and `support.<key>.bad`.
    pub points: Vec<SupportPoint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SupportPoint {
    /// `users`, `apps`, `bounces`, `aliases` or `domain`.
    pub key: String,
    pub good: bool,
    /// The figure it rests on, as a person reads it.
    pub figure: String,
}

impl SupportCase {
    /// Thousandths of what was handed over that came back.
    pub fn bounce_rate(&self) -> u32 {
        if self.handed_over == 0 { 0 } else { (u64::from(self.bounced) * 1_000 / u64::from(self.handed_over)) as u32 }
    }
}

/// Points of a case; `good` means that it speaks for a higher limit.
pub fn points(case: &SupportCase) -> Vec<SupportPoint> {
    let rate = case.bounce_rate();
    let point = |key: &str, good, figure: String| SupportPoint { key: key.to_owned(), good, figure };
    vec![
        point("users", case.users >= 2, case.users.to_string()),
        point("apps", !case.migrating, String::new()),
        point("bounces", rate < 20, format!("{}.{} %", rate / 10, rate % 10)),
        point(
            "aliases",
            !case.domains.is_empty() && case.domains.iter().all(|it| it.failing == 0 && it.tested > 0),
            case.domains.iter().map(|it| it.aliases).sum::<u32>().to_string(),
        ),
        point("domain", case.domains.iter().any(|it| it.dkim), case.domains.len().to_string()),
    ]
}

crate::endpoints! {
    ReadLimits: Get "/api/v1/limits" "Use, limit and forecast of every outgoing server" { query: (), body: () } -> Limits;
    ChangeLimits: Patch "/api/v1/limits" "Change the table of daily limits and what it depends on" { query: (), body: LimitPolicy } -> Limits;
    ReadSupportCase: Get "/api/v1/limits/support" "What support weighs when a higher limit is asked for" { query: (), body: () } -> SupportCase;
    ListNotices: Get "/api/v1/notices" "What administrators must know" { query: (), body: () } -> Vec<Notice>;
    SettleNotice: Delete "/api/v1/notices/{id}" "A notice was read" { query: (), body: () } -> ();
}
