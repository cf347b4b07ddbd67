//! The log: what the rows of many tables say, as one list in time. Each source is read by its own index and no further
//! than the page asks for.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::logs::LogQuery;
use mailroom_shared::id::RecordId;
use mailroom_shared::log::Kind;
use mailroom_shared::log::line::Fact;
use mailroom_shared::log::line::LogLine;
use mailroom_shared::log::talk::Step;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Filter;
use super::StoreError;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

/// Which rows; nothing is all.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub kinds: Option<Vec<Kind>>,
    /// Name of an outgoing server.
    pub server: Option<String>,
    pub about: About,
}

/// What they are about.
#[derive(Debug, Clone, Default)]
pub enum About {
    #[default]
    All,
    /// Key of an address.
    Address(String),
    /// `@` and a domain.
    Domain(String),
    MessageId(String),
    Record(String),
    /// One mail: its hand-over, refusal or drop, and its message.
    Mail {
        arrival: Option<String>,
        message: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Newest first, as people read.
    Down,
    /// Oldest first, as files are written.
    Up,
}

/// The row behind which a list goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    pub at: f64,
    pub rank: usize,
    pub key: String,
}

impl Cursor {
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(3, '~');
        let (at, rank, key) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self { at: at.parse().ok()?, rank: rank.parse().ok()?, key: key.to_owned() })
    }

    pub fn write(&self) -> String {
        format!("{:.0}~{}~{}", self.at, self.rank, self.key)
    }
}

/// One table, with its columns under common names.
struct Source {
    /// First letter of the ids of its lines.
    letter: char,
    columns: &'static str,
    from: &'static str,
    at: &'static str,
    key: &'static str,
    /// The key is a number.
    is_number: bool,
    /// Column of the word that tells the kind; none where the source says one thing only.
    word: Option<&'static str>,
    server: Option<&'static str>,
    /// Conditions, `$0` being what it is about; none where the source knows nothing of the like.
    address: Option<&'static str>,
    domain: Option<&'static str>,
    message_id: Option<&'static str>,
    record: Option<&'static str>,
    arrival: Option<&'static str>,
    message: Option<&'static str>,
}

const OF_RECORD: &str = "i.id IN (SELECT x.id FROM messages m JOIN ingests x ON x.sha256 = substr(m.raw_key, 5, 64)
  WHERE m.record_id = $0 AND m.raw_key IS NOT NULL AND x.message_id = m.id)";

