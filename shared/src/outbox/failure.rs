//! Why a mail did not arrive: the vocabulary of the red envelope, and the rules that read a server's words.
//!
//! The rules are data ([`rules`]): a row has a reason, words to look for and where they come from. Order decides: exact words
//! first, then the enhanced status, then vaguer words, then the reply code.

mod languages;
mod providers;
mod rules;
mod status;

use serde::Deserialize;
use serde::Serialize;

use super::reply;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $fault:ident;)+) => {
        /// Why a delivery failed, or what a report says. Named by the text [`Reason::title_key`],
        /// explained by `outbox::advice`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "lowercase")]
        pub enum Reason {
            $($(#[$doc])* $variant,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Whose move it is.
            pub const fn fault(self) -> Fault {
                match self {
                    $(Self::$variant => Fault::$fault,)+
                }
            }

            /// Key of the one-line explanation.
            pub const fn title_key(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("reason.", $name, ".title"),)+
                }
            }
        }
    };
}

reasons! {
    /// SPF, DKIM or DMARC of our domain did not pass.
    AuthFailure = "authfailure", Us;
    /// Our address or server has a bad name with the receiver.
    BadReputation = "badreputation", Us;
    /// Our server's IP address is refused.
    Blocked = "blocked", Us;
    /// The mail itself is broken in their eyes.
    ContentError = "contenterror", Content;
    /// It arrived: a success report.
    Delivered = "delivered", Recipient;
    /// Larger than this mailbox takes.
    ExceedLimit = "exceedlimit", Content;
    /// Tried until time was up.
    Expired = "expired", Network;
    /// No encrypted connection where one is demanded.
    FailedStartTls = "failedstarttls", Us;
    /// A complaint came back.
    Feedback = "feedback", Policy;
    /// Refused after the content was seen, or by the recipient's own settings.
    Filtered = "filtered", Recipient;
    /// The person has another address now.
    HasMoved = "hasmoved", Recipient;
    /// The domain does not exist.
    HostUnknown = "hostunknown", Recipient;
    /// The mailbox is full.
    MailboxFull = "mailboxfull", Recipient;
    /// A program behind the mailbox failed.
    MailerError = "mailererror", Network;
    /// Larger than their server takes.
    MesgTooBig = "mesgtoobig", Content;
    /// DNS or connection trouble on the way.
    NetworkError = "networkerror", Network;
    /// Their server does not feel responsible for this address.
    NoRelaying = "norelaying", Network;
    /// Their host takes no mail at all.
    NotAccept = "notaccept", Recipient;
    /// The mail breaks a standard they insist on.
    NotCompliantRfc = "notcompliantrfc", Content;
    /// The server gave no usable reason.
    OnHold = "onhold", Network;
    /// Against a rule of theirs.
    PolicyViolation = "policyviolation", Policy;
    /// Our sender address is refused.
    Rejected = "rejected", Us;
    /// Our server has no matching reverse DNS name.
    RequirePtr = "requireptr", Us;
    /// Refused for security, or a login is demanded.
    SecurityError = "securityerror", Policy;
    /// Taken for spam.
    SpamDetected = "spamdetected", Content;
    /// Too many mails in too short a time.
    Speeding = "speeding", Us;
    /// Suppressed: we did not try.
    Suppressed = "suppressed", Recipient;
    /// The account is suspended or inactive.
    Suspend = "suspend", Recipient;
    /// The servers misunderstood each other.
    SyntaxError = "syntaxerror", Network;
    /// Their server has a fault.
    SystemError = "systemerror", Network;
    /// Their disk is full.
    SystemFull = "systemfull", Network;
    /// Too many connections or recipients at once.
    TooManyConn = "toomanyconn", Us;
    /// Nothing to go by.
    Undefined = "undefined", Network;
    /// The address does not exist.
    UserUnknown = "userunknown", Recipient;
    /// Out of office.
    Vacation = "vacation", Recipient;
    /// Taken for a virus.
    VirusDetected = "virusdetected", Content;
}

