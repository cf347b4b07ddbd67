//! Pages and their addresses, both ways, in one place: a link can't go stale.
//!
//! No router crate: one list of pages needs no tree of routes, and the browser's history is four calls.

use leptos::ev;
use leptos::prelude::*;
use mailroom_shared::api::percent_encode;
use mailroom_shared::id::AliasId;
use mailroom_shared::id::CampaignId;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::RecordId;
use mailroom_shared::id::TypeName;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;

use crate::model::query::Query;
use crate::model::query::decode;

/// A page of the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    Inbox,
    Records(TypeName),
    Record(RecordId),
    Search,
    Notifications,
    Failures,
    Emails,
    Campaigns,
    Campaign(CampaignId),
    MailingLists,
    Contacts,
    Contact(ContactId),
    Deliverability,
    Aliases,
    Suppressions,
    Servers,
    Limits,
    Actions,
    /// One alias; without an id a new one.
    Alias(Option<AliasId>),
    Incoming,
    People,
    Profile,
    Templates,
    Tokens,
    /// What a link in a mail opens, with or without a login: `join/TOKEN`.
    Account(String),
    Logs,
    /// One mail, by the id of its hand-over, refusal, message or delivery.
    Trace(String),
    Status,
    Doctor,
    Support,
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
            ["notifications"] => Self::Notifications,
            ["failures"] => Self::Failures,
            ["emails"] => Self::Emails,
            ["campaigns"] => Self::Campaigns,
            ["campaigns", "lists"] => Self::MailingLists,
            ["campaigns", id] => CampaignId::parse(*id).map_or(Self::NotFound, Self::Campaign),
            ["contacts"] => Self::Contacts,
            ["contacts", id] => ContactId::parse(*id).map_or(Self::NotFound, Self::Contact),
            ["deliverability"] => Self::Deliverability,
            ["settings"] | ["settings", "aliases"] => Self::Aliases,
            ["settings", "suppressions"] => Self::Suppressions,
            ["settings", "servers"] => Self::Servers,
            ["settings", "limits"] => Self::Limits,
            ["settings", "users"] => Self::People,
            ["settings", "templates"] => Self::Templates,
            ["settings", "tokens"] => Self::Tokens,
            ["profile"] => Self::Profile,
            ["password"] | ["join" | "password" | "confirm", _] => Self::Account(segments.join("/")),
            ["technical", "actions"] => Self::Actions,
            ["technical", "doctor"] => Self::Doctor,
            ["technical", "support"] => Self::Support,
            ["settings", "aliases", "new"] => Self::Alias(None),
            ["settings", "aliases", id] => AliasId::parse(*id).map_or(Self::NotFound, |it| Self::Alias(Some(it))),
            ["technical", "logs"] => Self::Logs,
            ["technical", "status"] => Self::Status,
            ["trace", id] => Self::Trace((*id).to_owned()),
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
            Self::Notifications => "/notifications".to_owned(),
            Self::Failures => "/failures".to_owned(),
            Self::Emails => "/emails".to_owned(),
            Self::Campaigns => "/campaigns".to_owned(),
            Self::Campaign(id) => format!("/campaigns/{}", percent_encode(id.as_str())),
            Self::MailingLists => "/campaigns/lists".to_owned(),
            Self::Contacts => "/contacts".to_owned(),
            Self::Contact(id) => format!("/contacts/{}", percent_encode(id.as_str())),
            Self::Deliverability => "/deliverability".to_owned(),
            Self::Aliases => "/settings/aliases".to_owned(),
            Self::Suppressions => "/settings/suppressions".to_owned(),
            Self::Servers => "/settings/servers".to_owned(),
            Self::Limits => "/settings/limits".to_owned(),
            Self::Actions => "/technical/actions".to_owned(),
            Self::People => "/settings/users".to_owned(),
            Self::Templates => "/settings/templates".to_owned(),
            Self::Tokens => "/settings/tokens".to_owned(),
            Self::Profile => "/profile".to_owned(),
            Self::Account(path) => format!("/{path}"),
            Self::Alias(None) => "/settings/aliases/new".to_owned(),
            Self::Alias(Some(id)) => format!("/settings/aliases/{}", percent_encode(id.as_str())),
            Self::Incoming => "/technical/incoming".to_owned(),
            Self::Logs => "/technical/logs".to_owned(),
            Self::Trace(id) => format!("/trace/{}", percent_encode(id)),
            Self::Status => "/technical/status".to_owned(),
            Self::Doctor => "/technical/doctor".to_owned(),
            Self::Support => "/technical/support".to_owned(),
        }
    }
}

/// What the address bar shows.
#[derive(Clone, Copy)]
pub struct Address {
    path: RwSignal<String>,
    /// With its `?`.
    search: RwSignal<String>,
}

