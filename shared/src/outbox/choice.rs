//! Which outgoing server takes a mail, and in whose name. Total and deterministic: the queue and *Simulate* ask the same.
//!
//! The order is that of the From filter: the exact address, its domain, the address of notifications, its domain, a server
//! without filter, the first of all. A From is never changed in silence: the outcome says so, and the rule may refuse.

use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

use crate::address::Domain;
use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::time::Timestamp;

/// Which From a server may carry: addresses and domains, parted by commas. Empty carries all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FromFilter {
    addresses: Vec<String>,
    domains: Vec<String>,
}

impl FromFilter {
    /// Names the first entry that is neither an address nor a domain.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut out = Self::default();
        for entry in text.split([',', '\n']).map(str::trim).filter(|it| !it.is_empty()) {
            let name = entry.strip_prefix('@').unwrap_or(entry);
            match (EmailAddress::parse(name), Domain::from_str(name)) {
                (Ok(address), _) => out.addresses.push(address.key()),
                (_, Ok(domain)) => out.domains.push(domain.ascii().to_ascii_lowercase()),
                _ => return Err(entry.to_owned()),
            }
        }
        Ok(out)
    }

    pub const fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.domains.is_empty()
    }

    fn has_address(&self, it: &EmailAddress) -> bool {
        self.addresses.contains(&it.key())
    }

    fn has_domain(&self, it: &EmailAddress) -> bool {
        let key = it.key();
        let domain = key.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.iter().any(|it| it == domain)
    }

    /// Carries this address as From.
    pub fn allows(&self, it: &EmailAddress) -> bool {
        self.is_empty() || self.has_address(it) || self.has_domain(it)
    }
}

/// What becomes of a mail whose From no server may carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// It leaves from the address of notifications with the author's name, and its history says so.
    #[default]
    Rewrite,
    /// It fails, with the remedy.
    Refuse,
}

/// A server as the choice sees it.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub id: String,
    pub filter: FromFilter,
    /// Lowest first; servers of one priority in the order given.
    pub priority: i64,
    /// May take campaigns.
    pub bulk: bool,
    /// Largest mail in bytes.
    pub max_size: Option<u64>,
    /// Its limits have no room for this lane before then.
    pub full_until: Option<Timestamp>,
    /// It rests after trouble until then.
    pub rests_until: Option<Timestamp>,
    pub archived: bool,
}

/// A mail as the choice sees it.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    pub from: &'a Mailbox,
    /// Default From of its alias domain.
    pub notifications: Option<&'a EmailAddress>,
    /// Where its bounces shall go.
    pub bounce_domain: &'a str,
    pub bulk: bool,
    /// In bytes, when it is known.
    pub size: Option<u64>,
    /// A server that a template or campaign insists on.
    pub forced: Option<&'a str>,
    pub on_mismatch: Mismatch,
}

/// Why this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Forced,
    FromAddress,
    FromDomain,
    NotificationsAddress,
    NotificationsDomain,
    NoFilter,
    /// No filter fits; the first of all.
    First,
}

impl Why {
    pub const ALL: [Self; 7] = [
        Self::Forced,
        Self::FromAddress,
        Self::FromDomain,
        Self::NotificationsAddress,
        Self::NotificationsDomain,
        Self::NoFilter,
        Self::First,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forced => "forced",
            Self::FromAddress => "from_address",
            Self::FromDomain => "from_domain",
            Self::NotificationsAddress => "notifications_address",
            Self::NotificationsDomain => "notifications_domain",
            Self::NoFilter => "no_filter",
            Self::First => "first",
        }
    }
}

/// Why another server that stands before it was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    Archived,
    /// Campaigns only leave by servers marked *bulk*.
    NotBulk,
    TooLarge,
    Full,
    Rests,
    /// Its filter does not have this From.
    Filter,
}

impl Passed {
    pub const ALL: [Self; 6] = [Self::Archived, Self::NotBulk, Self::TooLarge, Self::Full, Self::Rests, Self::Filter];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::NotBulk => "not_bulk",
            Self::TooLarge => "too_large",
            Self::Full => "full",
            Self::Rests => "rests",
            Self::Filter => "filter",
        }
    }
}