const SOURCES: [Source; 9] = [
    Source {
        letter: 'i',
        columns: "i.id AS key, i.received AS at, 'received' AS word, i.mail_from, i.rcpt_to, i.subject, i.rfc_id,
          NULL AS server, '' AS text, NULL AS reason, NULL AS by_name, i.id AS trace, i.record_id, i.size,
          COALESCE(json_extract(i.verdict, '$.why[#-1].rule') || ': ' || json_extract(i.verdict, '$.why[#-1].text'), '') AS rule,
          NULL AS talk",
        from: "ingests i",
        at: "i.received",
        key: "i.id",
        is_number: false,
        word: None,
        server: None,
        address: Some("i.id IN (SELECT id FROM ingests WHERE sender_key = $0
          UNION SELECT id FROM ingests WHERE key >= 'in:v1:' || $0 || ':' AND key < 'in:v1:' || $0 || ';')"),
        domain: Some("(substr(i.sender_key, -length($0)) = $0 OR substr(i.recipient_key, -length($0)) = $0)"),
        message_id: Some("i.rfc_id = $0"),
        record: Some(OF_RECORD),
        arrival: Some("i.id = $0"),
        message: None,
    },
    Source {
        letter: 'h',
        columns: "h.id AS key, h.at, h.kind AS word, i.mail_from, i.rcpt_to, i.subject, i.rfc_id, NULL AS server,
          h.text, NULL AS reason, h.by_name, i.id AS trace, i.record_id, i.size, '' AS rule, NULL AS talk",
        from: "ingest_events h JOIN ingests i ON i.id = h.ingest_id",
        at: "h.at",
        key: "h.id",
        is_number: true,
        word: Some("h.kind"),
        server: None,
        address: Some("h.ingest_id IN (SELECT id FROM ingests WHERE sender_key = $0
          UNION SELECT id FROM ingests WHERE key >= 'in:v1:' || $0 || ':' AND key < 'in:v1:' || $0 || ';')"),
        domain: Some("(substr(i.sender_key, -length($0)) = $0 OR substr(i.recipient_key, -length($0)) = $0)"),
        message_id: Some("h.ingest_id IN (SELECT id FROM ingests WHERE rfc_id = $0)"),
        record: Some(OF_RECORD),
        arrival: Some("h.ingest_id = $0"),
        message: None,
    },
    Source {
        letter: 'r',
        columns: "f.id AS key, f.at, 'refused' AS word, f.mail_from, f.rcpt_to, f.subject, f.rfc_id, NULL AS server,
          '550 ' || f.status || ' ' || f.text AS text, f.reason, NULL AS by_name, f.id AS trace, NULL AS record_id, f.size,
          COALESCE(json_extract(f.why, '$[#-1].rule') || ': ' || json_extract(f.why, '$[#-1].text'), json_extract(f.why, '$[#-1]'), '') AS rule, NULL AS talk",
        from: "refusals f",
        at: "f.at",
        key: "f.id",
        is_number: false,
        word: None,
        server: None,
        address: Some("f.id IN (SELECT id FROM refusals WHERE sender_key = $0 UNION SELECT id FROM refusals WHERE recipient_key = $0)"),
        domain: Some("(substr(f.sender_key, -length($0)) = $0 OR substr(f.recipient_key, -length($0)) = $0)"),
        message_id: Some("f.rfc_id = $0"),
        record: None,
        arrival: Some("f.id = $0"),
        message: None,
    },
    Source {
        letter: 'g',
        columns: "g.id AS key, g.at, 'dropped' AS word, g.mail_from, g.rcpt_to, g.subject, g.rfc_id, NULL AS server,
          COALESCE(json_extract(g.why, '$[#-1].rule') || ': ' || json_extract(g.why, '$[#-1].text'), json_extract(g.why, '$[#-1]'), '') AS text, g.kind AS reason, NULL AS by_name, g.id AS trace,
          NULL AS record_id, g.size, '' AS rule, NULL AS talk",
        from: "ignored g",
        at: "g.at",
        key: "g.id",
        is_number: false,
        word: None,
        server: None,
        address: Some("g.id IN (SELECT id FROM ignored WHERE sender_key = $0
          UNION SELECT id FROM ignored WHERE key >= $0 || ':' AND key < $0 || ';')"),
        domain: Some("(substr(g.sender_key, -length($0)) = $0 OR substr(g.rcpt_to, -length($0)) = $0)"),
        message_id: Some("g.rfc_id = $0"),
        record: None,
        arrival: Some("g.id = $0"),
        message: None,
    },
    Source {
        letter: 'd',
        columns: "e.id AS key, e.at, e.kind AS word, json_extract(o.sender, '$.address') AS mail_from, d.address AS rcpt_to,
          o.subject, m.rfc_id, COALESCE(e.server, CASE WHEN e.kind IN ('accepted', 'refused') THEN d.server_name END) AS server,
          e.text, NULL AS reason, e.by_name, d.message_id AS trace, d.record_id, 0 AS size, '' AS rule, e.talk",
        from: "events e JOIN deliveries d ON d.id = e.delivery_id JOIN emails o ON o.id = d.email_id
          LEFT JOIN messages m ON m.id = d.message_id",
        at: "e.at",
        key: "e.id",
        is_number: true,
        word: Some("e.kind"),
        server: Some("e.server"),
        address: Some("e.delivery_id IN (SELECT id FROM deliveries WHERE address_key = $0)"),
        domain: Some("e.delivery_id IN (SELECT id FROM deliveries WHERE rcpt_domain = substr($0, 2))"),
        message_id: Some("e.delivery_id IN (SELECT x.id FROM messages y JOIN deliveries x ON x.message_id = y.id WHERE y.rfc_id = $0)"),
        record: Some("e.delivery_id IN (SELECT x.id FROM messages y JOIN deliveries x ON x.message_id = y.id WHERE y.record_id = $0)"),
        arrival: None,
        message: Some("e.delivery_id IN (SELECT id FROM deliveries WHERE message_id = $0)"),
    },
    Source {
        letter: 's',
        columns: "s.address_key AS key, s.created AS at, 'suppressed' AS word, '' AS mail_from, s.address AS rcpt_to,
          '' AS subject, NULL AS rfc_id, NULL AS server, COALESCE(s.evidence, s.note, s.source) AS text, NULL AS reason,
          s.by_name, NULL AS trace, NULL AS record_id, 0 AS size, '' AS rule, NULL AS talk",
        from: "suppressions s",
        at: "s.created",
        key: "s.address_key",
        is_number: false,
        word: None,
        server: None,
        address: Some("s.address_key = $0"),
        domain: Some("substr(s.address_key, -length($0)) = $0"),
        message_id: None,
        record: None,
        arrival: None,
        message: None,
    },
    Source {
        letter: 'l',
        columns: "l.id AS key, l.at, l.kind AS word, '' AS mail_from, l.address AS rcpt_to, '' AS subject, NULL AS rfc_id,
          l.server, l.text, NULL AS reason, l.by_name, NULL AS trace, NULL AS record_id, 0 AS size, '' AS rule, NULL AS talk",
        from: "log_lines l",
        at: "l.at",
        key: "l.id",
        is_number: true,
        word: Some("l.kind"),
        server: Some("l.server"),
        address: Some("l.address = $0 AND l.address <> ''"),
        domain: Some("substr(l.address, -length($0)) = $0"),
        message_id: None,
        record: None,
        arrival: None,
        message: None,
    },
    Source {
        letter: 'c',
        columns: "c.id AS key, c.at, 'canary_sent' AS word, c.mail_from, c.rcpt_to, '' AS subject, NULL AS rfc_id,
          c.server, c.answer AS text, NULL AS reason, c.by_name, NULL AS trace, NULL AS record_id, 0 AS size, '' AS rule,
          NULL AS talk",
        from: "canaries c",
        at: "c.at",
        key: "c.id",
        is_number: false,
        word: None,
        server: Some("c.server"),
        address: Some("lower(c.rcpt_to) = $0"),
        domain: Some("substr(lower(c.rcpt_to), -length($0)) = $0"),
        message_id: None,
        record: None,
        arrival: None,
        message: None,
    },
    Source {
        letter: 'b',
        columns: "c.id AS key, c.returned AS at, 'canary_back' AS word, c.mail_from, c.rcpt_to, '' AS subject,
          NULL AS rfc_id, c.server, '' AS text, NULL AS reason, c.by_name, NULL AS trace, NULL AS record_id, 0 AS size,
          '' AS rule, NULL AS talk",
        from: "canaries c",
        at: "c.returned",
        key: "c.id",
        is_number: false,
        word: None,
        server: Some("c.server"),
        address: Some("lower(c.rcpt_to) = $0"),
        domain: Some("substr(lower(c.rcpt_to), -length($0)) = $0"),
        message_id: None,
        record: None,
        arrival: None,
        message: None,
    },
];

