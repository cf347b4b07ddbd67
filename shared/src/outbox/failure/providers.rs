//! Replies of named providers and servers, as data: a table per source, a row per reason, patterns parted by `|` with the
//! notation of [`super::rules`]. They are looked at before the general words, and what they say is certain. Sources are the
//! providers' public postmaster pages and their servers' replies.

use super::Reason;
use super::Reason::{
    AuthFailure, BadReputation, Blocked, ContentError, Filtered, HostUnknown, MailboxFull, MesgTooBig, NetworkError,
    NoRelaying, NotCompliantRfc, OnHold, PolicyViolation, Rejected, RequirePtr, SecurityError, SpamDetected, Speeding,
    Suppressed, Suspend, SystemError, TooManyConn, UserUnknown, VirusDetected,
};
use super::Stage;
use super::rules::Row;

/// Every table with the name of its source.
#[rustfmt::skip]
pub(super) static TABLES: &[(&str, &[Row])] = &[
    ("Google: support.google.com/a/answer/3726730", GOOGLE),
    ("Microsoft: Exchange Online and Outlook.com non-delivery reports", MICROSOFT),
    ("Yahoo, AOL: senders.yahooinc.com/smtp-error-codes", YAHOO),
    ("Orange, Wanadoo, La Poste: postmaster.orange.fr", ORANGE),
    ("GMX, WEB.DE, mail.com, 1&1, T-Online: postmaster.gmx.net, postmaster.t-online.de", GMX),
    ("Tencent QQ, NetEase 163: help pages for sending", CHINA),
    ("Mail.ru, Yandex, Rambler, i.ua: postmaster pages", EAST),
    ("Zoho Mail", ZOHO),
    ("Comcast, Cox, Charter, AT&T: postmaster pages", CABLE),
    ("Meta: postmaster.facebook.com/response_codes", META),
    ("Sendmail, DragonFly Mail Agent", SENDMAIL),
    ("HCL Domino, Novell GroupWise, Exchange 5.5: their own directories", DIRECTORIES),
    ("Mailgun, SendGrid, Amazon SES, Postmark: what they hold back themselves", SENDING),
    ("KDDI, au, NTT DOCOMO, SoftBank", JAPAN),
    ("Mimecast, Proofpoint, Barracuda, Cisco: filters before a mailbox", FILTERS),
];

#[rustfmt::skip]
static GOOGLE: &[Row] = &[
    (UserUnknown, "p=nosuchuser|** address not found **"),
    (Suspend, "p=disableduser|p=inactiveuser|that you tried to reach is disabled|that you tried to reach is inactive"),
    (MailboxFull, "p=overquota|inbox is out of storage space|that you tried to reach is over quota"),
    (Speeding,
        "p=receivingrate|at a rate that prevents additional|unusual rate of unsolicited|\
         unusual amount of unsolicited|p=unsolicitedratelimit|daily user sending limit exceeded|p=mailsent"),
    (AuthFailure, "p=unauthenticated|p=senderauth|p=dmarcrejection|rate limited because there is no dmarc"),
    (RequirePtr, "p=ipv6autherror|ipv6 sending guidelines|p=ptrrecord"),
    (BadReputation, "very low reputation"),
    (SpamDetected, "likely unsolicited mail|suspicious due to the nature of the content"),
    (PolicyViolation, "illegal attachment|p=blockedmessage|potential security issue"),
    (MesgTooBig, "exceeded google's message size limit|p=maxsizeerror"),
    (NotCompliantRfc, "p=rfcmessagenoncompliant|p=nonrfc"),
];

#[rustfmt::skip]
static MICROSOFT: &[Row] = &[
    (UserUnknown,
        "resolver.adr.recip|resolver.adr.exrecipnotfound|resolver.adr.invalid|resolver.adr.ambiguous|\
         recipient not found by smtp address lookup|remote server returned unknown recipient"),
    (TooManyConn, "resolver.adr.reciplimit|concurrent connections per resource forest|concurrent connections has exceeded"),
    (SystemError, "resolver.adr.badprimary|temporary server error|failed to be replicated|storedrv.deliver.exception:storagetransient"),
    (MailboxFull,
        "storedrv.deliver; mailbox full|shutoffquotaexceeded|quotaexceededexception|organization queue quota|\
         mapiexceptionshutoffquota|mailboxquotaexceeded"),
    (SecurityError, "resolver.rst.authrequired|resolver.rst.notauthorized|resolver.rst.sendernotauthenticated|client was not authenticated"),
    (Rejected, "all recipient addresses rejected|not have permissions to send as this sender|client blocked from sending from unregistered|banned sender"),
    (Speeding,
        "exceeded the limit for the number of messages|exceeded their limit for the number of messages|\
         tenant has exceeded threshold|resolver.rst.sendlimit|server busy"),
    (NetworkError, "hop count exceeded|smtpsend.dns.mxloopback|dns query failed|connection refused by * outlook"),
    (HostUnknown, "smtpsend.dns.nonexistentdomain|dns domain * does not exist"),
    (BadReputation, "rate limited due to ip reputation"),
    (Blocked,
        "banned sending ip|listed in spamhaus|weren't sent. please contact your internet service|\
         traffic not accepted from this ip|using customer block list|is on our block list (s3"),
    (SpamDetected, "spam abuse detected|message was identified as spam|transport.rules.rejectmessage; spam"),
    (AuthFailure, "does not pass dmarc verification|does not meet the required authentication level"),
    (PolicyViolation, "transport.rules.rejectmessage|rejected by an organization policy"),
];

