//! Zones as text, one record a line, and what is to be found in them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;
use crate::doctor::dns::Answer;
use crate::doctor::dns::Data;
use crate::doctor::dns::Kind;
use crate::doctor::dns::State;
use crate::i18n::Lang;

/// `name TYPE value` lines. `name FAIL` answers SERVFAIL; names that are not there do not exist.
pub(super) struct Zone(Vec<(String, String, String)>);

impl Zone {
    pub(super) fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
        Self(
            lines
                .map(|it| {
                    let mut parts = it.splitn(3, ' ');
                    let mut next = || parts.next().unwrap_or_default().to_owned();
                    (next().to_lowercase(), next(), next())
                })
                .collect(),
        )
    }

    pub(super) fn answer(&self, question: &Question) -> Answer {
        let mut name = question.name.clone();
        let mut alias = None;
        while let Some((_, _, target)) = self.0.iter().find(|(it, kind, _)| *it == name && kind == "CNAME") {
            name = target.to_lowercase();
            alias = Some(name.clone());
        }
        let at: Vec<_> = self.0.iter().filter(|(it, ..)| *it == name).collect();
        if at.iter().any(|(_, kind, _)| kind == "FAIL") {
            return Answer::failed("ServerFailure");
        }
        let records: Vec<Data> = at
            .iter()
            .filter(|(_, kind, _)| kind == question.kind.as_str())
            .map(|(_, _, value)| match question.kind {
                Kind::A => Data::A(value.parse().unwrap()),
                Kind::Aaaa => Data::Aaaa(value.parse().unwrap()),
                Kind::Mx => {
                    let (preference, host) = value.split_once(' ').unwrap();
                    Data::Mx { preference: preference.parse().unwrap(), host: host.trim_end_matches('.').to_owned() }
                }
                Kind::Txt => Data::Txt(value.clone()),
                Kind::Ptr => Data::Ptr(value.clone()),
            })
            .collect();
        let exists = !at.is_empty() || self.0.iter().any(|(it, ..)| it.ends_with(&format!(".{name}")));
        Answer { state: if exists { State::Found } else { State::Missing }, records, alias }
    }
}

fn evaluate(zone: &Zone, ip: &str, mail_from: &str, helo: &str) -> spf::Outcome {
    let ip: IpAddr = ip.parse().unwrap();
    let mut answers = Answers::default();
    loop {
        let known = Known::new(&answers);
        if let Some(outcome) = spf::evaluate(&known, &spf::Sender { ip, mail_from, helo }) {
            return outcome;
        }
        let wanted = known.wanted();
        assert!(!wanted.is_empty(), "stuck");
        for question in wanted {
            let answer = zone.answer(&question);
            answers.insert(question, answer);
        }
    }
}

/// Zone, address, sender, what comes out, and why if it is an error.
fn spf_case(zone: &str, ip: &str, mail_from: &str, verdict: &str, why: &str) {
    let outcome = evaluate(&Zone::new(zone), ip, mail_from, "helo.test");
    let got = (outcome.verdict.as_str(), outcome.error.as_ref().map_or("", |it| it.0));
    assert_eq!(got, (verdict, why), "{zone}\n{ip} {mail_from}: {outcome:?}");
}

