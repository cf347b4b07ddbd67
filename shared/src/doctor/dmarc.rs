//! DMARC (RFC 7489): the record, where it is found, and whether what we send is aligned.

use super::dns::Kind;
use super::dns::Known;
use super::tags;
use super::tags::TagError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    None,
    Quarantine,
    Reject,
}

impl Policy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject].into_iter().find(|it| text.eq_ignore_ascii_case(it.as_str()))
    }
}

/// Section 3.1: equal, or of one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    Relaxed,
    Strict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub policy: Policy,
    /// Of subdomains; absent: the same.
    pub subdomains: Option<Policy>,
    pub dkim: Alignment,
    pub spf: Alignment,
    pub percent: u8,
    /// Where aggregate reports go.
    pub reports: Vec<String>,
    /// Where failure reports go.
    pub failures: Vec<String>,
    /// What is there but can't be used: receivers take the default.
    pub odd: Vec<String>,
}

impl Record {
    pub fn for_subdomains(&self) -> Policy {
        self.subdomains.unwrap_or(self.policy)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordError {
    Tags(TagError),
    /// No `p=`, or a word that is none, and no address for reports (section 6.6.3).
    Policy(String),
}

/// Records among the TXT records of a name: those whose first tag is the version.
pub fn records<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    texts.filter(|it| is_dmarc(it)).collect()
}

fn is_dmarc(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first.split_once('=').is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
}

/// Reads a record that begins with the version.
pub fn parse(text: &str) -> Result<Record, RecordError> {
    let tags = tags::parse(text).map_err(RecordError::Tags)?;
    let get = |name: &str| tags.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    let mut odd = Vec::new();
    let mut uris = |name: &str| -> Vec<String> {
        let mut good = Vec::new();
        for uri in get(name).unwrap_or_default().split(',').map(str::trim).filter(|it| !it.is_empty()) {
            if address(uri).is_some() { good.push(uri.to_owned()) } else { odd.push(format!("{name}={uri}")) }
        }
        good
    };
    let (reports, failures) = (uris("rua"), uris("ruf"));
    let policy = match (get("p"), get("p").and_then(Policy::parse)) {
        (_, Some(policy)) => policy,
        (word, None) if !reports.is_empty() => {
            odd.push(format!("p={}", word.unwrap_or_default()));
            Policy::None
        }
        (word, None) => return Err(RecordError::Policy(word.unwrap_or_default().to_owned())),
    };
    let mut read = |name: &str, is_good: &dyn Fn(&str) -> bool| {
        let value = get(name)?;
        if is_good(value) {
            return Some(value.to_owned());
        }
        odd.push(format!("{name}={value}"));
        None
    };
    let subdomains = read("sp", &|it| Policy::parse(it).is_some()).as_deref().and_then(Policy::parse);
    let is_mode = |it: &str| matches!(it, "r" | "s" | "R" | "S");
    let mode = |it: Option<String>| {
        if it.is_some_and(|it| it.eq_ignore_ascii_case("s")) { Alignment::Strict } else { Alignment::Relaxed }
    };
    let dkim = mode(read("adkim", &is_mode));
    let spf = mode(read("aspf", &is_mode));
    let percent = read("pct", &|it| it.parse::<u8>().is_ok_and(|it| it <= 100));
    let percent = percent.and_then(|it| it.parse().ok()).unwrap_or(100);
    let known = ["v", "p", "sp", "adkim", "aspf", "pct", "rua", "ruf", "fo", "rf", "ri", "np", "psd", "t"];
    for (name, value) in &tags {
        if !known.iter().any(|it| name.eq_ignore_ascii_case(it)) {
            odd.push(format!("{name}={value}"));
        }
    }
    // The policy stands right behind the version (section 6.4).
    if tags.get(1).is_none_or(|(name, _)| !name.eq_ignore_ascii_case("p")) && get("p").is_some() {
        odd.push("p".to_owned());
    }
    Ok(Record { policy, subdomains, dkim, spf, percent, reports, failures, odd })
}

/// The address of `mailto:a@b!10m`.
pub fn address(uri: &str) -> Option<&str> {
    let scheme = uri.get(..7)?;
    let rest = uri.get(7..)?;
    let address = rest.split(['!', '?']).next()?;
    let (local, domain) = address.rsplit_once('@')?;
    (scheme.eq_ignore_ascii_case("mailto:") && !local.is_empty() && domain.contains('.')).then_some(address)
}

/// The organization a name belongs to: the public suffix and one label more (section 3.2). A name that is a public
/// suffix itself is its own.
pub fn organization(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

/// Whether a name that was proven speaks for the From domain.
pub fn is_aligned(proven: &str, from: &str, mode: Alignment) -> bool {
    proven == from || mode == Alignment::Relaxed && organization(proven) == organization(from)
}

/// Where a policy was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    Found {
        /// Without `_dmarc.`.
        at: String,
        text: String,
        record: Record,
    },
    Nothing,
    Several(String, Vec<String>),
    Wrong(String, String, RecordError),
    Failed(String),
}

