//! A DNS over HTTPS server (RFC 8484) with zones as text, so that domain checks run without the network.

use std::io::{Cursor, Read};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use anyhow::{Result, anyhow};
use simple_dns::rdata::{A, AAAA, CNAME, MX, PTR, RData, TXT};
use simple_dns::{CLASS, CharacterString, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use tiny_http::{Header, Response};

/// Longest query that is read.
const MAX_QUERY: u64 = 4_096;

/// It listens until it is dropped.
pub struct Resolver {
    server: Arc<tiny_http::Server>,
    address: SocketAddr,
    zone: Arc<Mutex<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Resolver {
    /// On a free port, with one record a line: `name TYPE value`. `name FAIL` answers SERVFAIL; what is not there does not
    /// exist. Long texts are split into strings of 100 bytes.
    pub fn start(zone: &str) -> Result<Self> {
        let server = tiny_http::Server::http("127.0.0.1:0").map_err(|e| anyhow!("no port for the resolver: {e}"))?;
        let server = Arc::new(server);
        let address = server.server_addr().to_ip().ok_or_else(|| anyhow!("the resolver has no address"))?;
        let zone = Arc::new(Mutex::new(zone.to_owned()));
        let thread = thread::Builder::new().name("resolver".to_owned()).spawn({
            let (server, zone) = (Arc::clone(&server), Arc::clone(&zone));
            move || {
                for mut request in server.incoming_requests() {
                    let mut query = Vec::new();
                    let read = request.as_reader().take(MAX_QUERY).read_to_end(&mut query);
                    let zone = zone.lock().map(|it| it.clone()).unwrap_or_default();
                    let bytes = read.ok().and_then(|_| answer(&query, &zone));
                    let response = match bytes {
                        Some(bytes) => Response::new(200.into(), Vec::new(), Cursor::new(bytes), None, None),
                        None => Response::new(400.into(), Vec::new(), Cursor::new(Vec::new()), None, None),
                    };
                    let kind = Header::from_bytes("content-type", "application/dns-message");
                    let response = kind.into_iter().fold(response, Response::with_header);
                    // The peer may have gone; there is nobody to tell.
                    let _ = request.respond(response);
                }
            }
        })?;
        Ok(Self { server, address, zone, thread: Some(thread) })
    }

    pub fn url(&self) -> String {
        format!("http://{}/dns-query", self.address)
    }

    /// Answers from other records from now on.
    pub fn set(&self, zone: &str) {
        if let Ok(mut it) = self.zone.lock() {
            zone.clone_into(&mut it);
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// `(name, type, value)` of each line.
fn lines(zone: &str) -> Vec<(&str, &str, &str)> {
    zone.lines()
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .map(|line| {
            let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (kind, value) = rest.split_once(' ').unwrap_or((rest, ""));
            (name, kind, value)
        })
        .collect()
}

fn answer(query: &[u8], zone: &str) -> Option<Vec<u8>> {
    let query = Packet::parse(query).ok()?;
    let question = query.questions.first()?;
    let zone = lines(zone);
    let asked = question.qname.to_string().to_lowercase();
    let QTYPE::TYPE(kind) = question.qtype else { return None };
    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(PacketFlag::RECURSION_AVAILABLE | PacketFlag::RECURSION_DESIRED);
    reply.questions.push(question.clone());
    let mut name = asked.as_str();
    while let Some((_, _, target)) = zone.iter().find(|(it, kind, _)| *it == name && *kind == "CNAME") {
        push(&mut reply, name, RData::CNAME(CNAME(Name::new(target).ok()?)))?;
        name = target;
    }
    let below = format!(".{name}");
    if zone.iter().any(|(it, kind, _)| *it == name && *kind == "FAIL") {
        *reply.rcode_mut() = RCODE::ServerFailure;
    } else if !zone.iter().any(|(it, ..)| *it == name || it.ends_with(&below)) {
        *reply.rcode_mut() = RCODE::NameError;
    }
    for (_, _, value) in zone.iter().filter(|(it, its_kind, _)| *it == name && is(kind, its_kind)) {
        let data = match kind {
            TYPE::A => RData::A(A { address: value.parse::<std::net::Ipv4Addr>().ok()?.into() }),
            TYPE::AAAA => RData::AAAA(AAAA { address: value.parse::<std::net::Ipv6Addr>().ok()?.into() }),
            TYPE::PTR => RData::PTR(PTR(Name::new(value).ok()?)),
            TYPE::MX => {
                let (preference, host) = value.split_once(' ')?;
                let host = if host == "." { "" } else { host };
                RData::MX(MX { preference: preference.parse().ok()?, exchange: Name::new_unchecked(host) })
            }
            _ => {
                let mut text = TXT::new();
                for part in value.as_bytes().chunks(100) {
                    text.add_char_string(CharacterString::new(part).ok()?.into_owned());
                }
                RData::TXT(text)
            }
        };
        push(&mut reply, name, data)?;
    }
    reply.build_bytes_vec_compressed().ok()
}

fn push<'a>(reply: &mut Packet<'a>, name: &'a str, data: RData<'a>) -> Option<()> {
    reply.answers.push(ResourceRecord::new(Name::new(name).ok()?, CLASS::IN, 60, data));
    Some(())
}

fn is(kind: TYPE, text: &str) -> bool {
    matches!(
        (kind, text),
        (TYPE::A, "A") | (TYPE::AAAA, "AAAA") | (TYPE::PTR, "PTR") | (TYPE::MX, "MX") | (TYPE::TXT, "TXT")
    )
}