impl Reason {
    /// Reads [`Reason::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == text)
    }
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The address or its owner.
    Recipient,
    /// Our domain, server or behavior.
    Us,
    /// The way between, or their server.
    Network,
    /// What the mail holds.
    Content,
    /// A rule of theirs.
    Policy,
}

impl Fault {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Us => "us",
            Self::Network => "network",
            Self::Content => "content",
            Self::Policy => "policy",
        }
    }
}

/// The SMTP command that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Connect,
    Mail,
    Rcpt,
    /// DATA or the content after it: the recipient had been accepted.
    Data,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub reason: Reason,
    /// The address itself is dead: mailing it again can't work and harms our name. Suppress it.
    pub permanent: bool,
    /// The same mail may go through later.
    pub temporary: bool,
}

/// Explains a reply or the diagnostic text of a report. Code and status are looked for in the text when not given.
pub fn classify(code: Option<u16>, status: Option<&str>, text: &str) -> Failure {
    judge(&Said { code, status, text, ..Said::default() }).0
}

/// What is known about a refusal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    /// The command that was refused; looked for in the text when not given.
    pub stage: Option<Stage>,
    pub code: Option<u16>,
    pub status: Option<&'a str>,
    /// Names of the servers that say it or pass it on.
    pub hosts: &'a [&'a str],
    pub text: &'a str,
}

/// [`classify`] with all that is known; says too whether a provider's own wording decided, which needs no further proof.
pub fn judge(said: &Said<'_>) -> (Failure, bool) {
    let (found_code, found_status) = reply::scan(said.text);
    let code = said.code.or(found_code);
    let status = said.status.filter(|it| reply::is_status(it)).or(found_status);
    let words = normalize(said.text);
    let stage = said.stage.or_else(|| stage_of(&words));
    let index = rules::Words::new(&words);
    // Whatever happened on the way: time ran out.
    let ran_out = status.filter(|it| it.ends_with(".4.7")).map(|_| Reason::Expired);
    let provider = rules::PROVIDERS.find(&index).or(ran_out);
    let mut reason = provider
        .or_else(|| rules::EXACT.find(&index))
        .or_else(|| status.and_then(status::by_status))
        .or_else(|| status.and_then(status::by_hint))
        .or_else(|| rules::VAGUE.find(&index))
        .or_else(|| code.and_then(|it| status::by_code(it, stage)))
        .unwrap_or(if code.is_some() || status.is_some() { Reason::OnHold } else { Reason::Undefined });
    let mut is_certain = provider.is_some();
    if reason == Reason::UserUnknown && !is_certain {
        let names_mailbox = status.is_some_and(|it| matches!(it.get(1..), Some(".1.1" | ".1.2" | ".1.3" | ".1.6")));
        let by_host = providers::HOSTS
            .iter()
            .find(|(name, at, _)| {
                let is_its = said.hosts.iter().copied().chain(host_in(said.text)).any(|it| ends_with_domain(it, name));
                is_its && (at.is_none() || *at == stage)
            })
            .map(|(_, _, it)| *it);
        if let Some(it) = by_host {
            (reason, is_certain) = (it, true);
        } else if !names_mailbox {
            match stage {
                // An address that was accepted and then called unknown is a filter's way of saying no.
                Some(Stage::Data) => reason = Reason::Filtered,
                // Before the recipient was named, the unknown one is our sender.
                Some(Stage::Mail) => reason = Reason::Rejected,
                _ => {}
            }
        }
    }
    let class =
        code.map(|it| it / 100).or_else(|| status.and_then(|it| it.chars().next()?.to_digit(10)).map(|it| it as u16));
    let is_temporary_class = class == Some(4);
    let failure = Failure {
        reason,
        permanent: matches!(reason, Reason::UserUnknown | Reason::HostUnknown | Reason::HasMoved | Reason::NotAccept)
            && !is_temporary_class,
        temporary: match class {
            Some(4) => true,
            Some(_) => false,
            None => matches!(
                reason,
                Reason::MailboxFull
                    | Reason::SystemFull
                    | Reason::SystemError
                    | Reason::NetworkError
                    | Reason::Speeding
                    | Reason::TooManyConn
                    | Reason::OnHold
                    | Reason::Undefined
            ),
        },
    };
    (failure, is_certain)
}

