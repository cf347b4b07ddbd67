//! Pages and their addresses, both ways, in one place: a link can't go stale.
//!
//! The router holds one wildcard route and this file reads the path: plain code that is tested natively, and a few
//! kilobytes less than a route table.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_location;
use leptos_router::hooks::use_navigate;
use mailroom_shared::api::percent_encode;
use mailroom_shared::id::AliasId;
use mailroom_shared::id::RecordId;
use mailroom_shared::id::TypeName;

use crate::model::query::Query;
use crate::model::query::decode;

/// A page of the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    Inbox,
    Records(TypeName),
    Record(RecordId),
    Search,
    Emails,
    Contacts,
    Aliases,
    /// One alias; without an id a new one.
    Alias(Option<AliasId>),
    Incoming,
    NotFound,
}

impl Page {
    /// The page of a path. Ids that are none lead to *not found* rather than to a request for nothing.
    pub fn parse(path: &str) -> Self {
        let segments: Vec<String> = path.split('/').filter(|it| !it.is_empty()).map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            [] | ["inbox" | "login" | "setup"] => Self::Inbox,
            ["records", name] => TypeName::parse(*name).map_or(Self::NotFound, Self::Records),
            ["record", id] => RecordId::parse(*id).map_or(Self::NotFound, Self::Record),
            ["search"] => Self::Search,
            ["emails"] => Self::Emails,
            ["contacts"] => Self::Contacts,
            ["settings"] | ["settings", "aliases"] => Self::Aliases,
            ["settings", "aliases", "new"] => Self::Alias(None),
            ["settings", "aliases", id] => AliasId::parse(*id).map_or(Self::NotFound, |it| Self::Alias(Some(it))),
            ["technical"] | ["technical", "incoming" | "refusals"] => Self::Incoming,
            _ => Self::NotFound,
        }
    }

    pub fn href(&self) -> String {
        match self {
            Self::Inbox | Self::NotFound => "/".to_owned(),
            Self::Records(name) => format!("/records/{}", percent_encode(name.as_str())),
            Self::Record(id) => format!("/record/{}", percent_encode(id.as_str())),
            Self::Search => "/search".to_owned(),
            Self::Emails => "/emails".to_owned(),
            Self::Contacts => "/contacts".to_owned(),
            Self::Aliases => "/settings/aliases".to_owned(),
            Self::Alias(None) => "/settings/aliases/new".to_owned(),
            Self::Alias(Some(id)) => format!("/settings/aliases/{}", percent_encode(id.as_str())),
            Self::Incoming => "/technical/incoming".to_owned(),
        }
    }
}

/// The page of the address bar.
pub fn use_page() -> Memo<Page> {
    let path = use_location().pathname;
    Memo::new(move |_| path.with(|it| Page::parse(it)))
}

/// The query string of the address bar.
pub fn use_query() -> Memo<Query> {
    let search = use_location().search;
    Memo::new(move |_| search.with(|it| Query::parse(it)))
}

/// Goes somewhere; the entry in the history is new.
#[derive(Clone, Copy)]
pub struct Go(Callback<(String, bool)>);

impl Go {
    pub fn to(self, href: impl Into<String>) {
        self.0.run((href.into(), false));
    }

    /// Changes the query string of a page in place: filters are no steps of the history, and nothing scrolls.
    pub fn replace(self, href: impl Into<String>) {
        self.0.run((href.into(), true));
    }
}

/// Makes [`use_go`] work below.
pub fn provide_go() {
    let navigate = use_navigate();
    provide_context(Go(Callback::new(move |(href, replace): (String, bool)| {
        navigate(&href, NavigateOptions { replace, scroll: !replace, ..NavigateOptions::default() });
    })));
}

pub fn use_go() -> Go {
    use_context::<Go>().unwrap_or_else(|| Go(Callback::new(|_| ())))
}

/// Changes one parameter of the page that is shown.
pub fn use_set_query() -> impl Fn(&'static str, Option<String>) + Copy {
    let (go, query, path) = (use_go(), use_query(), use_location().pathname);
    move |name, value| {
        let query = query.get_untracked().with(name, value.as_deref());
        go.replace(format!("{}{}", path.get_untracked(), query.to_suffix()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_at_its_address() {
        let pages = [
            Page::Inbox,
            Page::Records(TypeName::parse("ticket").unwrap()),
            Page::Record(RecordId::parse("ticket/7").unwrap()),
            Page::Search,
            Page::Emails,
            Page::Contacts,
            Page::Aliases,
            Page::Alias(None),
            Page::Alias(AliasId::parse("a1").ok()),
            Page::Incoming,
        ];
        for page in pages {
            assert_eq!(Page::parse(&page.href()), page);
        }
        assert_eq!(Page::parse("/record/"), Page::NotFound);
        assert_eq!(Page::parse("/record/a%20b"), Page::NotFound);
        assert_eq!(Page::parse("/nowhere"), Page::NotFound);
    }
}
