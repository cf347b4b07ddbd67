//! What DNS is asked and what it answered. The checks run over what is known and say what they still need
//! ([`Known::ask`]), so that whoever has a network asks and runs them again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// Type of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    A,
    Aaaa,
    Mx,
    Txt,
    Ptr,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::A, Self::Aaaa, Self::Mx, Self::Txt, Self::Ptr];

    /// As zone files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Ptr => "PTR",
        }
    }
}

/// One question. The name is in lower-case A-labels without the last dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    pub name: String,
    pub kind: Kind,
}

impl Question {
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.trim_end_matches('.').to_ascii_lowercase(), kind }
    }
}

/// Data of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Mx {
        preference: u16,
        /// Empty is the null MX (RFC 7505).
        host: String,
    },
    /// Its strings joined without blanks (RFC 7208 section 3.3). Bytes that are no UTF-8 became U+FFFD.
    Txt(String),
    Ptr(String),
}

/// How a question was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum State {
    /// The name exists; it may have no record of this kind.
    #[default]
    Found,
    /// NXDOMAIN.
    Missing,
    /// SERVFAIL, no answer in time, or not asked because there were too many questions.
    Failed(String),
}

/// The answer to one question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub state: State,
    pub records: Vec<Data>,
    /// Where a CNAME led, when one stood in between.
    pub alias: Option<String>,
}

impl Answer {
    pub fn failed(why: &str) -> Self {
        Self { state: State::Failed(why.to_owned()), ..Self::default() }
    }

    pub fn failure(&self) -> Option<&str> {
        match &self.state {
            State::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// NXDOMAIN or no such record: a *void lookup* of RFC 7208 section 4.6.4.
    pub fn is_void(&self) -> bool {
        self.failure().is_none() && self.records.is_empty()
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.records.iter().filter_map(|it| match it {
            Data::Txt(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Mail exchangers, most preferred first.
    pub fn exchangers(&self) -> Vec<(u16, &str)> {
        let mut all: Vec<(u16, &str)> = self
            .records
            .iter()
            .filter_map(|it| match it {
                Data::Mx { preference, host } => Some((*preference, host.as_str())),
                _ => None,
            })
            .collect();
        all.sort_unstable();
        all
    }

    pub fn addresses(&self) -> impl Iterator<Item = std::net::IpAddr> {
        self.records.iter().filter_map(|it| match it {
            Data::A(ip) => Some((*ip).into()),
            Data::Aaaa(ip) => Some((*ip).into()),
            _ => None,
        })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.records.iter().filter_map(|it| match it {
            Data::Ptr(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Answers that came, by question.
#[derive(Debug, Clone, Default)]
pub struct Answers(BTreeMap<Question, Answer>);

impl Answers {
    pub fn insert(&mut self, question: Question, answer: Answer) {
        self.0.insert(question, answer);
    }

    pub fn get(&self, question: &Question) -> Option<&Answer> {
        self.0.get(question)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is known, while a check runs over it. What it needs besides is noted.
pub struct Known<'a> {
    answers: &'a Answers,
    wanted: RefCell<BTreeSet<Question>>,
}

impl<'a> Known<'a> {
    pub fn new(answers: &'a Answers) -> Self {
        Self { answers, wanted: RefCell::default() }
    }

    /// The answer; `None` when it has to be asked first. A name that DNS can't carry does not exist.
    pub fn ask(&self, name: &str, kind: Kind) -> Option<Answer> {
        let question = Question::new(name, kind);
        if !can_exist(&question.name) {
            return Some(Answer { state: State::Missing, ..Answer::default() });
        }
        let answer = self.answers.get(&question).cloned();
        if answer.is_none() {
            self.wanted.borrow_mut().insert(question);
        }
        answer
    }

    /// What has to be asked.
    pub fn wanted(&self) -> Vec<Question> {
        self.wanted.borrow().iter().cloned().collect()
    }
}

/// Labels of 1 to 63 octets, 253 in all (RFC 1035 section 2.3.4).
pub fn can_exist(name: &str) -> bool {
    !name.is_empty() && name.len() <= 253 && name.split('.').all(|it| (1..=63).contains(&it.len()))
}

/// The name to ask for the host of an address: `4.3.2.1.in-addr.arpa`.
pub fn reverse(ip: std::net::IpAddr) -> String {
    match ip {
        std::net::IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        std::net::IpAddr::V6(ip) => {
            let nibbles: Vec<String> =
                ip.octets().iter().rev().flat_map(|it| [it & 15, it >> 4]).map(|it| format!("{it:x}")).collect();
            format!("{}.ip6.arpa", nibbles.join("."))
        }
    }
}
