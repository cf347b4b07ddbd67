//! What codes say when no words do, as data: enhanced status codes (RFC 3463 and the IANA registry it began, Exchange Online's own
//! details) and reply codes (RFC 5321 section 4.2.3).

use super::Reason;
use super::Reason::{
    AuthFailure, BadReputation, Blocked, ContentError, Delivered, ExceedLimit, Expired, FailedStartTls, Filtered,
    HasMoved, HostUnknown, MailboxFull, MesgTooBig, NetworkError, NoRelaying, NotAccept, NotCompliantRfc,
    PolicyViolation, Rejected, RequirePtr, SecurityError, SpamDetected, Speeding, Suspend, SyntaxError, SystemError,
    SystemFull, TooManyConn, UserUnknown,
};
use super::Stage;

type Row = (Reason, &'static str);

/// Subject and detail, parted by blanks.
#[rustfmt::skip]
static REGISTRY: &[Row] = &[
    // RFC 3463 section 3.2: addresses.
    (UserUnknown, "1.1 1.3"), (HostUnknown, "1.2"), (Filtered, "1.4"), (Delivered, "1.5"), (HasMoved, "1.6"),
    (Rejected, "1.7 1.8"),
    // RFC 7505.
    (NotAccept, "1.10"), (Rejected, "7.27"),
    // Section 3.3: mailboxes.
    (Suspend, "2.1"), (MailboxFull, "2.2"), (ExceedLimit, "2.3"), (Filtered, "2.4"),
    // Section 3.4: their mail system.
    (SystemFull, "3.1"), (NotAccept, "3.2"), (SystemError, "3.0 3.3 3.5"), (MesgTooBig, "3.4"),
    // Section 3.5: network and routing.
    (Expired, "4.1 4.2 4.7"), (NetworkError, "4.3 4.6"), (HostUnknown, "4.4"), (SystemError, "4.5"),
    // Section 3.6: the protocol.
    (SyntaxError, "5.1 5.2 5.4 5.5"), (TooManyConn, "5.3"),
    // Section 3.7 and RFC 6531: the content.
    (ContentError, "6.0 6.1 6.2 6.3 6.4 6.5 6.6 6.7 6.9"),
    // Section 3.8, RFC 5248, RFC 4954, RFC 7293.
    (Filtered, "7.2"), (SecurityError, "7.3 7.4 7.5 7.6 7.7 7.8 7.9 7.11 7.14"), (FailedStartTls, "7.10 7.12"),
    (Suspend, "7.13"), (HasMoved, "7.17"), (HostUnknown, "7.18"),
    // RFC 7372.
    (AuthFailure, "7.20 7.21 7.22 7.23 7.24 7.26"), (RequirePtr, "7.25"),
    // RFC 8617 and Gmail.
    (AuthFailure, "7.29 7.30 7.32"), (Speeding, "7.28"),
];

/// Exchange Online: learn.microsoft.com, non-delivery reports.
#[rustfmt::skip]
static EXCHANGE_ONLINE: &[Row] = &[
    (NotCompliantRfc, "1.20 7.512"), (Speeding, "1.90 2.121 2.122 7.232 7.233 7.236 7.500 7.501 7.502 7.503 7.705"),
    (UserUnknown, "1.351"), (NetworkError, "4.14 4.312 4.316"), (Expired, "4.300 4.317"), (HostUnknown, "4.310"),
    (ContentError, "6.11"), (SecurityError, "7.57"), (NoRelaying, "7.64 7.367"),
    (Rejected, "7.60 7.124 7.129 7.133 7.134 7.135 7.136 7.750"), (SpamDetected, "7.350 7.508"),
    (AuthFailure, "7.509 7.515"), (PolicyViolation, "7.510 7.520"), (BadReputation, "7.650 7.651"),
    (Blocked, "7.511 7.513 7.606 7.607 7.608 7.609 7.610 7.614 7.649 7.703 7.708"),
];

/// The reason of an enhanced status code.
pub(super) fn by_status(status: &str) -> Option<Reason> {
    let (_, rest) = status.split_once('.')?;
    let rows = REGISTRY.iter().chain(EXCHANGE_ONLINE);
    rows.filter(|(_, details)| details.split(' ').any(|it| it == rest)).map(|(reason, _)| *reason).next()
}

/// What the class-wide details hint at; whoever writes them had nothing better.
#[rustfmt::skip]
static HINTS: &[Row] = &[
    (UserUnknown, "5.1.0"), (Filtered, "5.2.0"), (SecurityError, "5.7.0 5.7.1 4.7.0"), (Blocked, "4.7.1"),
];

/// The hint of a whole enhanced status code.
pub(super) fn by_hint(status: &str) -> Option<Reason> {
    HINTS.iter().find(|(_, all)| all.split(' ').any(|it| it == status)).map(|(reason, _)| *reason)
}

/// The reason of a reply code.
pub(super) fn by_code(code: u16, stage: Option<Stage>) -> Option<Reason> {
    Some(match code {
        250 => Delivered,
        421 => Blocked,
        450 | 550 if stage == Some(Stage::Rcpt) => UserUnknown,
        450 | 451 => SystemError,
        452 => SystemFull,
        500..=504 => SyntaxError,
        521 | 556 => NotAccept,
        530 | 535 | 538 => SecurityError,
        551 => HasMoved,
        552 => MailboxFull,
        553 => UserUnknown,
        _ => return None,
    })
}

/// Every subject and detail that a table knows.
#[cfg(test)]
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().chain(EXCHANGE_ONLINE).flat_map(|(_, details)| details.split(' '))
}
