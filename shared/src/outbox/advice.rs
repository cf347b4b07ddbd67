//! What the delivery dialog tells about a failure: what happened, whose move it is, what Mailroom does by itself, what a person
//! can do, and what each code means, so that nobody needs a search engine. Texts of its own (`locales/advice.*.json`) and the
//! tables stay on the server: the page gets the words, in its reader's language.

use crate::api::messages::AdviceView;
use crate::api::messages::CodeView;
use crate::i18n::Catalogue;
use crate::i18n::Lang;
use crate::outbox::failure;
use crate::outbox::failure::Fault;
use crate::outbox::failure::Reason;
use crate::outbox::state::DeliveryState;

/// What is known about a delivery that did not go well.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub state: DeliveryState,
    /// Read from the text when nobody has yet.
    pub reason: Option<Reason>,
    pub permanent: bool,
    /// There is a next try.
    pub tries_again: bool,
    /// SMTP reply code.
    pub code: Option<u16>,
    /// Enhanced status code (RFC 3463).
    pub status: Option<&'a str>,
    /// The server's own words.
    pub text: &'a str,
}

/// A provider's answer with advice of its own.
struct Hint {
    /// Of `provider.<key>.title` and `.you`.
    key: &'static str,
    /// Subject and detail of statuses, parted by blanks; empty for any.
    statuses: &'static str,
    /// One of these words, lower case, parted by `|`; empty for any.
    words: &'static str,
}

const fn hint(key: &'static str, statuses: &'static str, words: &'static str) -> Hint {
    Hint { key, statuses, words }
}

/// The first that fits counts. Sources: the providers' postmaster pages (see `failure::providers`) and RFC 7372, RFC 7505.
static HINTS: &[Hint] = &[
    hint("gmail_auth", "7.26 7.27 7.30 7.32", "gsmtp|google"),
    hint("gmail_auth", "", "unauthenticated email from|p=unauthenticated|this mail is unauthenticated"),
    hint("gmail_rate", "7.28", "gsmtp|google|unsolicited"),
    hint("gmail_rate", "", "unusual rate of unsolicited|unusual amount of unsolicited"),
    hint("gmail_ptr", "7.25", "gsmtp|google|ptr"),
    hint("gmail_reputation", "", "very low reputation"),
    hint("gmail_full", "", "p=overquota|inbox is out of storage space"),
    hint("gmail_content", "7.0", "potential security issue|illegal attachment|p=blockedmessage"),
    hint("ms_blocked", "7.606 7.607 7.608 7.609 7.610 7.614 7.649 7.511 7.513", ""),
    hint("ms_junk", "", "oc004|(snt004|sc-001|sc-002|sc-004"),
    hint("ms_blocked", "", "(s3140)|(s3150)|(s2017|(s844)|sc-003|dy-001|dy-002|banned sending ip|sender.office.com"),
    hint("ms_newip", "7.708", ""),
    hint("ms_quota", "7.705 7.703 7.501 7.502 7.503 1.90 7.232 7.233 7.236", ""),
    hint("ms_auth", "7.515 7.509", ""),
    hint("ms_rate", "7.650 7.651 7.500 2.121 2.122", ""),
    hint("ms_group", "7.124 7.129 7.133 7.134 7.135 7.136", ""),
    hint("ms_unknown", "1.10", "resolver|recipient not found|outlook"),
    hint("ms_unknown", "", "resolver.adr.recip|resolver.adr.exrecip"),
    hint("ms_denied", "4.1", "access denied"),
    hint("ms_loop", "4.14 4.6", "hop count|outlook|loop"),
    hint(
        "sending_service",
        "",
        "not delivering to previously bounced|not delivering to unsubscribed|suppressed sending to this address|\
         suppression list|recipient is suppressed",
    ),
    hint("yahoo_rate", "", "[tss|[ts0|[ipts|unexpected volume or user complaints"),
    hint("yahoo_policy", "7.9", "policy reasons|yahoo"),
    hint("yahoo_policy", "", "[ph01]|not accepted for policy reasons"),
    hint("apple_policy", "", "[cs01]|[hm0|[hm1|support.apple.com"),
    hint("spamhaus", "", "spamhaus"),
    hint("proofpoint", "", "proofpoint"),
    hint("barracuda", "", "barracudacentral|barracuda"),
    hint("cloudmark", "", "cloudmark"),
    hint("mimecast", "", "mimecast"),
    hint("orange", "", "ofr_|ofr0|lpn0|lpn1"),
    hint("gmx", "", "postmaster.gmx|postmaster.web.de|kundenserver|reject due to policy restrictions"),
    hint("tencent", "", "service.mail.qq.com|exmail.qq.com|frequency limited"),
    hint("netease", "", "dt:spm|mi:spf|mi:dma|rp:cel|hl:ip|163 smtp|126 smtp"),
    hint("mailru", "", "mail.ru"),
    hint("yandex", "", "yandex"),
    hint("cable", "", "comcast|charter.net|spectrum|cox.net|cox too many|att.net|aup#|rly:b|bl0000|cxmxrt|xfinity"),
    hint("tonline", "", "t-online|tosa@rx"),
    hint("free", "", "postmaster.free.fr|free.fr"),
    hint("naver", "", "naver|kisarbl"),
    hint("symantec", "", "symantec|messagelabs|sms.symantec"),
    hint("cisco", "", "senderbase|talosintelligence|ironport"),
    hint("trend", "", "trendmicro|ers-qil|mail-abuse.com"),
    hint("uceprotect", "", "uceprotect"),
    hint("spamcop", "", "spamcop"),
    hint("greylist", "", "greylist|graylist|grey list"),
    hint("nullmx", "1.10", ""),
    hint("nullmx", "", "null mx|nullmx"),
];

