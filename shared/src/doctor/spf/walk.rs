//! Everything a record includes, whoever sends: what a person has to see to mend it. The worst case counts, since a
//! receiver may have to read to the end.

use super::macros::Spec;
use super::record;
use super::record::Mechanism;
use super::record::Qualifier;
use super::record::Record;
use super::record::SyntaxError;
use crate::doctor::dns::Kind;
use crate::doctor::dns::Known;

/// Nodes that are looked at: beyond, a record is beyond help.
const MAX_NODES: u32 = 40;

/// What a name said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Record(Record),
    /// No SPF record.
    Nothing,
    Several(Vec<String>),
    Syntax(SyntaxError),
    /// DNS did not answer.
    Failed(String),
    /// It includes one that includes it.
    Loop,
    /// Its name depends on the sender.
    Dynamic,
    /// Too many before it.
    Cut,
}

/// A record in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The term that led here; empty for the first.
    pub term: String,
    pub domain: String,
    pub text: String,
    pub found: Found,
    /// Terms that ask DNS, here and below, without the one that led here.
    pub lookups: u32,
    pub children: Vec<Node>,
}

/// The tree with what was found on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    pub root: Node,
    /// Names without an answer, each with its term.
    pub void: Vec<(String, String)>,
    /// `mx` of more than ten names.
    pub crowded: Vec<String>,
    /// Terms whose DNS did not answer.
    pub failed: Vec<String>,
    /// Terms with `ptr`.
    pub ptr: Vec<String>,
    /// An `all` that lets everybody pass, with the domain that says so.
    pub open: Option<String>,
}

impl Node {
    pub fn record(&self) -> Option<&Record> {
        match &self.found {
            Found::Record(record) => Some(record),
            _ => None,
        }
    }

    /// This and all below, with their depth.
    pub fn lines(&self) -> Vec<(usize, &Node)> {
        let mut out = Vec::new();
        self.collect(0, &mut out);
        out
    }

    fn collect<'a>(&'a self, depth: usize, out: &mut Vec<(usize, &'a Node)>) {
        out.push((depth, self));
        for child in &self.children {
            child.collect(depth + 1, out);
        }
    }
}

struct Walker<'a> {
    known: &'a Known<'a>,
    nodes: u32,
    path: Vec<String>,
    walk: Walk,
    /// Something has to be asked first; the others are noted all the same.
    pending: bool,
}

/// Walks from a domain. `None` when more has to be asked first.
pub fn walk(known: &Known<'_>, domain: &str) -> Option<Walk> {
    let mut walker = Walker {
        known,
        nodes: 0,
        path: Vec::new(),
        walk: Walk {
            root: node("", domain, Found::Nothing),
            void: Vec::new(),
            crowded: Vec::new(),
            failed: Vec::new(),
            ptr: Vec::new(),
            open: None,
        },
        pending: false,
    };
    let root = walker.node("", domain, true);
    if walker.pending {
        return None;
    }
    walker.walk.root = root;
    Some(walker.walk)
}

fn node(term: &str, domain: &str, found: Found) -> Node {
    Node {
        term: term.to_owned(),
        domain: domain.to_owned(),
        text: String::new(),
        found,
        lookups: 0,
        children: Vec::new(),
    }
}