#[test]
fn spf_decides_as_the_rfc_says() {
    let case = |zone: &str, ip: &str, verdict: &str, why: &str| spf_case(zone, ip, "ann@a.test", verdict, why);
    case("b.test TXT x", "192.0.2.1", "none", "");
    case("a.test TXT other", "192.0.2.1", "none", "");
    case("a.test FAIL", "192.0.2.1", "temperror", "dns");
    case("a.test TXT v=spf10 -all", "192.0.2.1", "none", "");
    case("a.test TXT v=spf1", "192.0.2.1", "neutral", "");
    case("a.test TXT v=SPF1 -ALL", "192.0.2.1", "fail", "");
    case("a.test TXT v=spf1 -all\na.test TXT v=spf1 +all", "192.0.2.1", "permerror", "several");
    case("a.test TXT v=spf1 foo", "192.0.2.1", "permerror", "syntax");
    // An error behind the match counts too.
    case("a.test TXT v=spf1 ip4:192.0.2.1 foo", "192.0.2.1", "permerror", "syntax");
    case("a.test TXT v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.9", "pass", "");
    case("a.test TXT v=spf1 ip4:192.0.2.0/24 -all", "192.0.3.9", "fail", "");
    case("a.test TXT v=spf1 ip4:0.0.0.0/0 -all", "192.0.3.9", "pass", "");
    case("a.test TXT v=spf1 ip4:192.0.2.0/24 ~all", "2001:db8::1", "softfail", "");
    case("a.test TXT v=spf1 ip4:192.0.2.0/24 -all", "::ffff:192.0.2.9", "pass", "");
    case("a.test TXT v=spf1 ip6:2001:db8::/32 -all", "2001:db8:1::1", "pass", "");
    case("a.test TXT v=spf1 ip6:::/0 -all", "192.0.2.1", "fail", "");
    case("a.test TXT v=spf1 ?all", "192.0.2.1", "neutral", "");
    case("a.test TXT v=spf1 a -all\na.test A 192.0.2.1", "192.0.2.1", "pass", "");
    case("a.test TXT v=spf1 a/24 -all\na.test A 192.0.2.1", "192.0.2.200", "pass", "");
    case("a.test TXT v=spf1 a//64 -all\na.test AAAA 2001:db8::1", "2001:db8::ffff", "pass", "");
    case("a.test TXT v=spf1 a:h.test -all\nh.test CNAME g.test\ng.test A 192.0.2.1", "192.0.2.1", "pass", "");
    case("a.test TXT v=spf1 mx -all\na.test MX 10 m.test\nm.test A 192.0.2.1", "192.0.2.1", "pass", "");
    case("a.test TXT v=spf1 mx/24 -all\na.test MX 10 m.test\nm.test A 192.0.2.1", "192.0.2.7", "pass", "");
    case("a.test TXT v=spf1 mx -all\na.test MX 10 m.test\nm.test FAIL", "192.0.2.1", "temperror", "dns");
    case("a.test TXT v=spf1 mx -all\na.test MX 0 .", "192.0.2.1", "fail", "");
    // The implicit MX of SMTP is none here.
    case("a.test TXT v=spf1 mx -all\na.test A 192.0.2.1", "192.0.2.1", "fail", "");
    let include = "a.test TXT v=spf1 include:b.test -all\n";
    case(&format!("{include}b.test TXT v=spf1 ip4:192.0.2.1 -all"), "192.0.2.1", "pass", "");
    case(&format!("{include}b.test TXT v=spf1 ip4:192.0.2.1 -all"), "192.0.2.2", "fail", "");
    case(&format!("{include}b.test TXT v=spf1 ?all"), "192.0.2.1", "fail", "");
    case(&format!("{include}b.test TXT v=spf1 +all"), "192.0.2.1", "pass", "");
    case(&format!("{include}b.test TXT nothing"), "192.0.2.1", "permerror", "include");
    case(include, "192.0.2.1", "permerror", "include");
    case(&format!("{include}b.test FAIL"), "192.0.2.1", "temperror", "dns");
    case(&format!("{include}b.test TXT v=spf1 foo"), "192.0.2.1", "permerror", "syntax");
    case("a.test TXT v=spf1 include:a.test -all", "192.0.2.1", "permerror", "lookups");
    case("a.test TXT v=spf1 redirect=b.test\nb.test TXT v=spf1 ip4:192.0.2.1 -all", "192.0.2.1", "pass", "");
    case("a.test TXT v=spf1 redirect=b.test\nb.test TXT v=spf1 ip4:192.0.2.1 -all", "192.0.2.2", "fail", "");
    case("a.test TXT v=spf1 redirect=b.test", "192.0.2.1", "permerror", "redirect");
    case("a.test TXT v=spf1 redirect=b.test ?all", "192.0.2.1", "neutral", "");
    case("a.test TXT v=spf1 redirect=a.test", "192.0.2.1", "permerror", "lookups");
    // An all within an include ends nothing outside; its redirect is its own.
    let both = "a.test TXT v=spf1 include:b.test ip4:192.0.2.7 -all\nb.test TXT v=spf1 redirect=c.test\n";
    case(&format!("{both}c.test TXT v=spf1 -all"), "192.0.2.7", "pass", "");
    case("a.test TXT v=spf1 exists:%{ir}.l.test -all\n1.2.0.192.l.test A 127.0.0.2", "192.0.2.1", "pass", "");
    // Even for IPv6 an A record is asked for.
    case("a.test TXT v=spf1 exists:l.test -all\nl.test A 127.0.0.2", "2001:db8::1", "pass", "");
    case("a.test TXT v=spf1 exists:l.test -all\nl.test AAAA ::1", "2001:db8::1", "fail", "");
    case("a.test TXT v=spf1 exists:%{l}.%{o}.l.test -all\nann.a.test.l.test A 127.0.0.2", "192.0.2.1", "pass", "");
    case("a.test TXT v=spf1 exists:%{h}.l.test -all\nhelo.test.l.test A 127.0.0.2", "192.0.2.1", "pass", "");
    let ptr = "1.2.0.192.in-addr.arpa PTR m.a.test\nm.a.test A 192.0.2.1\n";
    case(&format!("a.test TXT v=spf1 ptr -all\n{ptr}"), "192.0.2.1", "pass", "");
    case(
        "a.test TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR M.A.test\nm.a.test A 192.0.2.1",
        "192.0.2.1",
        "pass",
        "",
    );
    case("a.test TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR m.a.test", "192.0.2.1", "fail", "");
    case("a.test TXT v=spf1 a:x:y/z.a.test -all\nx:y/z.a.test A 192.0.2.1", "192.0.2.1", "pass", "");
    case(
        "a.test TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR m.evila.test\nm.evila.test A 192.0.2.1",
        "192.0.2.1",
        "fail",
        "",
    );
    case("a.test TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa FAIL", "192.0.2.1", "fail", "");
    case(
        &format!("a.test TXT v=spf1 exists:%{{p}}.l.test -all\nm.a.test.l.test A 127.0.0.2\n{ptr}"),
        "192.0.2.1",
        "pass",
        "",
    );
    case("a.test TXT v=spf1 exists:%{p}.l.test -all\nunknown.l.test A 127.0.0.2", "192.0.2.1", "pass", "");
    // Mechanisms before the match are all that is asked.
    case("a.test TXT v=spf1 ip4:192.0.2.1 include:gone.test -all", "192.0.2.1", "pass", "");
}