/// `host mx.corp.test[192.0.2.1] said`, `while talking to mx.corp.test.:`, `Remote host`: whose words they are.
fn host_in(text: &str) -> Option<&str> {
    let cues = ["host ", "talking to ", "from the server "];
    cues.iter().find_map(|cue| {
        let found = text.match_indices(cue).map(|(at, _)| text.get(at + cue.len()..).unwrap_or_default()).take(8);
        found.map(word_of_host).find(|it| it.contains('.'))
    })
}

fn word_of_host(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-' && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches('.')
}

/// Whether a host is of a domain; without case.
pub fn ends_with_domain(host: &str, domain: &str) -> bool {
    let Some((rest, end)) = host.len().checked_sub(domain.len()).and_then(|at| host.split_at_checked(at)) else {
        return false;
    };
    end.eq_ignore_ascii_case(domain) && (rest.is_empty() || rest.ends_with('.'))
}

/// Every enhanced code, without its class, that a table knows.
#[cfg(test)]
pub(crate) fn known_details() -> impl Iterator<Item = &'static str> {
    status::known()
}

/// What a provider's own wording in a text says, if there is one.
pub fn by_wording(text: &str) -> Option<Reason> {
    let words = normalize(text);
    rules::PROVIDERS.find(&rules::Words::new(&words))
}

/// Lower case, blanks joined, line prefixes (`550-5.7.1`) and addresses taken out: an address must not decide the reason.
fn normalize(text: &str) -> String {
    let mut res = String::with_capacity(text.len().min(8_000) + 2);
    res.push(' ');
    let mut is_after_host = false;
    for word in text.split_whitespace() {
        if res.len() > 8_000 {
            break;
        }
        let is_prefix = word.len() <= 14 && word.starts_with(|c: char| c.is_ascii_digit()) && {
            let rest = word.get(..3).filter(|it| it.bytes().all(|b| b.is_ascii_digit())).and_then(|_| word.get(3..));
            rest.is_some_and(|it| it.is_empty() || it == "-" || it.strip_prefix('-').is_some_and(reply::is_status))
                || reply::is_status(word)
        };
        if is_prefix {
            continue;
        }
        // `host antispam.corp.test[192.0.2.1] said`: a name must not decide either.
        let is_host = is_after_host && word.contains('[') && word.contains('.');
        is_after_host = word.eq_ignore_ascii_case("host");
        if is_host {
            continue;
        }
        match word.find('@') {
            // `<a@b>...` keeps what surrounds the address.
            Some(_) if !word.contains("://") => res.push('@'),
            _ => res.extend(word.chars().flat_map(char::to_lowercase).map(|c| if c == '’' { '\'' } else { c })),
        }
        res.push(' ');
    }
    res
}

/// The command that a text says was refused.
pub fn stage_in(text: &str) -> Option<Stage> {
    stage_of(&normalize(text))
}