/// SQL list of words; they are ours.
fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|it| format!("'{it}'")).collect::<Vec<_>>().join(", ")
}

impl Source {
    /// The condition for what is asked, or nothing when this source has none of it.
    fn about(&self, about: &About) -> Option<(&'static str, Option<String>)> {
        Some(match about {
            About::All => ("", None),
            About::Address(it) => (self.address?, Some(it.clone())),
            About::Domain(it) => (self.domain?, Some(it.clone())),
            About::MessageId(it) => (self.message_id?, Some(it.clone())),
            About::Record(it) => (self.record?, Some(it.clone())),
            About::Mail { arrival, message } => {
                match (self.arrival.zip(arrival.clone()), self.message.zip(message.clone())) {
                    (Some((sql, id)), _) | (None, Some((sql, id))) => (sql, Some(id)),
                    (None, None) => return None,
                }
            }
        })
    }

    /// The condition for kinds, or nothing when this source has none of them.
    fn kinds(&self, kinds: Option<&[Kind]>) -> Option<String> {
        let Some(kinds) = kinds else { return Some(String::new()) };
        let has = |it: &[Kind]| kinds.iter().any(|kind| it.contains(kind)).then(String::new);
        match (self.letter, self.word) {
            ('h', Some(column)) => {
                let list = words(kinds.iter().flat_map(|it| it.ingest_words()));
                (!list.is_empty()).then(|| format!("{column} IN ({list})"))
            }
            ('d', Some(column)) => {
                let list = words(kinds.iter().flat_map(|it| it.delivery_words()));
                let talks = kinds.contains(&Kind::Connected) || kinds.contains(&Kind::Answered);
                match (list.is_empty(), talks) {
                    (true, false) => None,
                    (true, true) => Some("e.talk IS NOT NULL".to_owned()),
                    (false, false) => Some(format!("{column} IN ({list})")),
                    (false, true) => Some(format!("({column} IN ({list}) OR e.talk IS NOT NULL)")),
                }
            }
            ('l', Some(column)) => Some(format!("{column} IN ({})", words(kinds.iter().map(|it| it.as_str())))),
            ('i', _) => has(&[Kind::Received, Kind::Decided]),
            ('r', _) => has(&[Kind::Received, Kind::Decided, Kind::Refused]),
            ('g', _) => has(&[Kind::Dropped]),
            ('s', _) => has(&[Kind::Suppressed]),
            ('c', _) => has(&[Kind::CanarySent]),
            _ => has(&[Kind::CanaryBack]),
        }
    }