/// Those that are about the address.
const OF_RECIPIENT: [&str; 7] =
    ["gmail_full", "ms_unknown", "ms_denied", "ms_group", "nullmx", "sending_service", "greylist"];

impl Hint {
    fn fits(&self, details: &str, text: &str) -> bool {
        let has_status = self.statuses.is_empty() || self.statuses.split(' ').any(|it| it == details);
        has_status && (self.words.is_empty() || self.words.split('|').any(|it| text.contains(it)))
    }
}

/// The texts of one language, read once for many deliveries.
pub struct Advisor {
    /// Titles of reasons, which the page has too.
    common: Catalogue,
    texts: Catalogue,
}

const fn source(lang: Lang) -> &'static str {
    match lang {
        Lang::En => include_str!("../../locales/advice.en.json"),
        Lang::Vi => include_str!("../../locales/advice.vi.json"),
    }
}

impl Advisor {
    pub fn new(lang: Lang) -> Self {
        Self { common: Catalogue::load(lang), texts: Catalogue::read(lang, source(lang)) }
    }

    /// Everything the dialog tells about one delivery.
    pub fn explain(&self, case: &Case<'_>) -> AdviceView {
        let read = || failure::classify(case.code, case.status, case.text).reason;
        let reason = case.reason.unwrap_or_else(read);
        let details = case.status.and_then(|it| it.split_once('.')).map_or("", |(_, it)| it);
        let lower = case.text.to_lowercase();
        let is_unknown = case.state == DeliveryState::Unknown;
        let fault = reason.fault();
        // A filter's name beside `user unknown` says whose machine it was, not that the filter is to blame.
        let may = |it: &&Hint| fault != Fault::Recipient || OF_RECIPIENT.contains(&it.key);
        let provider = HINTS.iter().filter(may).find(|it| it.fits(details, &lower)).map(|it| it.key);
        let (headline, you_can) = match provider {
            _ if is_unknown => (
                self.common.text("delivery.why.unknown.title", &[]),
                self.common.text("delivery.why.unknown.advice", &[]),
            ),
            Some(key) => (self.say(&format!("provider.{key}.title")), self.say(&format!("provider.{key}.you"))),
            None => (self.common.text(reason.title_key(), &[]), self.say(&format!("you.{}", reason.as_str()))),
        };
        AdviceView {
            headline,
            fault,
            whose_move: match reason {
                Reason::Feedback => self.say("whose.feedback"),
                _ => self.say(&format!("whose.{}", fault.as_str())),
            },
            we_do: self.say(we_do(case)),
            you_can,
            codes: self.codes(case),
            causes: self.causes(case, reason),
        }
    }

    fn say(&self, key: &str) -> String {
        self.texts.text(key, &[])
    }