/// `(in reply to end of DATA command)` of Postfix and the like.
fn stage_of(words: &str) -> Option<Stage> {
    const PHRASES: [(&str, Stage); 26] = [
        ("in reply to end of data", Stage::Data),
        ("in reply to data", Stage::Data),
        ("after end of data", Stage::Data),
        ("after data", Stage::Data),
        ("in reply to rcpt to", Stage::Rcpt),
        ("after rcpt to", Stage::Rcpt),
        ("rcpt to:", Stage::Rcpt),
        ("in reply to mail from", Stage::Mail),
        ("after mail from", Stage::Mail),
        ("in reply to helo", Stage::Connect),
        ("in reply to ehlo", Stage::Connect),
        ("refused to talk to me", Stage::Connect),
        ("after initial connection", Stage::Connect),
        ("rejected recipient", Stage::Rcpt),
        ("before recipient", Stage::Mail),
        ("after rcpt", Stage::Rcpt),
        ("(state 12)", Stage::Rcpt),
        ("(state 13)", Stage::Rcpt),
        ("(state 14)", Stage::Rcpt),
        ("(state 15)", Stage::Data),
        ("(state 16)", Stage::Data),
        ("(state 17)", Stage::Data),
        ("(state 18)", Stage::Data),
        ("in reply to rset", Stage::Connect),
        ("smtp:rcpt", Stage::Rcpt),
        ("rcpt to", Stage::Rcpt),
    ];
    PHRASES.iter().find(|(it, _)| words.contains(it)).map(|(_, stage)| *stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, reason: &str, permanent: bool, temporary: bool) {
        let got = classify(None, None, text);
        assert_eq!((got.reason.as_str(), got.permanent, got.temporary), (reason, permanent, temporary), "{text}");
    }

    #[test]
    fn replies_of_many_servers() {
        check(
            "550 5.1.1 <ann@corp.test>: Recipient address rejected: User unknown in local recipient table",
            "userunknown",
            true,
            false,
        );
        check(
            "550-5.1.1 The email account that you tried to reach does not exist. Please try",
            "userunknown",
            true,
            false,
        );
        check("450 4.1.1 user unknown yet", "userunknown", false, true);
        check("550 No such user (in reply to end of DATA command)", "filtered", false, false);
        check("552 5.2.2 mailbox full", "mailboxfull", false, false);
        check("452 4.2.2 The email account that you tried to reach is over quota", "mailboxfull", false, true);
        check("550-5.7.26 This mail is unauthenticated, DMARC policy", "authfailure", false, false);
        check(
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "blocked",
            false,
            false,
        );
        check(
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
            "badreputation",
            false,
            true,
        );
        check(
            "550 5.7.25 The IP address sending this message does not have a PTR record setup",
            "requireptr",
            false,
            false,
        );
        check("554 5.7.1 <ann@corp.test>: Relay access denied", "norelaying", false, false);
        check("552 5.3.4 Message size exceeds fixed limit", "mesgtoobig", false, false);
        check("554 5.7.1 Message rejected as spam", "spamdetected", false, false);
        check("451 4.7.1 Greylisted, please try again later", "onhold", false, true);
        check(
            "Host or domain name not found. Name service error for name=nowhere.test type=A: Host not found",
            "hostunknown",
            true,
            false,
        );
        check("550 5.2.1 The email account that you tried to reach is disabled", "suspend", false, false);
        check("530 5.7.0 Must issue a STARTTLS command first", "failedstarttls", false, false);
        check("", "undefined", false, true);
        // The address does not decide.
        check("550 5.1.1 <spam.virus.full@corp.test>... User unknown", "userunknown", true, false);
    }

    /// `fixtures/replies.txt`: written anew in the form that these servers are known for, so that no rule was made for one.
    #[test]
    fn fresh_replies_of_known_servers() {
        let lines = include_str!("../../fixtures/replies.txt").lines();
        let wrong: Vec<String> = lines
            .filter(|it| !it.starts_with('#'))
            .filter_map(|line| {
                let (expect, text) = line.match_indices(' ').nth(2).map(|(at, _)| line.split_at(at)).unwrap();
                let it = classify(None, None, text.trim());
                let dead = if it.permanent { "dead" } else { "alive" };
                let got = format!("{} {dead} {}", it.reason.as_str(), if it.temporary { "again" } else { "no" });
                (got != expect).then(|| format!("{got} <- {line}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_reason_has_its_texts_and_name() {
        let parts = [include_str!("../../locales/en.json"), include_str!("../../locales/vi.json")];
        let parts = parts.map(|it| serde_json::from_str::<std::collections::BTreeMap<String, String>>(it).unwrap());
        for reason in Reason::ALL {
            for part in &parts {
                assert!(
                    part.get(reason.title_key()).is_some_and(|it| !it.is_empty() && !it.ends_with('.')),
                    "{reason:?}"
                );
                let n = part.keys().filter(|it| it.starts_with("reason.")).count();
                assert_eq!(n, Reason::ALL.len());
            }
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{}\"", reason.as_str()));
        }
    }
}