/// Where receivers and domain owners disagree most often.
#[test]
fn spf_at_its_edges() {
    let case = |zone: &str, ip: &str, verdict: &str, why: &str| spf_case(zone, ip, "ann@a.test", verdict, why);
    // Dual lengths: each family has its own (section 5.3, 5.4).
    let dual = "a.test TXT v=spf1 a:h.test/24//64 mx/30//128 -all\nh.test A 192.0.2.1\nh.test AAAA 2001:db8::1\n\
        a.test MX 10 m.test\nm.test A 198.51.100.4\nm.test AAAA 2001:db8:1::4";
    for (ip, verdict) in [
        ("192.0.2.254", "pass"),
        ("192.0.3.1", "fail"),
        ("2001:db8::ffff", "pass"),
        ("2001:db8:0:1::1", "fail"),
        ("198.51.100.7", "pass"),
        ("198.51.100.8", "fail"),
        ("2001:db8:1::4", "pass"),
        ("2001:db8:1::5", "fail"),
    ] {
        case(dual, ip, verdict, "");
    }
    for wrong in [
        "a/33",
        "a//129",
        "ip4:192.0.2.1/33",
        "ip6:2001:db8::/129",
        "mx/",
        "a/24/64",
        "ip4:192.0.2",
        "ip4:",
        "ip6:192.0.2.1",
    ] {
        case(&format!("a.test TXT v=spf1 {wrong} -all"), "192.0.2.1", "permerror", "syntax");
    }
    // Names, mechanisms and macros know no case; the version does not either.
    case("a.test TXT V=sPf1 IP4:192.0.2.1 -ALL", "192.0.2.1", "pass", "");
    case("A.TEST TXT v=spf1 Include:B.Test -all\nb.test TXT v=spf1 ip4:192.0.2.1 ?all", "192.0.2.1", "pass", "");
    // Several records are an error, whatever they say; those of another version are none of ours.
    case(
        "a.test TXT v=spf1 ip4:192.0.2.1 -all\na.test TXT v=spf1 ip4:192.0.2.1 -all",
        "192.0.2.1",
        "permerror",
        "several",
    );
    case("a.test TXT v=spf1 -all\na.test TXT v=spf2.0/mfrom +all\na.test TXT v=spf1x", "192.0.2.1", "fail", "");
    // Strings are joined without a blank (section 3.3), so a record may be longer than 255 bytes.
    let long: Vec<String> = (0..40).map(|it| format!("ip4:198.51.100.{it}")).collect();
    let long = format!("v=spf1 {} ip4:192.0.2.1 -all", long.join(" "));
    assert!(long.len() > 700);
    case(&format!("a.test TXT {long}"), "192.0.2.1", "pass", "");
    // Unknown modifiers are passed over, known ones may stand once, and where they stand does not matter.
    case("a.test TXT v=spf1 x-new=1 redirect=b.test ip4:192.0.2.1\nb.test TXT v=spf1 -all", "192.0.2.1", "pass", "");
    case("a.test TXT v=spf1 x-new=1 redirect=b.test ip4:192.0.2.1\nb.test TXT v=spf1 -all", "192.0.2.2", "fail", "");
    case("a.test TXT v=spf1 exp=x.test exp=y.test -all", "192.0.2.1", "permerror", "syntax");
    // Nothing there counts as void for every term that asks, and an answer without an address of the family does too.
    let void = "a.test TXT v=spf1 a:g1.test mx:g2.test exists:g3.test -all";
    case(void, "192.0.2.1", "permerror", "void");
    let only_v4 = "a.test TXT v=spf1 a:h1.test a:h2.test a:h3.test -all\nh1.test A 192.0.2.7\nh2.test A 192.0.2.8\nh3.test A 192.0.2.9";
    case(only_v4, "192.0.2.1", "fail", "");
    case(only_v4, "2001:db8::1", "permerror", "void");
    // Ten terms are borne across includes, and the redirect is one of them.
    let hosts: Vec<String> = (0..10).map(|it| format!("h{it}.test A 198.51.100.{it}")).collect();
    let terms = |n: usize| (0..n).map(|it| format!("a:h{it}.test")).collect::<Vec<_>>().join(" ");
    let nested = |n: usize| {
        format!("a.test TXT v=spf1 include:b.test ~all\nb.test TXT v=spf1 {} -all\n{}", terms(n), hosts.join("\n"))
    };
    case(&nested(9), "192.0.2.1", "softfail", "");
    case(&nested(10), "192.0.2.1", "permerror", "lookups");
    // ip4, ip6, all, exp ask nothing that is counted.
    case(&format!("a.test TXT v=spf1 {} ip4:192.0.2.1 -all\n{}", terms(10), hosts.join("\n")), "192.0.2.1", "pass", "");
    // Macros: parts, reversed, other separators, and the digits of an IPv6 address (section 7.3).
    let exists =
        |spec: &str, name: &str| format!("a.test TXT v=spf1 exists:{spec}.l.test -all\n{name}.l.test A 127.0.0.2");
    for (spec, name, ip) in [
        ("%{ir}", "1.2.0.192", "192.0.2.1"),
        ("%{d2r}", "test.a", "192.0.2.1"),
        ("%{l}", "ann", "192.0.2.1"),
        ("%{o}", "a.test", "192.0.2.1"),
        ("%{s1}", "test", "192.0.2.1"),
        ("%{v}.%{i}", "in-addr.192.0.2.1", "192.0.2.1"),
        ("%{v}", "ip6", "2001:db8::1"),
        ("%{i2r}", "0.2", "2001:db8::1"),
    ] {
        case(&exists(spec, name), ip, "pass", "");
    }
    for wrong in ["%{x}", "%{", "%{ir2}", "%{d0}", "%a", "%{dr"] {
        case(&format!("a.test TXT v=spf1 exists:{wrong}.l.test -all"), "192.0.2.1", "permerror", "syntax");
    }
}