/// Who the SMTP sender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReturnPath {
    /// Our bounce address: reports come to us.
    Bounce,
    /// The From itself, since the server takes no other: reports go to that mailbox.
    From,
}

/// Why it can't leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Hindrance {
    NoServer,
    /// A campaign, and no server is marked *bulk*.
    NoBulkServer,
    /// Larger than every server takes.
    TooLarge,
    /// No server may carry this From, and the rule is to refuse.
    FromNotAllowed,
    /// The server it insists on is archived or gone.
    ForcedGone,
}

impl Hindrance {
    pub const ALL: [Self; 5] =
        [Self::NoServer, Self::NoBulkServer, Self::TooLarge, Self::FromNotAllowed, Self::ForcedGone];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoServer => "no_server",
            Self::NoBulkServer => "no_bulk_server",
            Self::TooLarge => "too_large",
            Self::FromNotAllowed => "from_not_allowed",
            Self::ForcedGone => "forced_gone",
        }
    }
}

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Leaves {
        /// Index of the server.
        server: usize,
        from: Mailbox,
        /// The From is not the author's.
        is_rewritten: bool,
        return_path: ReturnPath,
        why: Why,
    },
    /// Every server that may take it is full or rests.
    Waits {
        until: Timestamp,
        because: Passed,
        server: usize,
    },
    Never(Hindrance),
}

/// The choice, and what was passed over on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub choice: Choice,
    pub passed: Vec<(usize, Passed)>,
}

/// Chooses. Servers that carry the From as it is come before all that would change it, also while they rest.
pub fn choose(wish: &Wish<'_>, servers: &[Candidate]) -> Decision {
    let mut passed = Vec::new();
    let choice = decide(wish, servers, &mut passed);
    passed.sort_unstable_by_key(|(index, _)| *index);
    passed.dedup_by_key(|(index, _)| *index);
    if let Choice::Leaves { server, .. } | Choice::Waits { server, .. } = &choice {
        passed.retain(|(index, _)| index != server);
    }
    Decision { choice, passed }
}

fn decide(wish: &Wish<'_>, servers: &[Candidate], passed: &mut Vec<(usize, Passed)>) -> Choice {
    let mut order: Vec<usize> = (0..servers.len()).collect();
    // A campaign server takes other mail only when there is no other.
    order.sort_by_key(|i| servers.get(*i).map(|it| (it.bulk && !wish.bulk, it.priority)));
    let mut fit = Vec::new();
    let (mut any, mut any_bulk) = (false, false);
    for (index, server) in order.into_iter().filter_map(|i| servers.get(i).map(|it| (i, it))) {
        if server.archived {
            passed.push((index, Passed::Archived));
            continue;
        }
        any = true;
        if wish.bulk && !server.bulk {
            passed.push((index, Passed::NotBulk));
            continue;
        }
        any_bulk = true;
        if server.max_size.is_some_and(|most| wish.size.is_some_and(|size| size > most)) {
            passed.push((index, Passed::TooLarge));
            continue;
        }
        fit.push((index, server));
    }
    if let Some(forced) = wish.forced {
        return match fit.iter().find(|(_, it)| it.id == forced) {
            // The From is kept: whoever insists on a server knows what it carries, or the server refuses it.
            Some((index, server)) => pick(&[(*index, server)], wish, wish.from, false, Why::Forced, passed),
            None => Choice::Never(Hindrance::ForcedGone),
        };
    }
    if fit.is_empty() {
        return Choice::Never(match (any, any_bulk) {
            (false, _) => Hindrance::NoServer,
            (true, false) => Hindrance::NoBulkServer,
            (true, true) => Hindrance::TooLarge,
        });
    }
    let by = |is: &dyn Fn(&Candidate) -> bool| -> Vec<(usize, &Candidate)> {
        fit.iter().filter(|(_, it)| is(it)).copied().collect()
    };
    let from = &wish.from.address;
    let exact = by(&|it| it.filter.has_address(from));
    let domain = by(&|it| !it.filter.has_address(from) && it.filter.has_domain(from));
    let notifications = wish.notifications.filter(|it| *it != from);
    let alias = notifications.map(|it| by(&|s| s.filter.has_address(it))).unwrap_or_default();
    let alias_domain =
        notifications.map(|it| by(&|s| !s.filter.has_address(it) && s.filter.has_domain(it))).unwrap_or_default();
    let open = by(&|it| it.filter.is_empty());
    // Where a filter has the From, failover stays among those, then goes on to servers without filter.
    if !exact.is_empty() || !domain.is_empty() {
        let steps = [(exact, Why::FromAddress), (domain, Why::FromDomain), (open, Why::NoFilter)];
        return first_free(&steps, wish, wish.from, false, passed);
    }
    for (index, server) in &fit {
        if !server.filter.allows(from) {
            passed.push((*index, Passed::Filter));
        }
    }
    let needs_rewriting = !alias.is_empty() || !alias_domain.is_empty() || open.is_empty();
    if needs_rewriting && wish.on_mismatch == Mismatch::Refuse {
        return if open.is_empty() {
            Choice::Never(Hindrance::FromNotAllowed)
        } else {
            first_free(&[(open, Why::NoFilter)], wish, wish.from, false, passed)
        };
    }
    if needs_rewriting {
        passed.retain(|(_, why)| *why != Passed::Filter);
        let renamed = rewritten(wish);
        let is_any = alias.is_empty() && alias_domain.is_empty();
        let steps = [
            (alias, Why::NotificationsAddress),
            (alias_domain, Why::NotificationsDomain),
            (if is_any { fit.clone() } else { Vec::new() }, Why::First),
        ];
        return first_free(&steps, wish, &renamed, renamed.address != *from, passed);
    }
    first_free(&[(open, Why::NoFilter)], wish, wish.from, false, passed)
}

