//! The outgoing servers with their limits and use, as one reading of the database: the queue and the pages ask the same.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::servers::OutgoingRules;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::outbox::choice::Candidate;
use mailroom_shared::outbox::limit;
use mailroom_shared::outbox::limit::LimitPolicy;
use mailroom_shared::outbox::limit::Use;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use crate::app::App;
use crate::ports::Statement;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::dkim;
use crate::store::limits;
use crate::store::limits::UsageRow;
use crate::store::servers;
use crate::store::servers::Server;
use crate::store::settings;

/// Key of [`OutgoingRules`] in the settings.
pub const RULES: &str = "outgoing";

pub struct Fleet {
    pub servers: Vec<Server>,
    pub usage: Vec<UsageRow>,
    pub policy: LimitPolicy,
    pub rules: OutgoingRules,
    pub domains: Vec<DomainRow>,
    pub dkim: Vec<dkim::Key>,
    /// Of the page; none before the first run.
    pub base_url: Option<String>,
    pub now: Timestamp,
    pub day_start: Timestamp,
    pub day_end: Timestamp,
    /// Number since 1970.
    pub hour: i64,
    pub hour_end: Timestamp,
}

#[derive(Deserialize)]
struct ValueRow {
    value: String,
}

impl Fleet {
    /// What [`Fleet::read`] wants answered, in that order.
    pub fn statements(now: Timestamp) -> Vec<Statement> {
        vec![
            servers::list(),
            // A day may have begun up to a day ago.
            limits::since(limit::hour(now - Span::days(1)).0),
            settings::get(limits::LIMITS),
            settings::get(RULES),
            settings::list_domains(),
            settings::get(settings::BASE_URL),
            dkim::list(),
        ]
    }

    pub fn read(answers: &mut Answers, now: Timestamp) -> Result<Self, StoreError> {
        let servers = answers.rows()?;
        let usage = answers.rows()?;
        let policy: LimitPolicy = match answers.one::<ValueRow>()? {
            Some(row) => {
                serde_json::from_str(&row.value).map_err(|e| StoreError::Corrupt(format!("settings.limits: {e}")))?
            }
            None => LimitPolicy::default(),
        };
        let rules = match answers.one::<ValueRow>()? {
            Some(row) => {
                serde_json::from_str(&row.value).map_err(|e| StoreError::Corrupt(format!("settings.outgoing: {e}")))?
            }
            None => OutgoingRules::default(),
        };
        let domains = answers.rows()?;
        let base_url = answers.one::<ValueRow>()?.map(|it| it.value);
        let dkim = answers.rows()?;
        let (day_start, day_end) = limit::day(now, policy.resets_at);
        let (hour, hour_end) = limit::hour(now);
        Ok(Self { servers, usage, policy, rules, domains, dkim, base_url, now, day_start, day_end, hour, hour_end })
    }

    pub async fn load(app: &App) -> Result<Self, StoreError> {
        let now = app.now();
        Self::read(&mut Answers::new(app.db.batch(Self::statements(now)).await?), now)
    }

    /// First hour of the day that counts.
    pub fn day_hour(&self) -> i64 {
        limit::hour(self.day_start).0
    }

    /// Mails per day: the table for the built-in server, an own figure for others, what the provider taught for both.
    pub fn daily(&self, server: &Server) -> Option<u32> {
        let configured = match server.kind {
            ServerKind::Cloudflare => Some(server.daily_limit.unwrap_or_else(|| self.policy.limit())),
            ServerKind::Smtp => server.daily_limit,
        };
        limit::learned(configured, server.learned_limit.zip(server.learned_at), self.day_start)
    }

    pub fn use_of(&self, server: &Server) -> Use {
        let used = limits::used(&self.usage, server.id.as_str(), self.day_hour(), self.hour);
        Use {
            daily: self.daily(server),
            hourly: server.hourly_limit,
            reserve: self.policy.reserve,
            today: used.today,
            this_hour: used.this_hour,
        }
    }

    /// For mail of a lane.
    pub fn candidates(&self, urgent: bool) -> Vec<Candidate> {
        self.servers
            .iter()
            .map(|it| Candidate {
                full_until: self.use_of(it).full_until(urgent, self.day_end, self.hour_end),
                ..it.candidate(self.now)
            })
            .collect()
    }

    /// The address that notifications of an alias domain come from.
    pub fn notifications(&self, domain: &str) -> Option<EmailAddress> {
        let row = self.domains.iter().find(|it| it.name.as_str() == domain).or_else(|| self.domains.first())?;
        EmailAddress::parse(&format!("{}@{}", row.default_from, row.name.as_str())).ok()
    }

    /// What we call ourselves.
    pub fn ehlo(&self) -> &str {
        self.domains.first().map_or("mailroom.invalid", |it| it.name.as_str())
    }
}
