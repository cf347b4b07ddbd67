//! Who changed which setting: a row before and after the statements that change it, in their batch. What a setting is said
//! to be is read by SQL that names its columns, so that no secret gets in.

use mailroom_shared::api::doctor::SettingChange;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// What can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    Domain,
    Alias,
    Server,
    Dkim,
    Action,
    Limits,
    Retention,
    Rules,
    Inbound,
    Resolver,
}

impl Area {
    pub const ALL: [Self; 10] = [
        Self::Domain,
        Self::Alias,
        Self::Server,
        Self::Dkim,
        Self::Action,
        Self::Limits,
        Self::Retention,
        Self::Rules,
        Self::Inbound,
        Self::Resolver,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Alias => "alias",
            Self::Server => "server",
            Self::Dkim => "dkim",
            Self::Action => "action",
            Self::Limits => "limits",
            Self::Retention => "retention",
            Self::Rules => "rules",
            Self::Inbound => "policy",
            Self::Resolver => "resolver",
        }
    }

    /// What it is now; `?1` is its key.
    const fn snapshot(self) -> &'static str {
        match self {
            Self::Domain => {
                "SELECT json_object('catchall', catchall, 'bounce', bounce, 'default_from', default_from)
                 FROM domains WHERE name = ?1"
            }
            Self::Alias => {
                "SELECT json_object('address', address, 'creates', creates, 'record', record_id, 'parent', parent_record_id,
                   'defaults', json(defaults), 'contact_rule', contact_rule, 'listed', json(listed), 'outcome', outcome,
                   'refusal_text', refusal_text, 'any_domain', any_domain, 'owner', owner_id, 'also',
                   (SELECT group_concat(n.address, ', ') FROM alias_names n WHERE n.alias_id = a.id AND n.kind = 'also'))
                 FROM aliases a WHERE id = ?1"
            }
            Self::Server => {
                "SELECT json_object('name', name, 'kind', kind, 'host', host, 'port', port, 'security', security,
                   'strict_tls', strict_tls, 'auth', auth, 'username', username,
                   'password', CASE password_sealed WHEN '' THEN 'none' ELSE 'set' END, 'from_filter', from_filter,
                   'priority', priority, 'bulk', bulk, 'enabled', enabled, 'daily_limit', daily_limit,
                   'hourly_limit', hourly_limit, 'max_size', max_size, 'connect_timeout', connect_timeout,
                   'send_timeout', send_timeout, 'dkim', dkim, 'archived', archived)
                 FROM servers WHERE id = ?1"
            }
            Self::Dkim => {
                "SELECT json_group_array(selector) FROM dkim_keys WHERE domain = ?1 GROUP BY domain"
            }
            Self::Action => {
                "SELECT json_object('interval', interval_minutes, 'enabled', enabled) FROM actions WHERE name = ?1"
            }
            Self::Limits | Self::Retention | Self::Rules | Self::Inbound | Self::Resolver => "SELECT value FROM settings WHERE key = ?1",
        }
    }

    /// What people call it; `?1` is its key.
    const fn name(self) -> &'static str {
        match self {
            Self::Alias => "SELECT address FROM aliases WHERE id = ?1",
            Self::Server => "SELECT name FROM servers WHERE id = ?1",
            Self::Limits | Self::Retention | Self::Rules | Self::Inbound | Self::Resolver => "SELECT ''",
            Self::Domain | Self::Dkim | Self::Action => "SELECT ?1",
        }
    }
}

/// The statements with what they change noted around them: one more before, two more after. What changes nothing leaves
/// no row.
pub fn around(
    id: &str,
    by: &str,
    area: Area,
    key: &str,
    now: Timestamp,
    work: impl IntoIterator<Item = Statement>,
) -> Vec<Statement> {
    let (snapshot, name) = (area.snapshot(), area.name());
    let mut all = vec![statement!(
        format!(
            "INSERT INTO setting_changes (id, at, by_name, area, item, before, after)
             VALUES (?2, ?3, ?4, ?5, COALESCE(({name}), ?1), COALESCE(({snapshot}), ''), '')"
        ),
        key,
        id,
        now,
        by,
        area.as_str()
    )];
    all.extend(work);
    all.push(statement!(
        format!(
            "UPDATE setting_changes SET after = COALESCE(({snapshot}), ''), item = COALESCE(({name}), item) WHERE id = ?2"
        ),
        key,
        id
    ));
    all.push(statement!("DELETE FROM setting_changes WHERE id = ?1 AND before = after", id));
    all
}

#[derive(Deserialize)]
struct Row {
    at: Timestamp,
    by_name: String,
    area: String,
    item: String,
    before: String,
    after: String,
}

/// The newest of those since a time.
pub fn list(since: Timestamp) -> Statement {
    statement!(
        "SELECT at, by_name, area, item, before, after FROM setting_changes WHERE at >= ?1 ORDER BY at DESC, id DESC LIMIT 200",
        since
    )
}

pub async fn since(app: &App, since: Timestamp) -> Result<Vec<SettingChange>, StoreError> {
    let rows: Vec<Row> = super::decode(app.run(list(since)).await?)?;
    Ok(rows
        .into_iter()
        .map(|it| SettingChange {
            at: it.at,
            by: it.by_name,
            area: it.area,
            item: it.item,
            before: it.before,
            after: it.after,
        })
        .collect())
}