#[test]
fn spf_counts_what_it_asks() {
    let many = |n: usize, end: &str| {
        let terms: Vec<String> = (0..n).map(|it| format!("a:h{it}.test")).collect();
        let hosts: Vec<String> = (0..n).map(|it| format!("h{it}.test A 198.51.100.{it}")).collect();
        format!("a.test TXT v=spf1 {} {end}\n{}", terms.join(" "), hosts.join("\n"))
    };
    spf_case(&many(10, "-all"), "192.0.2.1", "ann@a.test", "fail", "");
    spf_case(&many(11, "-all"), "192.0.2.1", "ann@a.test", "permerror", "lookups");
    // A match before the eleventh.
    spf_case(&many(11, "-all"), "198.51.100.3", "ann@a.test", "pass", "");
    spf_case(&many(10, "redirect=b.test"), "192.0.2.1", "ann@a.test", "permerror", "lookups");
    let void = |n: usize| {
        let terms: Vec<String> = (0..n).map(|it| format!("a:gone{it}.test")).collect();
        format!("a.test TXT v=spf1 {} -all", terms.join(" "))
    };
    spf_case(&void(2), "192.0.2.1", "ann@a.test", "fail", "");
    spf_case(&void(3), "192.0.2.1", "ann@a.test", "permerror", "void");
    let crowd = |n: usize| {
        let hosts: Vec<String> =
            (0..n).map(|it| format!("a.test MX 10 m{it}.test\nm{it}.test A 198.51.100.{it}")).collect();
        format!("a.test TXT v=spf1 mx -all\n{}", hosts.join("\n"))
    };
    spf_case(&crowd(10), "198.51.100.9", "ann@a.test", "pass", "");
    spf_case(&crowd(11), "192.0.2.1", "ann@a.test", "permerror", "names");
}