impl Address {
    /// Follows the browser's buttons and the links of the page for as long as the owner lives.
    pub fn provide() {
        let address = Self { path: RwSignal::new(String::new()), search: RwSignal::new(String::new()) };
        address.read();
        provide_context(address);
        let back = window_event_listener(ev::popstate, move |_| address.read());
        let click = window_event_listener(ev::click, move |event| {
            if let Some(href) = own_link(&event) {
                event.prevent_default();
                address.go(&href, false);
            }
        });
        on_cleanup(move || {
            back.remove();
            click.remove();
        });
    }

    fn read(self) {
        let location = window().location();
        let changed = |signal: RwSignal<String>, now: String| {
            if signal.with_untracked(|it| *it != now) {
                signal.set(now);
            }
        };
        changed(self.search, location.search().unwrap_or_default());
        changed(self.path, location.pathname().unwrap_or_default());
    }

    fn go(self, href: &str, replace: bool) {
        let is_here = self.path.with_untracked(|path| self.search.with_untracked(|it| href == format!("{path}{it}")));
        let Ok(history) = window().history() else { return };
        let _ = if replace || is_here {
            history.replace_state_with_url(&JsValue::NULL, "", Some(href))
        } else {
            history.push_state_with_url(&JsValue::NULL, "", Some(href))
        };
        self.read();
        if !replace {
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    }
}

/// Path and query of a link of ours that was clicked plainly. New tabs, downloads, other hosts, places within the page
/// and what the Worker answers itself are the browser's.
fn own_link(event: &web_sys::MouseEvent) -> Option<String> {
    let has_key = event.meta_key() || event.alt_key() || event.ctrl_key() || event.shift_key();
    if event.default_prevented() || event.button() != 0 || has_key {
        return None;
    }
    let target = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    let link = target.closest("a[href]").ok()??.dyn_into::<web_sys::HtmlAnchorElement>().ok()?;
    let path = link.pathname();
    let is_ours = link.origin() == window().location().origin().ok()?
        && link.hash().is_empty()
        && link.target().is_empty()
        && link.rel() != "external"
        && !link.has_attribute("download")
        && !path.starts_with("/api/");
    is_ours.then(|| path + &link.search())
}

fn use_address() -> Address {
    use_context::<Address>()
        .unwrap_or_else(|| Address { path: RwSignal::new(String::new()), search: RwSignal::new(String::new()) })
}

/// The page of the address bar.
pub fn use_page() -> Memo<Page> {
    let path = use_address().path;
    Memo::new(move |_| path.with(|it| Page::parse(it)))
}

/// The query string of the address bar.
pub fn use_query() -> Memo<Query> {
    let search = use_address().search;
    Memo::new(move |_| search.with(|it| Query::parse(it)))
}

/// Goes somewhere; the entry in the history is new.
#[derive(Clone, Copy)]
pub struct Go(Address);

impl Go {
    pub fn to(self, href: impl AsRef<str>) {
        self.0.go(href.as_ref(), false);
    }

    /// Changes the query string of a page in place: filters are no steps of the history, and nothing scrolls.
    pub fn replace(self, href: impl AsRef<str>) {
        self.0.go(href.as_ref(), true);
    }

    /// The page that is shown, without its query string.
    pub fn clear_query(self) {
        self.replace(self.0.path.get_untracked());
    }
}

pub fn use_go() -> Go {
    Go(use_address())
}

/// Changes one parameter of the page that is shown.
pub fn use_set_query() -> impl Fn(&'static str, Option<String>) + Copy {
    let (go, query, path) = (use_go(), use_query(), use_address().path);
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
            Page::Notifications,
            Page::Failures,
            Page::Emails,
            Page::Campaigns,
            Page::Campaign(CampaignId::parse("c1").unwrap()),
            Page::MailingLists,
            Page::Contacts,
            Page::Aliases,
            Page::Suppressions,
            Page::Servers,
            Page::Limits,
            Page::Actions,
            Page::Alias(None),
            Page::Alias(AliasId::parse("a1").ok()),
            Page::Incoming,
            Page::People,
            Page::Templates,
            Page::Tokens,
            Page::Profile,
            Page::Account("password".to_owned()),
            Page::Account("join/01h.abc".to_owned()),
            Page::Logs,
            Page::Trace("01M7".to_owned()),
            Page::Status,
            Page::Doctor,
            Page::Support,
        ];
        for page in pages {
            assert_eq!(Page::parse(&page.href()), page);
        }
        assert_eq!(Page::parse("/record/"), Page::NotFound);
        assert_eq!(Page::parse("/record/a%20b"), Page::NotFound);
        assert_eq!(Page::parse("/nowhere"), Page::NotFound);
    }
}