#[rustfmt::skip]
static YAHOO: &[Row] = &[
    (BadReputation, "[tss|[ts0|[ipts|unexpected volume or user complaints|temporarily deferred - 4.16|will be permanently deferred"),
    (Speeding, "message temporarily deferred - [|max message per connection"),
    (Blocked, "[bl20]|[bl21]|[bl22]|[bl23]|[bl24]"),
    (PolicyViolation, "not accepted for policy reasons|message not allowed - [299|message not allowed - [ph"),
    (NotCompliantRfc, "headers are not rfc compliant"),
    (Suspend, "(554.30)|this mailbox is disabled"),
    (UserUnknown, "delivery error: dd * user doesn't have a|delivery error: dd * is no longer valid|aborted, mailbox not found"),
    // Without a reply code: another system repeats it.
    (Filtered, "account @ [-9]"),
    (OnHold, "delivery error: dd requested mail action aborted"),
    (SystemError, "resources temporarily unavailable"),
];

#[rustfmt::skip]
static ORANGE: &[Row] = &[
    (Rejected, "ofr004_405|ofr_405|emetteur invalide|ofr004_403"),
    (UserUnknown, "ofr_416|ofr004_416|destinataire invalide|destinataire inconnu|utilisateur inconnu"),
    (MailboxFull, "ofr_417|ofr004_417|boite du destinataire pleine|recipient overquota"),
    (Suspend, "ofr_420|ofr004_420|compte desactive|boite inactive|compte inactif"),
    (TooManyConn, "ofr004_104|ofr_104|too many connections, slow down"),
    (SpamDetected, "ofr_506|ofr004_506|ofr_507"),
    (AuthFailure, "mail rejected. dmarc check failed"),
    (SystemError, "ofr_505|ofr005_505"),
    (Blocked, "ofr006_|ofr005_|ofr_513|ip source bloquee|service refus"),
];

#[rustfmt::skip]
static GMX: &[Row] = &[
    (RequirePtr, "bad dns ptr resource record"),
    (Rejected, "invalid dns mx or a/aaaa resource record|(domain based)"),
    (AuthFailure, "reject due to spf policy|reject due to dkim policy|reject due to dmarc policy"),
    (Blocked, "ip address is block listed|(ip based)|a problem occurred. (ask your postmaster"),
    (NotCompliantRfc, "(header based)"),
    (PolicyViolation, "reject due to policy restrictions"),
];

#[rustfmt::skip]
static CHINA: &[Row] = &[
    (SpamDetected, "mail content denied|suspected spam|dt:spm|spam pattern|may contain the spam"),
    (Speeding, "frequency limited|frequency is limited|mi:cel|rp:qrc|rp:cel|rp:trc|mi:ccc"),
    (AuthFailure, "mi:spf|mi:dma|dmarc check failed"),
    (Rejected, "dt:sum|mi:imf|domain may not exist or dns check failed|mail from must equal|mi:nhd"),
    (Blocked, "hl:ipb|hl:ihu|hl:rep|mi:blk"),
    (Filtered, "mail is rejected by recipients|mail rejected by recipient"),
    (SecurityError, "turn on smtp authentication|suspected bounce attacks"),
    (UserUnknown, "no=1000728|mailbox unavailable or access denied"),
];

#[rustfmt::skip]
static EAST: &[Row] = &[
    (Suspend, "account is disabled|user is terminated|recipient address rejected: inactive"),
    (UserUnknown, "invalid mailbox. local mailbox|non-local recipient verification failed|mail.i.ua/err/2/"),
    (NoRelaying, "mail.i.ua/err/1/"),
    (SpamDetected, "under suspicion of spam|spam message rejected"),
    (Filtered, "policy rejection on the target address|recipient address rejected: blocked"),
    (MailboxFull, "mailbox size limit exceeded"),
];