#[test]
fn spf_senders_and_explanations() {
    let zone = "a.test TXT v=spf1 exists:%{l}.l.test -all exp=why.a.test\npostmaster.l.test A 127.0.0.2\n\
        why.a.test TXT %{i} is not one of %{d}'s, says %{r} at %{t}\nhelo.test TXT v=spf1 -all";
    spf_case(zone, "192.0.2.1", "@a.test", "pass", "");
    spf_case(zone, "192.0.2.1", "a.test", "pass", "");
    // The null sender: HELO speaks.
    spf_case(zone, "192.0.2.1", "", "fail", "");
    spf_case(zone, "192.0.2.1", "ann@localhost", "none", "");
    spf_case(zone, "192.0.2.1", &format!("ann@{}.test", "x".repeat(64)), "none", "");
    spf_case(zone, "192.0.2.1", "ANN@A.TEST.", "fail", "");
    let outcome = evaluate(&Zone::new(zone), "192.0.2.1", "ann@a.test", "helo.test");
    assert_eq!(outcome.explanation.as_deref(), Some("192.0.2.1 is not one of a.test's, says unknown at 0"));
    // The text names the host, its address does not.
    let zone = "a.test TXT v=spf1 -all exp=why.a.test\nwhy.a.test TXT not %{p}\n\
        1.2.0.192.in-addr.arpa PTR m.a.test\nm.a.test A 192.0.2.1";
    let outcome = evaluate(&Zone::new(zone), "192.0.2.1", "ann@a.test", "helo.test");
    assert_eq!(outcome.explanation.as_deref(), Some("not m.a.test"));
}

/// A subject with one key of ours and one server at an address.
fn subject() -> Subject {
    Subject {
        domain: "a.test".to_owned(),
        keys: vec![OwnKey { selector: "mailroom2026".to_owned(), record: format!("v=DKIM1; k=rsa; p={KEY}") }],
        selectors: Vec::new(),
        ways: vec![Way { server: "Relay".to_owned(), via: Via::Smtp("relay.test".to_owned()), signs: true }],
        reports_to: "dmarc".to_owned(),
    }
}

/// 1024 bits.
const KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

fn report(subject: &Subject, zone: &str) -> Report {
    let zone = Zone::new(zone);
    run(subject, |questions| questions.iter().map(|it| zone.answer(it)).collect())
}

const BASE: &str = "a.test MX 10 route1.mx.cloudflare.net\nrelay.test A 192.0.2.25\n";

/// Codes that have to be found beside, and those that may not.
fn finds(zone: &str, yes: &[&str], no: &[&str]) -> Report {
    let report = report(&subject(), &format!("{BASE}{zone}"));
    let codes: BTreeSet<&str> = report.findings.iter().map(|it| it.code.as_str()).collect();
    for code in yes {
        assert!(codes.contains(code), "{code} is missing\n{zone}\n{codes:?}");
    }
    for code in no {
        assert!(!codes.contains(code), "{code} is too much\n{zone}\n{codes:?}");
    }
    for lang in Lang::ALL {
        let words = words::Words::new(lang);
        for finding in &report.findings {
            assert!(words.has(&finding.code), "{lang:?} has no words for {}", finding.code);
            let view = words.finding(finding);
            assert!(!view.what.contains('{') && !view.why.contains('{'), "{view:?}");
        }
    }
    report
}