    fn part(
        &self,
        rank: usize,
        rows: &Rows,
        after: Option<&Cursor>,
        order: Order,
        params: Vec<Value>,
    ) -> Result<(String, Vec<Value>), Vec<Value>> {
        let (Some((about, value)), Some(kinds)) = (self.about(&rows.about), self.kinds(rows.kinds.as_deref())) else {
            return Err(params);
        };
        if rows.server.is_some() && self.server.is_none() {
            return Err(params);
        }
        // What is about one thing is found by that; a plus keeps the planner from walking all of time instead.
        let plus = if matches!(rows.about, About::All | About::Domain(_)) { "" } else { "+" };
        let (at, key) = (format!("{plus}{}", self.at), format!("{plus}{}", self.key));
        let mut filter = Filter::new(params);
        if !about.is_empty() {
            filter.and(about, value.map(Value::Text));
        }
        if !kinds.is_empty() {
            filter.and(&kinds, []);
        }
        if self.letter == 'b' {
            filter.and("c.returned IS NOT NULL", []);
        }
        if let (Some(server), Some(column)) = (&rows.server, self.server) {
            filter.and(&format!("{column} = $0"), [server.into()]);
        }
        if let Some(since) = rows.since {
            filter.and(&format!("{at} >= $0"), [since.into()]);
        }
        if let Some(until) = rows.until {
            filter.and(&format!("{at} < $0"), [until.into()]);
        }
        if let Some(after) = after {
            let beyond = if order == Order::Down { '<' } else { '>' };
            let seen = Value::Number(after.at);
            match rank.cmp(&after.rank) {
                std::cmp::Ordering::Equal => {
                    let key_value = match after.key.parse::<f64>() {
                        Ok(number) if self.is_number => Value::Number(number),
                        _ => Value::Text(after.key.clone()),
                    };
                    filter.and(&format!("({at}, {key}) {beyond} ($0, $1)"), [seen, key_value]);
                }
                // At the same moment the sources follow one another, in the direction of the list.
                other => {
                    let is_behind = (other == std::cmp::Ordering::Greater) == (order == Order::Up);
                    let equal = if is_behind { "=" } else { "" };
                    filter.and(&format!("{at} {beyond}{equal} $0"), [seen]);
                }
            }
        }
        let way = if order == Order::Down { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT * FROM (SELECT {rank} AS rank, {} FROM {} WHERE 1 = 1{} ORDER BY {at} {way}, {key} {way} LIMIT ?1)",
            self.columns, self.from, filter.sql
        );
        Ok((sql, filter.params))
    }
}

/// Statements, since D1 takes five terms in a compound select.
pub fn statements(rows: &Rows, after: Option<&Cursor>, order: Order, limit: u32) -> Vec<Statement> {
    let mut out = Vec::new();
    for (rank, source) in SOURCES.iter().enumerate() {
        if let Ok((sql, params)) = source.part(rank, rows, after, order, vec![limit.into()]) {
            let sql = format!(
                "SELECT x.*, t.prefix, n.number FROM ({sql}) x
                 LEFT JOIN records n ON n.id = x.record_id LEFT JOIN record_types t ON t.name = n.type"
            );
            out.push(Statement { sql: sql.into(), params });
        }
    }
    out
}

