//! Filters of a list of records as they stand in the address bar.

use mailroom_shared::api::records::RecordQuery;
use mailroom_shared::id::TypeName;

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

/// Whether any filter narrows the list, so that *empty* means something else.
pub fn is_filtered(query: &RecordQuery) -> bool {
    query.stage.is_some() || query.responsible.is_some() || query.q.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

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
