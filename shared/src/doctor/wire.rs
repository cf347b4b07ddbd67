//! DNS messages as DNS over HTTPS carries them (RFC 8484).

use simple_dns::CLASS;
use simple_dns::Name;
use simple_dns::Packet;
use simple_dns::PacketFlag;
use simple_dns::QCLASS;
use simple_dns::QTYPE;
use simple_dns::RCODE;
use simple_dns::TYPE;
use simple_dns::rdata::RData;

use super::dns::Answer;
use super::dns::Data;
use super::dns::Kind;
use super::dns::Question;
use super::dns::State;

/// Media type of requests and answers.
pub const MEDIA: &str = "application/dns-message";

/// Steps from alias to alias that are followed.
const MAX_ALIASES: usize = 12;

/// A query. Its id is 0, so that caches can answer (RFC 8484 section 4.1).
pub fn query(question: &Question) -> Result<Vec<u8>, String> {
    let kind = match question.kind {
        Kind::A => TYPE::A,
        Kind::Aaaa => TYPE::AAAA,
        Kind::Mx => TYPE::MX,
        Kind::Txt => TYPE::TXT,
        Kind::Ptr => TYPE::PTR,
    };
    let mut packet = Packet::new_query(0);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    // A backslash would begin an escape.
    let text = question.name.replace('\\', "\\\\");
    let name = Name::new(&text).map_err(|e| e.to_string())?;
    packet.questions.push(simple_dns::Question::new(name, QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().map_err(|e| e.to_string())
}

/// Names as we compare them.
fn canonical(name: &Name<'_>) -> String {
    name.to_string().trim_end_matches('.').to_ascii_lowercase()
}

/// Reads an answer. What can't be read is a failure.
pub fn read(question: &Question, bytes: &[u8]) -> Answer {
    let packet = match Packet::parse(bytes) {
        Ok(packet) => packet,
        Err(error) => return Answer::failed(&error.to_string()),
    };
    let state = match packet.rcode() {
        RCODE::NoError => State::Found,
        RCODE::NameError => State::Missing,
        other => return Answer::failed(&format!("{other:?}")),
    };
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Answer::failed("truncated");
    }
    let mut name = question.name.clone();
    let mut alias = None;
    for _ in 0..MAX_ALIASES {
        let next = packet.answers.iter().find_map(|it| match &it.rdata {
            RData::CNAME(target) if canonical(&it.name) == name => Some(canonical(&target.0)),
            _ => None,
        });
        let Some(next) = next else { break };
        name.clone_from(&next);
        alias = Some(next);
    }
    let records = packet.answers.iter().filter(|it| canonical(&it.name) == name);
    let records = records.filter_map(|it| data(question.kind, &it.rdata)).collect();
    Answer { state, records, alias }
}

fn data(kind: Kind, data: &RData<'_>) -> Option<Data> {
    match (kind, data) {
        (Kind::A, RData::A(it)) => Some(Data::A(it.address.into())),
        (Kind::Aaaa, RData::AAAA(it)) => Some(Data::Aaaa(it.address.into())),
        (Kind::Mx, RData::MX(it)) => Some(Data::Mx { preference: it.preference, host: canonical(&it.exchange) }),
        (Kind::Ptr, RData::PTR(it)) => Some(Data::Ptr(canonical(&it.0))),
        (Kind::Txt, RData::TXT(it)) => {
            let text = String::try_from(it.clone());
            Some(Data::Txt(text.unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())))
        }
        _ => None,
    }
}