#[derive(Deserialize)]
struct Row {
    rank: usize,
    key: serde_json::Value,
    at: Timestamp,
    word: String,
    mail_from: Option<String>,
    rcpt_to: Option<String>,
    subject: Option<String>,
    rfc_id: Option<String>,
    server: Option<String>,
    text: Option<String>,
    reason: Option<String>,
    by_name: Option<String>,
    trace: Option<String>,
    record_id: Option<RecordId>,
    size: f64,
    rule: String,
    talk: Option<String>,
    prefix: Option<String>,
    number: Option<u32>,
}

impl Row {
    fn key(&self) -> String {
        match &self.key {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(n) => n.as_f64().map(|it| format!("{it:.0}")).unwrap_or_default(),
            _ => String::new(),
        }
    }

    fn place(&self) -> Cursor {
        Cursor { at: self.at.as_millis() as f64, rank: self.rank, key: self.key() }
    }

    /// Sorts like the statements do.
    fn order(&self) -> (Timestamp, usize, bool, u64, String) {
        let number = self.key.as_f64();
        (self.at, self.rank, number.is_some(), number.unwrap_or_default() as u64, self.key())
    }

    fn lines(self) -> Vec<LogLine> {
        let letter = SOURCES.get(self.rank).map_or('x', |it| it.letter);
        let mut fact = Fact {
            id: format!("{letter}{}", self.key()),
            at: self.at,
            from: self.mail_from.unwrap_or_default(),
            to: self.rcpt_to.unwrap_or_default(),
            subject: self.subject.unwrap_or_default(),
            message_id: self.rfc_id,
            server: self.server.filter(|it| !it.is_empty()),
            text: self.text.unwrap_or_default(),
            reason: self.reason,
            by: self.by_name,
            trace: self.trace,
            record_number: self.prefix.zip(self.number).map(|(prefix, n)| super::records::number(&prefix, n)),
            record: self.record_id,
        };
        let size = self.size as u64;
        match letter {
            'i' => fact.arrival(size, &self.rule),
            'r' => {
                let mut lines = fact.clone().arrival(size, &self.rule);
                lines.push(Fact { id: format!("{}-no", fact.id), ..fact }.single(Kind::Refused));
                lines
            }
            'h' => {
                let kind = Kind::of_ingest(&self.word);
                // What is held has the code of its reason there.
                if matches!(kind, Kind::HeldApart | Kind::Dropped) {
                    fact.reason = Some(std::mem::take(&mut fact.text)).filter(|it| !it.is_empty());
                }
                vec![fact.single(kind)]
            }
            'd' => {
                let talk: Vec<Step> =
                    self.talk.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
                fact.try_of(Kind::of_delivery(&self.word), &talk)
            }
            _ => vec![fact.single(Kind::parse(&self.word).unwrap_or(Kind::Noted))],
        }
    }
}

/// A part of the log: its lines in order, and where it goes on when there is more.
pub struct Part {
    pub lines: Vec<LogLine>,
    pub next: Option<Cursor>,
}

/// Reads up to `limit` rows, in one round trip.
pub async fn read(
    app: &App,
    rows: &Rows,
    after: Option<&Cursor>,
    order: Order,
    limit: u32,
) -> Result<Part, StoreError> {
    let statements = statements(rows, after, order, limit + 1);
    if statements.is_empty() {
        return Ok(Part { lines: Vec::new(), next: None });
    }
    let mut found: Vec<Row> = Vec::new();
    for answer in app.db.batch(statements).await? {
        found.extend(super::decode::<Row>(answer)?);
    }
    found.sort_by_cached_key(Row::order);
    if order == Order::Down {
        found.reverse();
    }
    let is_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| is_more).map(Row::place);
    let wanted = |it: &LogLine| rows.kinds.as_ref().is_none_or(|kinds| kinds.contains(&it.kind));
    let mut lines: Vec<LogLine> = Vec::with_capacity(found.len());
    for row in found {
        let mut part = row.lines();
        part.retain(wanted);
        if order == Order::Down {
            part.reverse();
        }
        lines.extend(part);
    }
    Ok(Part { lines, next })
}