    /// Each code in words: the known detail, else its group.
    fn codes(&self, case: &Case<'_>) -> Vec<CodeView> {
        let mut res = Vec::new();
        if let Some(code) = case.code {
            let code = code.to_string();
            let exact = format!("smtp.{code}");
            let class = format!("smtp.{}", code.get(..1).unwrap_or_default());
            if let Some(key) = [exact, class].into_iter().find(|it| self.texts.has(it)) {
                let text = self.texts.text("code.smtp", &[("code", &code), ("text", &self.say(&key))]);
                res.push(CodeView { code, text });
            }
        }
        if let Some(status) = case.status.filter(|it| super::reply::is_status(it)) {
            let (class, details) = status.split_once('.').unwrap_or_default();
            let subject = details.split('.').next().unwrap_or_default();
            let keys = [format!("detail.{details}"), format!("detail.{subject}")];
            if let Some(key) = keys.into_iter().find(|it| self.texts.has(it)) {
                let class = self.say(&format!("class.{class}"));
                let args = [("code", status), ("class", class.as_str()), ("text", &self.say(&key))];
                res.push(CodeView { code: status.to_owned(), text: self.texts.text("code.status", &args) });
            }
        }
        res
    }

    /// Where the other side says nothing that helps, what it usually is.
    fn causes(&self, case: &Case<'_>, reason: Reason) -> Vec<String> {
        if !matches!(reason, Reason::Undefined | Reason::OnHold) || case.state.is_done() {
            return Vec::new();
        }
        let is_silent = case.text.trim().is_empty() && case.code.is_none();
        let keys = [("cause.connection", is_silent), ("cause.auth", true), ("cause.notifications", true)];
        keys.into_iter().filter(|(_, is_likely)| *is_likely).map(|(key, _)| self.say(key)).collect()
    }
}