/// The author's name, or else his local part, on the address of notifications.
fn rewritten(wish: &Wish<'_>) -> Mailbox {
    match wish.notifications {
        Some(address) => {
            let name = wish.from.name.clone().unwrap_or_else(|| wish.from.address.local());
            Mailbox::new(Some(&name), address.clone())
        }
        None => wish.from.clone(),
    }
}

type Step<'a> = (Vec<(usize, &'a Candidate)>, Why);

/// The first server with room in the first step that has one; else it waits for the soonest.
fn first_free(
    steps: &[Step<'_>],
    wish: &Wish<'_>,
    from: &Mailbox,
    is_rewritten: bool,
    passed: &mut Vec<(usize, Passed)>,
) -> Choice {
    let mut waits: Option<Choice> = None;
    for (servers, step) in steps {
        match pick(servers, wish, from, is_rewritten, *step, passed) {
            it @ Choice::Leaves { .. } => return it,
            Choice::Waits { until, because, server } => {
                let sooner = !matches!(&waits, Some(Choice::Waits { until: before, .. }) if *before <= until);
                if sooner {
                    waits = Some(Choice::Waits { until, because, server });
                }
            }
            Choice::Never(_) => {}
        }
    }
    waits.unwrap_or(Choice::Never(Hindrance::NoServer))
}

fn pick(
    servers: &[(usize, &Candidate)],
    wish: &Wish<'_>,
    from: &Mailbox,
    is_rewritten: bool,
    why: Why,
    passed: &mut Vec<(usize, Passed)>,
) -> Choice {
    let mut soonest: Option<(Timestamp, Passed, usize)> = None;
    for (index, server) in servers {
        let hindered = match (server.rests_until, server.full_until) {
            (Some(until), _) => Some((until, Passed::Rests)),
            (None, Some(until)) => Some((until, Passed::Full)),
            (None, None) => None,
        };
        let Some((until, because)) = hindered else {
            let bounce = EmailAddress::parse(&format!("bounce@{}", wish.bounce_domain)).ok();
            let takes_bounce = bounce.is_some_and(|it| server.filter.is_empty() || server.filter.has_domain(&it));
            return Choice::Leaves {
                server: *index,
                from: from.clone(),
                is_rewritten,
                return_path: if takes_bounce { ReturnPath::Bounce } else { ReturnPath::From },
                why,
            };
        };
        passed.push((*index, because));
        if soonest.is_none_or(|(at, ..)| until < at) {
            soonest = Some((until, because, *index));
        }
    }
    match soonest {
        Some((until, because, server)) => Choice::Waits { until, because, server },
        None => Choice::Never(Hindrance::NoServer),
    }
}

/// Names and addresses that can't be reached from the platform in production: loopback, private, link-local.
pub fn is_private_host(host: &str) -> bool {
    let name = host.trim().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    match name.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(ip)) => is_private_v4(ip),
        Ok(std::net::IpAddr::V6(ip)) => {
            let first = ip.segments().first().copied().unwrap_or_default();
            ip.is_loopback()
                || ip.is_unspecified()
                || (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfe80
                || ip.to_ipv4_mapped().is_some_and(is_private_v4)
        }
        Err(_) => matches!(name.rsplit('.').next(), Some("localhost" | "local" | "internal" | "")),
    }
}

