//! Users as people know them: whether an address is good to send from, and which browser a session is in.

use serde::Deserialize;
use serde::Serialize;

use crate::address::EmailAddress;
use crate::time::Span;

/// How long an invitation can be answered.
pub const INVITATION: Span = Span::days(7);
/// How long a link to set a new password works.
pub const RESET: Span = Span::hours(1);
/// How long a link that confirms an address works.
pub const CONFIRMATION: Span = Span::days(3);
/// Links for one address within an hour; more are not sent.
pub const LINKS_PER_HOUR: u32 = 3;
/// Requests of one API token within a minute.
pub const TOKEN_REQUESTS: u32 = 600;
/// Behind the name of a token where it is an author.
pub const API_SUFFIX: &str = " (API)";
/// Shortest password (NIST SP 800-63B asks for 8; one factor alone deserves more).
pub const MIN_PASSWORD: usize = 10;

/// What speaks against an address of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AddressWarning {
    /// An alias: mail to the user becomes a record.
    Alias,
    /// The catchall of a domain.
    Catchall,
    /// The bounce address of a domain.
    Bounce,
    /// On a domain that is reserved for examples and tests: nobody can answer.
    Reserved,
    /// Mail from it came with a forged or broken sender.
    NotAuthenticated,
}

impl AddressWarning {
    pub const ALL: [Self; 5] = [Self::Alias, Self::Catchall, Self::Bounce, Self::Reserved, Self::NotAuthenticated];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alias => "alias",
            Self::Catchall => "catchall",
            Self::Bounce => "bounce",
            Self::Reserved => "reserved",
            Self::NotAuthenticated => "not_authenticated",
        }
    }
}

/// What is known around an address.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// An alias has it.
    pub is_alias: bool,
    /// Catchall addresses of the domains, as they are typed.
    pub catchalls: Vec<String>,
    pub bounces: Vec<String>,
    /// The last mail from it failed its checks.
    pub failed_checks: bool,
}

/// Everything that speaks against an address; nothing of it forbids it.
pub fn warnings(address: &EmailAddress, around: &Surroundings) -> Vec<AddressWarning> {
    let is_one_of = |list: &[String]| list.iter().any(|it| it.eq_ignore_ascii_case(&address.key()));
    let found = [
        (around.is_alias, AddressWarning::Alias),
        (is_one_of(&around.catchalls), AddressWarning::Catchall),
        (is_one_of(&around.bounces), AddressWarning::Bounce),
        (is_reserved(address.domain()), AddressWarning::Reserved),
        (around.failed_checks, AddressWarning::NotAuthenticated),
    ];
    found.into_iter().filter(|(is, _)| *is).map(|(_, it)| it).collect()
}

/// Names that no mail reaches: RFC 2606 and RFC 6761, and what RFC 6762, 7686 and 8375 took for local use.
pub fn is_reserved(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let ends = |name: &str| domain == name || domain.ends_with(&format!(".{name}"));
    [
        "example",
        "test",
        "invalid",
        "localhost",
        "example.com",
        "example.net",
        "example.org",
        "local",
        "onion",
        "home.arpa",
    ]
    .into_iter()
    .any(ends)
}

/// `Firefox · Linux`: enough to know one's own. The order matters, since browsers claim to be one another.
pub fn browser(user_agent: &str) -> String {
    let has = |word: &str| user_agent.contains(word);
    let name = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]
    .into_iter()
    .find(|(word, _)| has(word))
    .map(|(_, name)| name);
    let system = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]
    .into_iter()
    .find(|(word, _)| has(word))
    .map(|(_, name)| name);
    match (name, system) {
        (Some(name), Some(system)) => format!("{name} · {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => user_agent.split(['/', ' ']).next().unwrap_or_default().chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_of_addresses_that_cannot_be_answered() {
        let around = Surroundings {
            is_alias: false,
            catchalls: vec!["catchall@corp.vn".to_owned()],
            bounces: vec!["bounce@corp.vn".to_owned()],
            failed_checks: false,
        };
        let check = |address: &str, wanted: &[AddressWarning]| {
            let address = EmailAddress::parse(address).unwrap();
            assert_eq!(warnings(&address, &around), wanted, "{address}");
        };
        check("mai@corp.vn", &[]);
        check("Catchall@corp.vn", &[AddressWarning::Catchall]);
        check("bounce@corp.vn", &[AddressWarning::Bounce]);
        check("mai@corp.example", &[AddressWarning::Reserved]);
        check("mai@mail.example.com", &[AddressWarning::Reserved]);
        check("mai@myexample.com", &[]);
        let alias = Surroundings { is_alias: true, failed_checks: true, ..Surroundings::default() };
        let address = EmailAddress::parse("support@corp.vn").unwrap();
        assert_eq!(warnings(&address, &alias), [AddressWarning::Alias, AddressWarning::NotAuthenticated]);
    }

    #[test]
    fn reserved_names_are_told_from_those_that_only_look_so() {
        for it in ["test", "corp.test", "a.invalid", "LOCALHOST", "example.org.", "printer.local", "nas.home.arpa"] {
            assert!(is_reserved(it), "{it}");
        }
        for it in ["corp.vn", "contest", "example.vn", "localhost.vn", "home.vn"] {
            assert!(!is_reserved(it), "{it}");
        }
    }

    #[test]
    fn browsers_are_named() {
        let check = |agent: &str, name: &str| assert_eq!(browser(agent), name);
        check("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox · Linux");
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36";
        check(chrome, "Chrome · Windows");
        check(&format!("{chrome} Edg/126.0"), "Edge · Windows");
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 Version/17.5 Mobile Safari/604.1",
            "Safari · iPhone",
        );
        check("shop/1.0", "shop");
        check("", "");
    }
}