#[test]
fn a_good_domain_has_nothing_to_mend() {
    let key = format!("mailroom2026._domainkey.a.test TXT v=DKIM1; k=rsa; p={KEY}\n");
    let report = finds(
        &format!("{key}a.test TXT v=spf1 a:relay.test -all\n_dmarc.a.test TXT v=DMARC1; p=reject; rua=mailto:d@a.test"),
        &["mx_routing", "spf_good", "dkim_weak", "dmarc_good", "send_passes", "align_both", "bimi_missing"],
        &["dkim_good", "dmarc_missing", "align_none"],
    );
    assert_eq!(report.worst(), Severity::Warning, "only the short key: {:#?}", report.troubles());
    assert_eq!(report.spf_lookups, 1);
}

#[test]
fn each_fault_is_found_with_its_record() {
    let spf = |text: &str, yes: &str| finds(&format!("a.test TXT {text}"), &[yes], &["spf_good"]);
    finds("", &["spf_missing", "dkim_missing", "dmarc_missing", "send_fails", "align_none"], &["spf_good"]);
    spf("v=spf1;a:relay.test;-all", "spf_almost");
    spf("\"v=spf1 -all\"", "spf_almost");
    let merged = finds("a.test TXT v=spf1 mx ~all\na.test TXT v=spf1 ip4:192.0.2.1 -all", &["spf_several"], &[]);
    let merged = merged.findings.iter().find(|it| it.code == "spf_several").unwrap();
    assert_eq!(merged.records[0].value, "v=spf1 mx ip4:192.0.2.1 ~all");
    spf("v=spf1 ipv4:192.0.2.1 -all", "spf_syntax_mechanism");
    spf("v=spf1 include: -all", "spf_syntax_domain");
    spf("v=spf1 ip4:192.0.2.1/64 -all", "spf_syntax_cidr");
    spf("v=spf1 ip4:mail.test -all", "spf_syntax_ip");
    spf("v=spf1 a\u{a0}-all", "spf_syntax_characters");
    spf("v=spf1 redirect=a.test redirect=b.test", "spf_syntax_twice");
    spf("v=spf1 +all", "spf_open");
    spf("v=spf1 mx all", "spf_open");
    spf("v=spf1 a:relay.test", "spf_no_all");
    spf("v=spf1 a:relay.test ?all", "spf_neutral");
    spf("v=spf1 a:relay.test -all ip4:192.0.2.1", "spf_after_all");
    spf("v=spf1 ptr -all", "spf_ptr");
    spf("v=spf1 include:gone.test -all", "spf_include_nothing");
    spf("v=spf1 include:a.test -all", "spf_loop");
    spf("v=spf1 a:gone1.test a:gone2.test -all", "spf_void_some");
    spf("v=spf1 a:gone1.test a:gone2.test exists:gone3.test -all", "spf_void");
    finds("a.test TXT v=spf1 include:b.test -all\nb.test TXT v=spf1 +all", &["spf_open"], &["spf_good"]);
    finds("a.test TXT v=spf1 include:b.test -all\nb.test TXT v=spf1 x", &["spf_include_syntax"], &[]);
    let two = "b.test TXT v=spf1 -all\nb.test TXT v=spf1 -all";
    finds(&format!("a.test TXT v=spf1 include:b.test -all\n{two}"), &["spf_include_several"], &[]);
    // Nested: 1 + 1 + 10 a terms.
    let deep: Vec<String> = (0..9).map(|it| format!("a:h{it}.test")).collect();
    let hosts: Vec<String> = (0..9).map(|it| format!("h{it}.test A 198.51.100.{it}")).collect();
    let zone = format!(
        "a.test TXT v=spf1 include:b.test -all\nb.test TXT v=spf1 include:c.test -all\nc.test TXT v=spf1 {} -all\n{}",
        deep.join(" "),
        hosts.join("\n")
    );
    let report = finds(&zone, &["spf_lookups"], &["spf_good"]);
    assert_eq!(report.spf_lookups, 11);
    assert_eq!(report.spf_tree.iter().map(|it| (it.depth, it.lookups)).collect::<Vec<_>>(), [(0, 11), (1, 10), (2, 9)]);
    finds("a.test TXT v=spf1 redirect=b.test\nb.test TXT v=spf1 a:relay.test -all", &["spf_good", "send_passes"], &[]);

    let key = |value: &str, yes: &str| finds(&format!("mailroom2026._domainkey.a.test TXT {value}"), &[yes], &[]);
    key("v=DKIM1; p=", "dkim_revoked");
    key("v=DKIM1; p=AAAA", "dkim_damaged");
    key("hello", "dkim_no_key");
    key(&format!("v=DKIM1; t=y; p={KEY}"), "dkim_testing");
    key(&format!("v=DKIM1; t=y; t=s; p={KEY}"), "dkim_tags");
    key("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "dkim_different");
    finds("mailroom2026._domainkey.a.test CNAME k.test\nk.test TXT v=DKIM1; p=", &["dkim_revoked"], &[]);
    let own = format!("mailroom2026._domainkey.a.test TXT p={KEY}\n");
    finds(&format!("{own}{own}"), &["dkim_several"], &[]);
    finds("google._domainkey.a.test TXT v=DKIM1; p=", &["dkim_revoked"], &[]);
    // A wildcard is no key.
    finds("google._domainkey.a.test TXT v=spf1 -all", &[], &["dkim_no_key"]);

    let dmarc = |text: &str, yes: &str| finds(&format!("_dmarc.a.test TXT {text}"), &[yes], &["dmarc_missing"]);
    dmarc("v=DMARC1; p=none", "dmarc_none");
    dmarc("v=DMARC1; p=reject", "dmarc_no_reports");
    dmarc("v=DMARC1; p=reject; pct=20", "dmarc_percent");
    dmarc("v=DMARC1; p=reject; sp=none", "dmarc_subdomains");
    dmarc("v=DMARC1; p=rejekt", "dmarc_policy");
    dmarc("v=DMARC1; p=reject; p=none", "dmarc_tags");
    dmarc("v=DMARC1; p=reject; rua=d@a.test", "dmarc_odd");
    dmarc("v=DMARC1; p=reject; rua=mailto:a@collector.test", "dmarc_report_denied");
    let agreed = "a.test._report._dmarc.collector.test TXT v=DMARC1";
    let policy = "_dmarc.a.test TXT v=DMARC1; p=reject; rua=mailto:a@collector.test";
    finds(&format!("{policy}\n{agreed}"), &["dmarc_good"], &["dmarc_report_denied"]);
    finds("_dmarc.a.test TXT v=DMARC1; p=none\n_dmarc.a.test TXT v=DMARC1; p=none", &["dmarc_several"], &[]);
    finds("_dmarc.a.test FAIL", &["dns_failed"], &["dmarc_missing"]);
}

#[test]
fn receiving_is_told_apart() {
    let check = |zone: &str, yes: &str, severity: Severity| {
        let report = report(&Subject { domain: "a.test".to_owned(), ..Subject::default() }, zone);
        let found = report.findings.iter().find(|it| it.code == yes);
        assert_eq!(found.map(|it| it.severity), Some(severity), "{yes}\n{zone}\n{:#?}", report.findings);
    };
    check("", "domain_missing", Severity::Error);
    check("a.test TXT x", "mx_missing", Severity::Error);
    check("a.test MX 0 .", "mx_null", Severity::Error);
    check("a.test MX 0 .\na.test MX 5 m.test", "mx_null_beside", Severity::Error);
    check("a.test MX 5 m.test\nm.test A 192.0.2.1", "mx_elsewhere", Severity::Warning);
    check("a.test MX 5 m.test\na.test MX 9 route2.mx.cloudflare.net", "mx_mixed", Severity::Error);
    check("a.test MX 5 m.test", "mx_no_address", Severity::Error);
    check("a.test MX 5 192.0.2.1", "mx_address", Severity::Error);
    check("a.test MX 5 m.test\nm.test CNAME n.test\nn.test A 192.0.2.1", "mx_alias", Severity::Hint);
    check("a.test FAIL", "dns_failed", Severity::Warning);
    check("a.test TXT x", "dkim_none", Severity::Warning);
}

#[test]
fn alignment_of_what_we_send() {
    let check = |zone: &str, via: Via, signs: bool, domain: &str, yes: &[&str]| {
        let mut it = subject();
        domain.clone_into(&mut it.domain);
        it.ways = vec![Way { server: "S".to_owned(), via, signs }];
        let report = report(&it, &format!("{BASE}{zone}"));
        let codes: Vec<&str> =
            report.findings.iter().filter(|it| it.topic == Topic::Sending).map(|it| it.code.as_str()).collect();
        assert_eq!(codes, yes, "{zone}\n{:#?}", report.findings);
    };
    let relay = || Via::Smtp("relay.test".to_owned());
    let key = format!("\nmailroom2026._domainkey.a.test TXT v=DKIM1; p={KEY}");
    check("a.test TXT v=spf1 a:relay.test -all", relay(), false, "a.test", &["send_passes", "align_spf"]);
    check(&format!("a.test TXT v=spf1 -all{key}"), relay(), true, "a.test", &["send_fails", "align_dkim"]);
    // Signed with a key that is not published.
    check("a.test TXT v=spf1 -all", relay(), true, "a.test", &["send_fails", "align_none"]);
    // The bounce subdomain is another name: relaxed does, strict does not.
    let cloudflare = "cf-bounce.a.test TXT v=spf1 include:_spf.mx.cloudflare.net ~all\n\
        _spf.mx.cloudflare.net TXT v=spf1 ip4:104.30.0.0/20 ~all\n";
    check(cloudflare, Via::Cloudflare, false, "a.test", &["send_cloudflare", "align_spf"]);
    let strict = format!("{cloudflare}_dmarc.a.test TXT v=DMARC1; p=none; aspf=s");
    check(&strict, Via::Cloudflare, false, "a.test", &["send_cloudflare", "align_none"]);
    let signed = format!("{cloudflare}cf-bounce._domainkey.a.test TXT v=DKIM1; p={KEY}");
    check(&signed, Via::Cloudflare, false, "a.test", &["send_cloudflare", "align_both"]);
    check("", Via::Cloudflare, false, "a.test", &["send_cloudflare_missing", "align_none"]);
    let gmail = || Via::Smtp("smtp.gmail.com".to_owned());
    check("a.test TXT v=spf1 mx ~all", gmail(), false, "a.test", &["send_include_missing", "align_none"]);
    let google = "a.test TXT v=spf1 include:_spf.google.com ~all\n_spf.google.com TXT v=spf1 ip4:192.0.2.0/24 ~all";
    check(google, gmail(), false, "a.test", &["send_include", "align_spf"]);
    check("", Via::Smtp("127.0.0.1".to_owned()), false, "a.test", &[]);
    check("", Via::Smtp("gone.test".to_owned()), false, "a.test", &["send_no_address", "align_none"]);
}

#[test]
fn questions_are_bounded_and_silence_is_told() {
    let mut n = 0;
    let report = run(&subject(), |questions| {
        n += questions.len();
        questions.iter().map(|_| Answer::failed("timeout")).collect()
    });
    assert!(n <= MAX_QUESTIONS);
    assert!(report.is_partial());
    // Nobody answers at all.
    assert!(run(&subject(), |_| Vec::new()).is_partial());
    // A record that names a hundred others.
    let terms: Vec<String> = (0..100).map(|it| format!("include:i{it}.test")).collect();
    let mut zone = format!("a.test TXT v=spf1 {} -all", terms.join(" "));
    for it in 0..100 {
        let line = format!("\ni{it}.test TXT v=spf1 a:h{it}.test mx:h{it}.test -all");
        zone.push_str(&line);
    }
    assert!(report_codes(&zone).contains("spf_lookups"));
}

fn report_codes(zone: &str) -> BTreeSet<String> {
    report(&subject(), zone).findings.into_iter().map(|it| it.code).collect()
}

#[test]
fn languages_have_the_same_words() {
    let keys: Vec<_> = Lang::ALL.into_iter().map(|it| words::Words::new(it).keys()).collect();
    assert!(keys[0].len() > 150 && keys[0] == keys[1], "{:?}", keys[0].symmetric_difference(&keys[1]));
}
