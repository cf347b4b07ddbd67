//! What a receiving host writes at the top of a mail, so that the Worker sees mail as Email Routing would deliver it.

use crate::report::{Head, address_of, domain_of, is_named, now, unique, value};
use crate::smtp::Envelope;

/// How the mail is said to have authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    None,
    /// No Authentication-Results at all, which Email Routing is known to do at times.
    Absent,
}

/// The mail with Received and Authentication-Results of `host` on top.
///
/// The verdict is `X-Test-Auth: pass|fail|none|absent` of the mail (it is taken out), else `fail` for senders under a domain
/// that begins with `unauth.`, else `pass` for names nobody can own (RFC 2606 and the like), else `none`.
/// `X-Test-Received: <date>` stands for the time it came (taken out too): the demo's mails of last week.
/// Earlier results that claim to be from `host` are forged and dropped (RFC 8601 section 5).
pub(super) fn as_received(host: &str, envelope: &Envelope, to: &str, raw: &[u8]) -> Vec<u8> {
    let head = Head::of(raw);
    let header_from = head.get("From").map(|it| domain_of(address_of(&it)).to_ascii_lowercase()).unwrap_or_default();
    let domain = if header_from.is_empty() { domain_of(&envelope.from).to_ascii_lowercase() } else { header_from };
    let verdict = head.get("X-Test-Auth").map_or_else(|| by_domain(&domain), |it| by_name(&it));

    let protocol = if envelope.tls { "ESMTPS" } else { "ESMTP" };
    let mut mail = format!(
        "Received: from {helo} ({peer})\r\n\tby {host} with {protocol} id {id}\r\n\tfor <{to}>; {date}\r\n",
        helo = if envelope.helo.is_empty() { "unknown" } else { &envelope.helo },
        peer = envelope.peer,
        id = unique(),
        date = head.get("X-Test-Received").unwrap_or_else(now),
    )
    .into_bytes();
    if let Some(results) = results(host, verdict, &domain, envelope) {
        mail.extend_from_slice(results.as_bytes());
    }
    for field in head.fields() {
        let forged = is_named(field, "Authentication-Results") && value(field).starts_with(host);
        if !forged && !is_named(field, "X-Test-Auth") && !is_named(field, "X-Test-Received") {
            mail.extend_from_slice(field);
        }
    }
    mail.extend_from_slice(head.blank_line());
    mail.extend_from_slice(head.body());
    mail
}

fn by_name(name: &str) -> Verdict {
    match name.trim().to_ascii_lowercase().as_str() {
        "fail" => Verdict::Fail,
        "none" => Verdict::None,
        "absent" => Verdict::Absent,
        _ => Verdict::Pass,
    }
}

fn by_domain(domain: &str) -> Verdict {
    const RESERVED: [&str; 7] =
        ["test", "example", "invalid", "localhost", "example.com", "example.net", "example.org"];
    if domain.starts_with("unauth.") {
        return Verdict::Fail;
    }
    let reserved = RESERVED.iter().any(|it| domain == *it || domain.ends_with(&format!(".{it}")));
    if reserved { Verdict::Pass } else { Verdict::None }
}

fn results(host: &str, verdict: Verdict, domain: &str, envelope: &Envelope) -> Option<String> {
    let word = match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::None => "none",
        Verdict::Absent => return None,
    };
    let dkim = if verdict == Verdict::None {
        "dkim=none".to_owned()
    } else {
        let mark: String = unique().chars().rev().take(8).collect();
        format!("dkim={word} header.d={domain} header.s=front header.b={mark}")
    };
    let mail_from =
        if envelope.from.is_empty() { format!("postmaster@{}", envelope.helo) } else { envelope.from.clone() };
    Some(format!(
        "Authentication-Results: {host};\r\n\t{dkim};\r\n\tdmarc={word} header.from={domain} policy.dmarc=none;\r\n\
         \tspf={word} smtp.helo={helo} smtp.mailfrom={mail_from};\r\n\tarc=none smtp.remote-ip={peer}\r\n",
        helo = envelope.helo,
        peer = envelope.peer,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, mail: &str, expect_in: &[&str], expect_out: &[&str]) {
        let envelope =
            Envelope { helo: "h.test".into(), peer: "127.0.0.1".into(), from: from.into(), ..Envelope::default() };
        let mail = as_received("mx.cloudflare.net", &envelope, "a@b.test", mail.as_bytes());
        let mail = String::from_utf8(mail).unwrap();
        assert!(mail.starts_with("Received: from h.test (127.0.0.1)\r\n"), "{mail}");
        for it in expect_in {
            assert!(mail.contains(it), "{it} is not in\n{mail}");
        }
        for it in expect_out {
            assert!(!mail.contains(it), "{it} is in\n{mail}");
        }
    }

    #[test]
    fn reserved_domains_pass_and_the_body_is_untouched() {
        let mail = "From: A <a@shop.example>\r\n\r\nhi\r\n";
        check("x@y.test", mail, &["dmarc=pass header.from=shop.example", "\r\n\r\nhi\r\n"], &[]);
    }

    #[test]
    fn others_have_no_proof() {
        check("x@real.org", "From: a@real.org\r\n\r\nhi", &["dkim=none", "dmarc=none"], &["pass"]);
        check("x@unauth.shop.test", "From: a@unauth.shop.test\r\n\r\nhi", &["dmarc=fail", "spf=fail"], &["pass"]);
    }

    #[test]
    fn the_test_header_decides_and_goes() {
        let mail = "X-Test-Auth: fail\r\nFrom: a@y.test\r\n\r\nhi";
        check("x@y.test", mail, &["dmarc=fail", "From: a@y.test\r\n\r\nhi"], &["X-Test-Auth"]);
        let mail = "From: a@y.test\r\nX-Test-Auth: absent\r\n\r\nhi";
        check("x@y.test", mail, &["From: a@y.test\r\n\r\nhi"], &["Authentication-Results", "X-Test"]);
    }

    #[test]
    fn forged_results_are_dropped_and_foreign_ones_kept() {
        let mail = "Authentication-Results: mx.cloudflare.net; dmarc=pass header.from=bank.com\r\n\
                    Authentication-Results: other.test; spf=pass\r\nFrom: a@real.org\r\n\r\nhi";
        check("x@real.org", mail, &["other.test; spf=pass"], &["bank.com"]);
    }

    #[test]
    fn mail_without_a_body_or_a_header_stays_whole() {
        check("", "From: a@y.test\r\n", &["From: a@y.test\r\n"], &[]);
        check("", "\r\njust text", &["\r\n\r\njust text"], &[]);
    }
}