impl Walker<'_> {
    /// `decides`: an `all` here is the answer for everybody (the first record and those it redirects to).
    fn node(&mut self, term: &str, domain: &str, decides: bool) -> Node {
        if self.path.iter().any(|it| it == domain) {
            return node(term, domain, Found::Loop);
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return node(term, domain, Found::Cut);
        }
        let Some(answer) = self.known.ask(domain, Kind::Txt) else {
            self.pending = true;
            return node(term, domain, Found::Nothing);
        };
        if let Some(why) = answer.failure() {
            return node(term, domain, Found::Failed(why.to_owned()));
        }
        let texts = super::records(answer.texts());
        let text = match texts.as_slice() {
            [] => return node(term, domain, Found::Nothing),
            [one] => (*one).to_owned(),
            many => return node(term, domain, Found::Several(many.iter().map(|it| (*it).to_owned()).collect())),
        };
        let record = match record::parse(&text) {
            Ok(record) => record,
            Err(error) => return Node { text, ..node(term, domain, Found::Syntax(error)) },
        };
        let mut out = Node { text, ..node(term, domain, Found::Nothing) };
        self.path.push(domain.to_owned());
        for directive in &record.directives {
            // What stands behind `all` is never read.
            if directive.mechanism == Mechanism::All {
                if directive.qualifier == Qualifier::Pass
                    && (decides || self.path.len() > 1)
                    && self.walk.open.is_none()
                {
                    self.walk.open = Some(domain.to_owned());
                }
                break;
            }
            if directive.mechanism.asks() {
                out.lookups += 1;
            }
            self.term(domain, &directive.text, &directive.mechanism, &mut out);
        }
        if let Some(spec) = record.effective_redirect() {
            out.lookups += 1;
            self.child(&format!("redirect={}", spec.text()), spec, decides, &mut out);
        }
        self.path.pop();
        out.found = Found::Record(record);
        out
    }

    fn child(&mut self, term: &str, spec: &Spec, decides: bool, out: &mut Node) {
        let child = match spec.fixed() {
            Some(domain) => self.node(term, &domain, decides),
            None => node(term, spec.text(), Found::Dynamic),
        };
        out.lookups += child.lookups;
        out.children.push(child);
    }

    fn term(&mut self, domain: &str, text: &str, mechanism: &Mechanism, out: &mut Node) {
        let target = |spec: &Option<Spec>| match spec {
            None => Some(domain.to_owned()),
            Some(spec) => spec.fixed(),
        };
        match mechanism {
            Mechanism::Include(spec) => self.child(text, spec, false, out),
            Mechanism::Ptr(_) => self.walk.ptr.push(format!("{domain}: {text}")),
            Mechanism::A(spec, _) => {
                if let Some(name) = target(spec) {
                    self.addresses(&name, text);
                }
            }
            Mechanism::Mx(spec, _) => {
                if let Some(name) = target(spec) {
                    self.exchangers(&name, text);
                }
            }
            Mechanism::Exists(spec) => {
                if let Some(name) = spec.fixed() {
                    match self.known.ask(&name, Kind::A) {
                        None => self.pending = true,
                        Some(answer) if answer.failure().is_some() => self.walk.failed.push(text.to_owned()),
                        Some(answer) if answer.is_void() => self.walk.void.push((name, text.to_owned())),
                        Some(_) => {}
                    }
                }
            }
            Mechanism::All | Mechanism::Ip4(..) | Mechanism::Ip6(..) => {}
        }
    }

    /// A host without any address is a void lookup for everybody.
    fn addresses(&mut self, name: &str, text: &str) {
        let answers = [self.known.ask(name, Kind::A), self.known.ask(name, Kind::Aaaa)];
        let [Some(v4), Some(v6)] = answers else {
            self.pending = true;
            return;
        };
        if v4.failure().is_some() {
            self.walk.failed.push(text.to_owned());
        } else if v4.is_void() && v6.is_void() {
            self.walk.void.push((name.to_owned(), text.to_owned()));
        }
    }

    fn exchangers(&mut self, name: &str, text: &str) {
        let Some(answer) = self.known.ask(name, Kind::Mx) else {
            self.pending = true;
            return;
        };
        if answer.failure().is_some() {
            self.walk.failed.push(text.to_owned());
        } else if answer.is_void() {
            self.walk.void.push((name.to_owned(), text.to_owned()));
        } else if answer.exchangers().len() > super::MAX_NAMES {
            self.walk.crowded.push(text.to_owned());
        }
    }
}