#[rustfmt::skip]
static ZOHO: &[Row] = &[
    (PolicyViolation, "delivery restricted by policy error|mailpolicy violation"),
    (UserUnknown, "mailbox delivery failure policy error"),
    (VirusDetected, "detected by zoho mail"),
    (Rejected, "mail rejected by destination domain"),
];

#[rustfmt::skip]
static CABLE: &[Row] = &[
    (MailboxFull, "extended quota violation"),
    (Speeding, "too many recent messages|cxthrt|cxmxrt"),
    (RequirePtr, "cxdns|fix reverse dns for"),
    (Rejected, "cxsndr|sender rejected aup"),
    (Blocked, "aup#|cxbl|dnsbl:attrbl|dnsbl:rbl|_is_blocked|comcast block for spam|from your network"),
    (SpamDetected, "cxmj"),
];

#[rustfmt::skip]
static META: &[Row] = &[
    (UserUnknown, "rcp-p1 |int-p1 |int-p3 |int-p4 |int-p7 "),
    (Filtered, "rcp-p2 |rcp-p3 "),
    (Suspend, "rcp-t4 "),
    (TooManyConn, "con-t1 |rcp-t2 "),
    (Speeding, "con-t2 |con-t3 |con-t4 "),
    (MesgTooBig, "msg-p1 |int-p2 "),
    (ContentError, "msg-p2 "),
    (NotCompliantRfc, "msg-p3 "),
    (Blocked, "pol-p1 |pol-p2 |pol-p3 |pol-p4 "),
    (VirusDetected, "pol-p5 "),
    (SpamDetected, "pol-p6 "),
    (AuthFailure, "pol-p7 "),
    (Rejected, "dns-p1 |dns-p2 "),
    (RequirePtr, "dns-p3 "),
    (SystemError, "rcp-t1 |int-t1 |int-t3 |int-t4 "),
];

#[rustfmt::skip]
static FILTERS: &[Row] = &[
    (AuthFailure, "anti-spoofing policy|dmarc sender invalid|spf sender invalid|dkim sender invalid|etp205|etp204"),
    (Rejected, "envelope blocked|based manually blocked senders|header blocked - user entry"),
    (NoRelaying, "open relay not allowed"),
    (Blocked,
        "blocked using barracuda|blocked using prs.proofpoint|blocked using cloudmark|ipcheck.proofpoint.com|csi.cloudmark.com|\
         ip found on rbl|barracudacentral.org|:blocked)"),
    (UserUnknown, "address is marked as invalid"),
    (PolicyViolation, "policy rejection- abuse|ers-customized-block"),
    (BadReputation, "low sender base reputation|low senderbase reputation"),
];

#[rustfmt::skip]
static SENDING: &[Row] = &[
    (Suppressed,
        "not delivering to previously bounced|not delivering to unsubscribed|not delivering to a user who marked|\
         suppressed sending to this address|on the account suppression list|on the suppression list|in suppression list|\
         account-level suppression|recipient is suppressed|address is suppressed|global suppression list"),
];

#[rustfmt::skip]
static JAPAN: &[Row] = &[
    // Without the address before the colon it is the owner's own filter.
    (Filtered, " : user unknown"),
    (Suspend, "user(s) account is disabled"),
];

#[rustfmt::skip]
static DIRECTORIES: &[Row] = &[
    (UserUnknown, "not listed in domino|not listed in public name|recipient name is not recognized|not unique. several matches found"),
];

#[rustfmt::skip]
static SENDMAIL: &[Row] = &[
    // What a delay or its end is about stands behind `Deferred:`.
    (HostUnknown, "dns lookup failure: host * not found"),
    (Blocked, "deferred: connection refused"),
    (NetworkError, "deferred: name server|host name lookup failure"),
];

/// Whose servers say `unknown user` for something else: end of the host name, when, and what it means there.
pub(super) static HOSTS: &[(&str, Option<Stage>, Reason)] = &[
    // NTT DOCOMO: the sender is on the owner's list of refused ones.
    ("docomo.ne.jp", Some(Stage::Data), Rejected),
    // KDDI and Yahoo name the mailbox at whatever stage.
    ("ezweb.ne.jp", None, UserUnknown),
    ("au.com", None, UserUnknown),
    ("yahoodns.net", None, UserUnknown),
    // Symantec passes on what the mailbox's own server says to RCPT.
    ("messagelabs.com", None, UserUnknown),
];