impl Discovery {
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Found { record, .. } => Some(record),
            _ => None,
        }
    }
}

/// Section 6.6.3: at the domain, else at its organization. `None` when more has to be asked first.
pub fn discover(known: &Known<'_>, domain: &str) -> Option<Discovery> {
    let organization = organization(domain);
    let mut names = vec![domain];
    if organization != domain {
        names.push(organization);
    }
    // Both are asked at once.
    let answers: Vec<_> = names.iter().map(|it| known.ask(&format!("_dmarc.{it}"), Kind::Txt)).collect();
    for (at, answer) in names.into_iter().zip(answers) {
        let answer = answer?;
        if let Some(why) = answer.failure() {
            return Some(Discovery::Failed(why.to_owned()));
        }
        let texts = records(answer.texts());
        match texts.as_slice() {
            [] => {}
            [text] => {
                let (at, text) = (at.to_owned(), (*text).to_owned());
                return Some(match parse(&text) {
                    Ok(record) => Discovery::Found { at, text, record },
                    Err(error) => Discovery::Wrong(at, text, error),
                });
            }
            many => return Some(Discovery::Several(at.to_owned(), many.iter().map(|it| (*it).to_owned()).collect())),
        }
    }
    Some(Discovery::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        use Policy::None;
        use Policy::Quarantine;
        use Policy::Reject;
        let check = |text: &str, policy: Policy, sub: Policy, percent: u8, odd: &[&str]| {
            assert_eq!(records([text].into_iter()).len(), 1, "{text}");
            let it = parse(text).unwrap();
            assert_eq!((it.policy, it.for_subdomains(), it.percent), (policy, sub, percent), "{text}");
            assert_eq!(it.odd, odd, "{text}");
        };
        check("v=DMARC1; p=none", None, None, 100, &[]);
        check("v = DMARC1 ;p = REJECT; sp=quarantine; pct=50;", Reject, Quarantine, 50, &[]);
        check("v=DMARC1;p=quarantine;rua=mailto:a@b.test!10m,mailto:c@d.test", Quarantine, Quarantine, 100, &[]);
        check("v=DMARC1; p=foo; rua=mailto:a@b.test", None, None, 100, &["p=foo"]);
        check("v=DMARC1; rua=mailto:a@b.test", None, None, 100, &["p="]);
        check("v=DMARC1; p=reject; pct=101; adkim=x; zz=1", Reject, Reject, 100, &["adkim=x", "pct=101", "zz=1"]);
        check("v=DMARC1; sp=none; p=reject", Reject, None, 100, &["p"]);
        check(
            "v=DMARC1; p=none; rua=https://h.test, a@b.test",
            None,
            None,
            100,
            &["rua=https://h.test", "rua=a@b.test"],
        );
        for bad in ["v=DMARC1", "v=DMARC1; p=", "v=DMARC1; p=foo", "v=DMARC1; p=none; p=reject", "v=DMARC1; p=none; x"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for other in ["v=DMARC2; p=none", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=spf1 -all", "v=DMARC1.0; p=none"] {
            assert!(records([other].into_iter()).is_empty(), "{other}");
        }
    }

    #[test]
    fn alignment_goes_by_the_organization() {
        let check = |a: &str, b: &str, relaxed: bool| {
            assert_eq!(is_aligned(a, b, Alignment::Relaxed), relaxed, "{a} {b}");
            assert_eq!(is_aligned(a, b, Alignment::Strict), a == b, "{a} {b}");
        };
        check("corp.example.com", "example.com", true);
        check("a.example.com", "b.example.com", true);
        check("example.com", "example.com", true);
        check("example.com", "example.net", false);
        check("shop.co.uk", "other.co.uk", false);
        check("mail.shop.co.uk", "shop.co.uk", true);
        check("a.com.vn", "b.com.vn", false);
        check("evilexample.com", "example.com", false);
        check("a.github.io", "b.github.io", false);
        check("mail.corp.test", "corp.test", true);
        assert_eq!(organization("a.b.example.com.vn"), "example.com.vn");
        assert_eq!(organization("co.uk"), "co.uk");
    }
}