const fn we_do(case: &Case<'_>) -> &'static str {
    match case.state {
        DeliveryState::Unknown => "we.unsure",
        DeliveryState::Delivered => "we.nothing",
        DeliveryState::Deferred if case.tries_again => "we.retries",
        DeliveryState::Deferred | DeliveryState::Sent => "we.waits",
        DeliveryState::Complained => "we.suppressed",
        _ if case.permanent => "we.suppressed",
        _ => "we.stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn case<'a>(code: u16, status: &'a str, text: &'a str) -> Case<'a> {
        Case {
            state: DeliveryState::Failed,
            reason: None,
            permanent: false,
            tries_again: false,
            code: (code > 0).then_some(code),
            status: Some(status).filter(|it| !it.is_empty()),
            text,
        }
    }

    #[test]
    fn common_answers_are_explained() {
        let advisor = Advisor::new(Lang::En);
        let check = |code, status, text: &str, headline: &str, whose: &str| {
            let got = advisor.explain(&case(code, status, text));
            assert!(got.headline.contains(headline), "{text}: {got:#?}");
            assert_eq!(got.fault.as_str(), whose, "{text}: {got:#?}");
            assert!(!got.you_can.is_empty() && !got.we_do.is_empty() && !got.whose_move.is_empty());
        };
        check(550, "5.7.26", "This mail is unauthenticated. gsmtp", "Gmail takes no mail", "us");
        check(421, "4.7.28", "an unusual rate of unsolicited mail - gsmtp", "slow down", "us");
        check(550, "5.7.606", "Access denied, banned sending IP [192.0.2.1]", "Microsoft blocks", "us");
        check(550, "5.4.1", "Recipient address rejected: Access denied", "Microsoft 365 refuses", "recipient");
        check(550, "5.1.10", "RESOLVER.ADR.RecipientNotFound", "knows no such recipient", "recipient");
        check(421, "4.7.0", "[TSS04] Messages from 192.0.2.1 temporarily deferred", "Yahoo or AOL", "us");
        check(554, "5.7.1", "[CS01] Message rejected due to local policy", "iCloud", "policy");
        check(554, "5.7.1", "blocked using zen.spamhaus.org", "Spamhaus", "us");
        check(556, "5.1.10", "Recipient address has a null MX", "takes no mail", "recipient");
        check(550, "5.1.1", "no such user", "This address does not exist", "recipient");
        check(550, "5.1.1", "User unknown, see proofpoint.com", "This address does not exist", "recipient");
        check(452, "4.2.2", "mailbox full", "mailbox is full", "recipient");
    }

    /// Answers that senders meet every week, and the advice each gets.
    #[test]
    fn common_provider_codes_have_advice_of_their_own() {
        let check = |code, status: &str, text: &str, key: &str| {
            for lang in Lang::ALL {
                let advisor = Advisor::new(lang);
                let got = advisor.explain(&case(code, status, text));
                assert_eq!(got.headline, advisor.say(&format!("provider.{key}.title")), "{text}");
                assert_eq!(got.you_can, advisor.say(&format!("provider.{key}.you")), "{text}");
                assert!(!got.whose_move.is_empty() && !got.we_do.is_empty(), "{text}");
                assert!(got.codes.len() == usize::from(code > 0) + usize::from(!status.is_empty()), "{text}: {got:?}");
            }
        };
        check(
            550,
            "5.7.26",
            "Your email has been blocked because the sender is unauthenticated. - gsmtp",
            "gmail_auth",
        );
        check(421, "4.7.28", "Our system has detected an unusual rate of unsolicited mail - gsmtp", "gmail_rate");
        check(550, "5.7.25", "The IP address sending this message does not have a PTR record - gsmtp", "gmail_ptr");
        check(
            550,
            "5.7.1",
            "likely suspicious due to the very low reputation of the sending domain",
            "gmail_reputation",
        );
        check(452, "4.2.2", "The recipient's inbox is out of storage space. p=OverQuotaTemp - gsmtp", "gmail_full");
        check(
            552,
            "5.7.0",
            "This message was blocked because its content presents a potential security issue",
            "gmail_content",
        );
        check(550, "5.7.1", "messages from [192.0.2.1] weren't sent. block list (S3140).", "ms_blocked");
        check(550, "5.7.1", "Part of their network is on our block list (S3150).", "ms_blocked");
        check(550, "5.7.708", "Service unavailable. Access denied, traffic not accepted from this IP", "ms_newip");
        check(550, "5.7.705", "Access denied, tenant has exceeded threshold", "ms_quota");
        check(
            550,
            "5.7.515",
            "Access denied, sending domain does not meet the required authentication level",
            "ms_auth",
        );
        check(550, "5.7.509", "Access denied, sending domain does not pass DMARC verification", "ms_auth");
        check(451, "4.7.650", "The mail server has been temporarily rate limited due to IP reputation", "ms_rate");
        check(550, "5.7.133", "RESOLVER.RST.SenderNotAuthenticatedForGroup", "ms_group");
        check(
            550,
            "5.1.10",
            "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            "ms_unknown",
        );
        check(550, "5.4.1", "Recipient address rejected: Access denied. AS(201806281)", "ms_denied");
        check(554, "5.4.14", "Hop count exceeded - possible mail loop", "ms_loop");
        check(421, "4.7.0", "[TSS04] Messages from 192.0.2.1 temporarily deferred", "yahoo_rate");
        check(421, "4.7.1", "[TS03] All messages from 192.0.2.1 will be permanently deferred", "yahoo_rate");
        check(554, "5.7.9", "Message not accepted for policy reasons. See senders.yahooinc.com", "yahoo_policy");
        check(550, "5.7.1", "[CS01] Message rejected due to local policy", "apple_policy");
        check(554, "5.7.1", "blocked using zen.spamhaus.org", "spamhaus");
        check(554, "5.7.0", "Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1", "proofpoint");
        check(554, "", "Service unavailable; blocked using b.barracudacentral.org", "barracuda");
        check(550, "", "blocked by Cloudmark Sender Intelligence, csi.cloudmark.com", "cloudmark");
        check(550, "", "Rejected by header based manually blocked senders: mimecast.com", "mimecast");
        check(421, "", "Service refused, please try later. OFR_999 [999]", "orange");
        check(554, "", "Reject due to policy restrictions. https://postmaster.gmx.net/en/error-messages", "gmx");
        check(550, "", "Mail content denied. http://service.mail.qq.com/cgi-bin/help?id=20022", "tencent");
        check(554, "", "DT:SPM 163 smtp10,c123", "netease");
        check(550, "", "spam message rejected. Please visit http://help.mail.ru/notspam-support", "mailru");
        check(554, "5.7.1", "Message rejected under suspicion of SPAM; https://ya.cc/ yandex.ru", "yandex");
        check(554, "", "resimta-po-01 comcast 192.0.2.1 Comcast block for spam.", "cable");
        check(554, "", "IP=192.0.2.1 - Ask your postmaster for help: tosa@rx.t-online.de", "tonline");
        check(0, "5.0.0", "Not delivering to previously bounced address", "sending_service");
        check(451, "4.7.1", "Greylisting in action, please come back later", "greylist");
        check(556, "5.1.10", "Recipient address has a null MX", "nullmx");
    }

    #[test]
    fn codes_are_put_into_words() {
        let codes = |code, status| {
            let got = Advisor::new(Lang::En).explain(&case(code, status, "x"));
            got.codes.into_iter().map(|it| it.text).collect::<Vec<_>>()
        };
        let texts = codes(550, "5.1.1");
        assert_eq!(texts[0], "Reply code 550: Refused: the mailbox does not exist, or a rule forbids it.");
        assert_eq!(texts[1], "Status 5.1.1: no, the same mail will not be taken; no such mailbox.");
        // An unknown one by its class and subject.
        assert_eq!(codes(499, "4.7.999").len(), 2);
        assert!(codes(499, "4.7.999")[1].contains("security or policy"));
        assert!(codes(0, "").is_empty());
    }

    #[test]
    fn silence_has_likely_causes_and_states_say_what_happens() {
        let advisor = Advisor::new(Lang::En);
        let silent = advisor.explain(&Case { reason: Some(Reason::Undefined), ..case(0, "", "") });
        assert_eq!(silent.causes.len(), 3);
        assert_eq!(advisor.explain(&case(550, "5.0.0", "Sorry")).causes.len(), 2);
        assert!(advisor.explain(&case(550, "5.1.1", "no such user")).causes.is_empty());
        let we = |state, permanent, tries_again| {
            advisor.explain(&Case { state, permanent, tries_again, ..case(450, "", "x") }).we_do
        };
        assert!(we(DeliveryState::Deferred, false, true).contains("tries again by itself"));
        assert!(we(DeliveryState::Deferred, false, false).contains("waits for its report"));
        assert!(we(DeliveryState::Failed, true, false).contains("holds further mail back"));
        assert!(we(DeliveryState::Unknown, false, false).contains("may have arrived"));
    }

    #[test]
    fn every_language_says_everything() {
        let keys = |lang| Catalogue::read(lang, source(lang)).keys().map(str::to_owned).collect::<BTreeSet<_>>();
        let needed = Reason::ALL.iter().map(|it| format!("you.{}", it.as_str()));
        let needed = needed
            .chain(HINTS.iter().flat_map(|it| ["title", "you"].map(|part| format!("provider.{}.{part}", it.key))));
        let needed: BTreeSet<_> =
            needed.chain(Reason::ALL.iter().map(|it| format!("whose.{}", it.fault().as_str()))).collect();
        for lang in Lang::ALL {
            assert_eq!(keys(lang), keys(Lang::En));
            assert!(needed.is_subset(&keys(lang)), "{:?}", needed.difference(&keys(lang)).collect::<Vec<_>>());
            let texts = Catalogue::read(lang, source(lang));
            assert!(keys(lang).iter().all(|it| !texts.text(it, &[]).trim().is_empty()));
            // RFC 5248's registry up to RFC 8689, and every code that the tables know.
            let registry = [(1, 10), (2, 4), (3, 6), (4, 7), (5, 6), (6, 10), (7, 30)];
            let registry =
                registry.into_iter().flat_map(|(subject, most)| (0..=most).map(move |it| format!("{subject}.{it}")));
            for details in registry.chain(failure::known_details().map(str::to_owned)) {
                assert!(texts.has(&format!("detail.{details}")), "{lang:?}: {details}");
            }
            // RFC 5321 section 4.2.3, RFC 4954, RFC 7504.
            for code in [
                "421", "450", "451", "452", "454", "455", "500", "501", "502", "503", "504", "521", "530", "535",
                "550", "551", "552", "553", "554", "555", "556",
            ] {
                assert!(texts.has(&format!("smtp.{code}")), "{code}");
            }
        }
    }
}