/// Keys as rows have them: an address as it compares, a domain with its `@`.
pub fn about_address(text: &str) -> About {
    let text = text.trim().trim_matches(['<', '>']);
    match EmailAddress::parse(text) {
        Ok(address) => About::Address(address.key()),
        Err(_) => About::Domain(format!("@{}", text.trim_start_matches('@').to_lowercase())),
    }
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// The record with a number like `S00042`.
pub async fn record_of_number(app: &App, number: &str) -> Result<Option<String>, StoreError> {
    let digits = number.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let prefix = number.get(..number.len() - digits.len()).unwrap_or_default().to_ascii_uppercase();
    let Ok(digits) = digits.parse::<u32>() else { return Ok(None) };
    let sql = "SELECT r.id FROM record_types t JOIN records r ON r.type = t.name AND r.number = ?2 WHERE t.prefix = ?1";
    Ok(super::decode_one::<Id>(app.run(statement!(sql, prefix, digits)).await?)?.map(|it| it.id))
}

/// The log as people ask for it.
pub async fn list(app: &App, query: &LogQuery) -> Result<Page<LogLine>, StoreError> {
    let filled = |it: &Option<String>| it.as_deref().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned);
    let about = match (filled(&query.message_id), filled(&query.record), filled(&query.address)) {
        (Some(id), ..) => {
            let bare = id.trim_matches(['<', '>']);
            About::MessageId(format!("<{bare}>"))
        }
        (None, Some(number), _) => match record_of_number(app, &number).await? {
            Some(record) => About::Record(record),
            None => return Ok(Page { items: Vec::new(), next: None, total: None }),
        },
        (None, None, Some(address)) => about_address(&address),
        (None, None, None) => About::All,
    };
    let rows =
        Rows { since: query.since, until: query.until, kinds: query.kinds(), server: filled(&query.server), about };
    let after = query.cursor.as_deref().and_then(Cursor::parse);
    let part = read(app, &rows, after.as_ref(), Order::Down, super::limit(query.limit, 100, 500)).await?;
    Ok(Page { items: part.lines, next: part.next.map(|it| it.write()), total: None })
}

/// A line about an address, a sender or a server.
pub fn note(
    kind: Kind,
    address: &str,
    server: Option<&str>,
    text: &str,
    by: Option<&str>,
    now: Timestamp,
) -> Statement {
    statement!(
        "INSERT INTO log_lines (at, kind, address, server, text, by_name) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        now,
        kind.as_str(),
        address,
        server,
        super::messages::cut(text, 500),
        by
    )
}

/// A day of the log in storage.
#[derive(Debug, Clone, Deserialize)]
pub struct File {
    pub day: String,
    pub parts: u32,
    pub lines: u32,
    pub bytes: f64,
    pub cursor: Option<String>,
    pub closed: Option<Timestamp>,
}

const FILE: &str = "day, parts, lines, bytes, cursor, closed";

/// Days in storage, newest first.
pub fn files(most: u32) -> Statement {
    statement!(format!("SELECT {FILE} FROM log_files ORDER BY day DESC LIMIT ?1"), most)
}

pub async fn file(app: &App, day: &str) -> Result<Option<File>, StoreError> {
    super::decode_one(app.run(statement!(format!("SELECT {FILE} FROM log_files WHERE day = ?1"), day)).await?)
}

pub fn open_file(day: &str) -> Statement {
    statement!("INSERT OR IGNORE INTO log_files (day) VALUES (?1)", day)
}

/// A part that was stored. Written again from the same place it changes nothing.
pub fn add_part(file: &File, lines: usize, bytes: usize, cursor: Option<&str>, closed: Option<Timestamp>) -> Statement {
    statement!(
        "UPDATE log_files SET parts = parts + 1, lines = lines + ?3, bytes = bytes + ?4, cursor = COALESCE(?5, cursor), closed = ?6
         WHERE day = ?1 AND parts = ?2 AND closed IS NULL",
        file.day.as_str(),
        file.parts,
        lines,
        bytes,
        cursor,
        closed
    )
}

/// Days that ended before.
pub fn old_files(before: &str, most: u32) -> Statement {
    statement!(format!("SELECT {FILE} FROM log_files WHERE day < ?1 ORDER BY day LIMIT ?2"), before, most)
}

pub fn forget_files(days: &[String]) -> Statement {
    statement!("DELETE FROM log_files WHERE day IN (SELECT value FROM json_each(?1))", super::to_json(days))
}