const fn is_private_v4(ip: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || (a == 100 && b & 0xc0 == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name filter [priority] [bulk] [archived] [max=N] [full] [rests]`
    fn server(text: &str) -> Candidate {
        let mut words = text.split_whitespace();
        let id = words.next().unwrap().to_owned();
        let filter = FromFilter::parse(words.next().unwrap().trim_matches('-')).unwrap();
        let mut it = Candidate {
            id,
            filter,
            priority: 10,
            bulk: false,
            max_size: None,
            full_until: None,
            rests_until: None,
            archived: false,
        };
        for word in words {
            match word {
                "bulk" => it.bulk = true,
                "archived" => it.archived = true,
                "full" => it.full_until = Some(Timestamp::from_millis(200)),
                "rests" => it.rests_until = Some(Timestamp::from_millis(100)),
                _ => match word.strip_prefix("max=") {
                    Some(n) => it.max_size = Some(n.parse().unwrap()),
                    None => it.priority = word.parse().unwrap(),
                },
            }
        }
        it
    }

    /// Reads as `server why From [rewritten] return-path`, `waits for server`, or the hindrance.
    fn check_mail(from: &str, refuse: bool, bulk: bool, servers: &[&str], expected: &str) {
        let all: Vec<Candidate> = servers.iter().map(|it| server(it)).collect();
        let (name, address) = from.rsplit_once(' ').unwrap_or(("", from));
        let from = Mailbox::new(Some(name).filter(|it| !it.is_empty()), EmailAddress::parse(address).unwrap());
        let notifications = EmailAddress::parse("notify@corp.test").unwrap();
        let wish = Wish {
            from: &from,
            notifications: Some(&notifications),
            bounce_domain: "corp.test",
            bulk,
            size: Some(1_000),
            forced: None,
            on_mismatch: if refuse { Mismatch::Refuse } else { Mismatch::Rewrite },
        };
        let decision = choose(&wish, &all);
        let got = match &decision.choice {
            Choice::Leaves { server, from, is_rewritten, return_path, why } => format!(
                "{} {} {}{}{}",
                all[*server].id,
                why.as_str(),
                from.display(),
                if *is_rewritten { " rewritten" } else { "" },
                if *return_path == ReturnPath::From { " from" } else { "" },
            ),
            Choice::Waits { server, because, .. } => format!("waits for {} {}", all[*server].id, because.as_str()),
            Choice::Never(it) => it.as_str().to_owned(),
        };
        assert_eq!(got, expected, "{servers:?}");
    }

    fn check(from: &str, servers: &[&str], expected: &str) {
        check_mail(from, false, false, servers, expected);
    }

    #[test]
    fn the_filter_that_fits_best_wins_whatever_the_priority() {
        let all = ["open - 1", "exact mai@corp.test 9", "domain corp.test 5", "alias notify@corp.test 2"];
        check("mai@corp.test", &all, "exact from_address mai@corp.test from");
        check("MAI@Corp.Test", &all, "exact from_address MAI@corp.test from");
        check("dan@corp.test", &all, "domain from_domain dan@corp.test");
        check("dan@corp.test", &["open - 1", "list x@y.test,corp.test 9"], "list from_domain dan@corp.test");
        check("notify@corp.test", &all, "alias from_address notify@corp.test from");
    }

    #[test]
    fn a_foreign_from_is_rewritten_in_the_open_or_refused() {
        let alias = ["open - 1", "alias notify@corp.test"];
        check("Ann ann@else.test", &alias, "alias notifications_address Ann <notify@corp.test> rewritten from");
        check("ann@else.test", &alias, "alias notifications_address ann <notify@corp.test> rewritten from");
        check("Ann ann@else.test", &["d corp.test"], "d notifications_domain Ann <notify@corp.test> rewritten");
        check("Ann ann@else.test", &["o other.test"], "o first Ann <notify@corp.test> rewritten from");
        check("ann@else.test", &["o -"], "o no_filter ann@else.test");
        check_mail("ann@else.test", true, false, &["d corp.test"], "from_not_allowed");
        check_mail("ann@else.test", true, false, &alias, "open no_filter ann@else.test");
    }

    #[test]
    fn priority_then_order_decides_among_equals_and_campaigns_stay_apart() {
        check("a@corp.test", &["b - 10", "a - 5"], "a no_filter a@corp.test");
        check("a@corp.test", &["b - 10", "a - 10"], "b no_filter a@corp.test");
        check("a@corp.test", &["mass - 1 bulk", "a - 10"], "a no_filter a@corp.test");
        check("a@corp.test", &["mass - 1 bulk"], "mass no_filter a@corp.test");
        check_mail("a@corp.test", false, true, &["mass - 20 bulk", "a - 10"], "mass no_filter a@corp.test");
        check_mail("a@corp.test", false, true, &["a - 10"], "no_bulk_server");
    }

    #[test]
    fn trouble_moves_mail_to_the_next_that_carries_the_same_from() {
        check("a@corp.test", &["a - 1 rests", "b - 2"], "b no_filter a@corp.test");
        check("a@corp.test", &["d corp.test 1 full", "b - 2"], "b no_filter a@corp.test");
        // Never to one that would change the From.
        check("a@corp.test", &["d corp.test 1 rests", "n notify@else.test 2"], "waits for d rests");
        check("a@corp.test", &["a - 1 full", "b - 2 rests"], "waits for b rests");
        check("a@corp.test", &["a - 1 archived"], "no_server");
        check("a@corp.test", &[], "no_server");
        check("a@corp.test", &["a - 1 max=999"], "too_large");
        check("a@corp.test", &["a - 1 max=999", "b - 2 max=1000"], "b no_filter a@corp.test");
    }

    #[test]
    fn what_was_passed_over_is_told() {
        let all: Vec<Candidate> =
            ["gone - 1 archived", "small - 2 max=9", "ill - 3 rests", "good - 4"].map(server).into();
        let from = Mailbox::new(None, EmailAddress::parse("a@corp.test").unwrap());
        let mut wish = Wish {
            from: &from,
            notifications: None,
            bounce_domain: "corp.test",
            bulk: false,
            size: Some(10),
            forced: None,
            on_mismatch: Mismatch::Rewrite,
        };
        let told = choose(&wish, &all).passed;
        assert_eq!(told, [(0, Passed::Archived), (1, Passed::TooLarge), (2, Passed::Rests)]);
        wish.forced = Some("gone");
        assert_eq!(choose(&wish, &all).choice, Choice::Never(Hindrance::ForcedGone));
        wish.forced = Some("good");
        assert!(matches!(choose(&wish, &all).choice, Choice::Leaves { server: 3, why: Why::Forced, .. }));
    }

    #[test]
    fn filters_are_lists_of_addresses_and_domains() {
        assert!(FromFilter::parse(" , ").unwrap().is_empty());
        assert_eq!(FromFilter::parse("corp.test, not an address").unwrap_err(), "not an address");
        let filter = FromFilter::parse("@Corp.Test, mai@else.test\nbücher.test").unwrap();
        for (address, allowed) in
            [("x@corp.test", true), ("x@a.corp.test", false), ("Mai@else.test", true), ("b@xn--bcher-kva.test", true)]
        {
            assert_eq!(filter.allows(&EmailAddress::parse(address).unwrap()), allowed, "{address}");
        }
    }

    #[test]
    fn hosts_that_production_cannot_reach() {
        for host in [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "10.1.2.3",
            "192.168.0.9",
            "172.20.0.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "100.64.0.1",
            "mail.local",
            "mx.internal.",
            "0.0.0.0",
        ] {
            assert!(is_private_host(host), "{host}");
        }
        for host in ["smtp.corp.test", "8.8.8.8", "2606:4700::1", "172.32.0.1", "localhost.example"] {
            assert!(!is_private_host(host), "{host}");
        }
    }
}
