//! Filters of a list of records as they stand in the address bar.

use mailroom_shared::api::emails::EmailFilter;
use mailroom_shared::api::emails::EmailQuery;
use mailroom_shared::api::emails::Wait;
use mailroom_shared::api::logs::LogQuery;
use mailroom_shared::api::records::RecordQuery;
use mailroom_shared::id::ServerId;
use mailroom_shared::id::TypeName;
use mailroom_shared::log::Direction;
use mailroom_shared::log::Kind;
use mailroom_shared::log::Level;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use super::query::Query;

/// How many rows a request asks for: a screen and a half, so that the first one is quick.
pub const PAGE: u32 = 50;

/// The request for records of a type (or all) with the filters of the address bar.
pub fn records(kind: Option<&TypeName>, query: &Query) -> RecordQuery {
    RecordQuery {
        r#type: kind.cloned(),
        stage: query.get("stage").map(str::to_owned),
        waiting: (query.get("waiting") == Some("yes")).then_some(true),
        responsible: query.get("who").map(str::to_owned),
        q: query.get("q").map(str::to_owned),
        cursor: None,
        limit: Some(PAGE),
    }
}

/// The request of the Inbox: what waits for an answer, of everybody, me or nobody.
pub fn inbox(query: &Query) -> RecordQuery {
    RecordQuery { waiting: Some(true), ..records(None, query) }
}

/// The tab of the Emails page.
pub fn tab(query: &Query) -> EmailFilter {
    query.get("filter").and_then(EmailFilter::parse).unwrap_or(EmailFilter::NotDelivered)
}

/// The request for the queue. `made` counts back from the hour that goes on, so that the address stays the same for a while.
pub fn emails(query: &Query, now: Timestamp) -> EmailQuery {
    let hour = Timestamp::from_millis(now.as_millis() / 3_600_000 * 3_600_000);
    let back = match query.get("made") {
        Some("hour") => Some(Span::hours(1)),
        Some("day") => Some(Span::days(1)),
        Some("week") => Some(Span::days(7)),
        _ => None,
    };
    EmailQuery {
        filter: Some(tab(query)),
        q: query.get("q").map(str::to_owned),
        server: query.get("server").and_then(|it| ServerId::parse(it).ok()),
        lane: query.get("lane").map(str::to_owned),
        wait: query.get("wait").and_then(Wait::parse),
        domain: query.get("domain").map(str::to_owned),
        since: back.map(|it| hour - it),
        until: None,
        cursor: None,
        limit: Some(PAGE),
    }
}

/// Whether the queue is narrowed beyond its tab.
pub fn narrows(query: &Query) -> bool {
    ["q", "server", "lane", "wait", "domain", "made"].into_iter().any(|it| query.get(it).is_some())
}

/// Parameters of the log's filters.
pub const LOG_FILTERS: [&str; 7] = ["q", "kind", "level", "direction", "server", "since", "until"];

/// Whether the log is narrowed.
pub fn narrows_logs(query: &Query) -> bool {
    LOG_FILTERS.into_iter().any(|it| query.get(it).is_some())
}

/// The request for the log. The search box takes an address, a domain, a Message-ID or the number of a record.
pub fn logs(query: &Query) -> LogQuery {
    let q = query.get("q").map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned);
    let is_number = |it: &str| {
        let digits = it.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        digits.len() < it.len() && !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
    };
    let time = |name| query.get(name).and_then(|it| it.parse().ok()).map(Timestamp::from_millis);
    LogQuery {
        kind: query.get("kind").and_then(Kind::parse),
        level: query.get("level").and_then(Level::parse),
        direction: query.get("direction").and_then(Direction::parse),
        server: query.get("server").map(str::to_owned),
        message_id: q.clone().filter(|it| it.starts_with('<') && it.ends_with('>')),
        record: q.clone().filter(|it| is_number(it)),
        address: q.filter(|it| !it.starts_with('<') && !is_number(it)),
        since: time("since"),
        until: time("until"),
        cursor: None,
        limit: Some(PAGE),
    }
}

/// Whether any filter narrows the list, so that *empty* means something else.
pub fn is_filtered(query: &RecordQuery) -> bool {
    query.stage.is_some() || query.responsible.is_some() || query.q.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_the_queue_come_from_the_address_bar() {
        let query = Query::parse("?filter=failed&lane=bulk&wait=limit&domain=gmail.com&made=day&server=s1");
        let now = Timestamp::from_millis(90_000_000);
        let got = emails(&query, now);
        assert_eq!(got.filter, Some(EmailFilter::Failed));
        assert_eq!(
            (got.lane.as_deref(), got.wait, got.domain.as_deref()),
            (Some("bulk"), Some(Wait::Limit), Some("gmail.com"))
        );
        assert_eq!(got.since, Some(Timestamp::from_millis(90_000_000 - 86_400_000)));
        assert_eq!(got.server.map(|it| it.to_string()), Some("s1".to_owned()));
        assert!(narrows(&query) && !narrows(&Query::parse("?filter=all")));
        assert_eq!(emails(&Query::default(), now).filter, Some(EmailFilter::NotDelivered));
    }

    #[test]
    fn the_search_of_the_log_knows_what_was_typed() {
        for (q, address, id, record) in [
            ("ann@x.test", Some("ann@x.test"), None, None),
            ("x.test", Some("x.test"), None, None),
            ("<1@x.test>", None, Some("<1@x.test>"), None),
            ("S00042", None, None, Some("S00042")),
        ] {
            let got = logs(&Query::default().with("q", Some(q)));
            let read = (got.address.as_deref(), got.message_id.as_deref(), got.record.as_deref());
            assert_eq!(read, (address, id, record), "{q}");
        }
        let got = logs(&Query::parse("?level=error&direction=out&kind=bounced&since=5"));
        assert_eq!((got.level, got.kind), (Some(Level::Error), Some(Kind::Bounced)));
        assert_eq!((got.direction, got.since), (Some(Direction::Out), Some(Timestamp::from_millis(5))));
    }

    #[test]
    fn filters_come_from_the_address_bar() {
        let query = Query::parse("?stage=New&who=me&q=chairs");
        let got = records(TypeName::parse("ticket").ok().as_ref(), &query);
        assert_eq!(got.stage.as_deref(), Some("New"));
        assert_eq!(got.responsible.as_deref(), Some("me"));
        assert_eq!(got.waiting, None);
        assert!(is_filtered(&got));
        assert!(!is_filtered(&inbox(&Query::default())));
        assert_eq!(inbox(&Query::default()).waiting, Some(true));
    }
}
