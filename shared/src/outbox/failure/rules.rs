//! The rules of [`super::classify`], as data. A row is a reason and patterns parted by `|`: words in lower case, `*` stands for
//! anything between two pieces. Adding a case is adding words to a row. Sources: RFC 3463 and the IANA registry for the
//! codes; the replies of the named servers and providers for the words.

use std::sync::LazyLock;

use super::Reason;
use super::Reason::{
    AuthFailure, BadReputation, Blocked, ContentError, ExceedLimit, Expired, FailedStartTls, Filtered, HasMoved,
    HostUnknown, MailboxFull, MailerError, MesgTooBig, NetworkError, NoRelaying, NotAccept, NotCompliantRfc, OnHold,
    PolicyViolation, Rejected, RequirePtr, SecurityError, SpamDetected, Speeding, Suspend, SyntaxError, SystemError,
    SystemFull, TooManyConn, UserUnknown, VirusDetected,
};
use super::languages;
use super::providers;

pub(super) type Row = (Reason, &'static str);

/// The two tables, taken apart once.
pub(super) struct Rules(Vec<(Reason, Vec<Pattern>)>);

struct Pattern {
    pieces: Vec<&'static str>,
    /// Bits of [`Words`] that a text must have to match.
    needs: [u16; 2],
}

pub(super) static PROVIDERS: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(providers::TABLES.iter().flat_map(|(_, rows)| rows.iter())));
pub(super) static EXACT: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(EXACT_ROWS.iter().chain(languages::TABLES.iter().flat_map(|(_, rows)| rows.iter()))));
pub(super) static VAGUE: LazyLock<Rules> = LazyLock::new(|| Rules::new(VAGUE_ROWS.iter()));

impl Rules {
    fn new<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let pattern = |text: &'static str| {
            let pieces: Vec<_> = text.split('*').collect();
            let longest = pieces.iter().max_by_key(|it| it.len()).copied().unwrap_or_default().as_bytes();
            let gram = |at: usize| longest.get(at..at + 3).map_or(0, hash);
            Pattern { needs: [gram(0), gram(longest.len().saturating_sub(3))], pieces }
        };
        Self(rows.map(|(reason, patterns)| (*reason, patterns.split('|').map(pattern).collect())).collect())
    }

    /// The first row that matches.
    pub(super) fn find(&self, words: &Words<'_>) -> Option<Reason> {
        self.0.iter().find(|(_, patterns)| patterns.iter().any(|it| words.has(it))).map(|(reason, _)| *reason)
    }
}

/// A text to look words up in. Which groups of three bytes occur is noted first: of some 700 patterns, a handful is left to
/// search for.
pub(super) struct Words<'a> {
    text: &'a str,
    grams: Box<[u64; 1024]>,
}

const fn hash(gram: &[u8]) -> u16 {
    match gram {
        [a, b, c] => ((*a as u32 * 31 + *b as u32) * 37 + *c as u32).wrapping_mul(0x9E37_79B1).rotate_left(16) as u16,
        _ => 0,
    }
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut grams = Box::new([0_u64; 1024]);
        // Patterns too short for a group need bit 0.
        for gram in core::iter::once(0).chain(text.as_bytes().windows(3).map(hash)) {
            if let Some(slot) = grams.get_mut(usize::from(gram >> 6)) {
                *slot |= 1 << (gram & 63);
            }
        }
        Self { text, grams }
    }

    fn has(&self, pattern: &Pattern) -> bool {
        let may = pattern
            .needs
            .iter()
            .all(|it| self.grams.get(usize::from(it >> 6)).is_some_and(|slot| slot & (1 << (it & 63)) != 0));
        may && matches(self.text, &pattern.pieces)
    }
}

fn matches(text: &str, pieces: &[&str]) -> bool {
    let mut rest = text;
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    true
}

/// Words that are clearer than any code.
#[rustfmt::skip]
static EXACT_ROWS: &[Row] = &[
    // Filters; Mimecast says security policies.
    (VirusDetected,
        "virus detected|contains a virus|contained a virus|infected with|virus found|malware|infected file|\
         rejected due to security policies"),
    // Gmail, Outlook.com, mail.ru, QQ, Apple (RFC 7372, RFC 7489).
    (AuthFailure,
        "dmarc|due to spf policy|unauthenticated email|sender is unauthenticated|is unauthenticated|\
         multiple authentication checks failed|spf * fail|spf record with a hard fail|failed spf|spf check|\
         spf validation|dkim * fail|dkim validation|dkim signature * fail|sender policy framework|\
         does not designate|authentication-results"),
    // Gmail, Comcast, Exim sites.
    (RequirePtr,
        "ptr record|reverse dns|rdns|no ptr|ip name lookup failed|unverifyable sending ip|\
         cannot find your hostname|cannot find your reverse hostname|unresolvable relay|reverse lookup|\
         forward-confirmed|fcrdns|no valid hostname|bad dns ptr"),
    // Yahoo, Gmail, Cisco.
    (BadReputation,
        "reputation|[tss|unexpected volume or user complaints|senderbase|senderscore|poor sending history"),
    // Cox, Charter: codes of their acceptable use policy.
    (Blocked,
        "aup#cdrbl|aup#bl|aup#|no access from mail server"),
    (TooManyConn,
        "too many connections|connection rate limit|too many recipients|too many concurrent|connection limit|\
         too many smtp sessions|too many sessions|maximum number of connections|too many simultaneous|\
         concurrent connections|max number of recipients"),
    // Gmail 4.7.28 and 5.2.1, Exchange Online, Yahoo.
    (Speeding,
        "rate that prevents|mail at a rate|mail too quickly|rate limit|ratelimit|throttl|sending rate|\
         too many messages|too much mail|mail flood|exceeded the rate|hourly limit|daily limit|sending limit|\
         message limit|too fast|volume of email"),
    (ExceedLimit,
        "recipsizelimit|limit set by recipient|too large for this recipient|size * exceeds * mailbox"),
    (MesgTooBig,
        "message size exceeds|message length exceeds|message too large|message is too large|message too big|\
         maximum message size|message file too big|size limit exceeded|exceeds the maximum size|\
         exceeds size limit|exceeded maximum allowed message size|mail size limit|line limit exceeded|\
         message larger than|too big message|exceeding size limit|nachricht ist zu gro|mailgröße|\
         permitted size"),
    // RFC 3463 x.2.2 in words.
    (MailboxFull,
        "mailbox full|mailbox is full|mailbox has exceeded|mailbox exceeded|mailbox quota|over quota|\
         overquota|over the quota|quota exceeded|quota has been exceeded|exceeded * quota|exceeds * quota|\
         exceed mailbox quota|disk quota|out of storage|exceeded storage|storage quota|quota violation|\
         full mailbox|inbox is full|account is full|is over its quota|mailbox size limit|mailbox exceeds|\
         insufficient quota|mailbox would exceed|mail box full|mailfolder is full|quota full|\
         user has exhausted|hộp thư đầy|hộp thư đã đầy|boîte pleine|postfach ist voll|\
         no space left in mailbox|recipient's inbox is out of|mailbox exceeds allowed size|\
         exceeds allowed size|mailbox exceeded the local limit|recipient's mailbox exceeded"),
    (SystemFull,
        "insufficient system storage|no space left on device|disk full|disk space|mail system full|\
         requested mail action aborted: exceeded storage|system storage"),
    (FailedStartTls,
        "starttls|tls required|certificate not trusted|tls is required|tls handshake|certificate verif|requires tls|without tls|\
         cannot start tls|encryption required|tls negotiation"),
    // RFC 5321 section 3.6; Sendmail, Postfix, qmail.
    (NoRelaying,
        "relay access denied|relaying denied|relay not permitted|no relaying|unable to relay|\
         not permitted to relay|relay denied|insecure mail relay|relaying prohibited|cannot relay|\
         can not relay|relaying not allowed|relay operation rejected|list of allowed rcpthosts|\
         we do not relay|relay not allowed|relaying mail|relaying to|not a gateway|\
         host is not configured to relay"),
    // Words of a policy before the lists that may enforce it.
    (PolicyViolation,
        "content presents a potential|policy reasons"),
    // Lists of addresses and the servers that use them.
    (Blocked,
        "blocked using|blacklist|black list|block list|blocklist|spamhaus|dnsbl| rbl|/rbl|barracudacentral|\
         sorbs|spamcop|client host rejected|client host * blocked|client host * rejected|blocked for abuse|\
         blocked by|refused to talk to me|service refused|service refuse|banned sending ip|ip * blocked|\
         weren't sent|mail server * listed|is listed in|ip address * listed|connections not accepted from|\
         connection refused by|not allowed to send mail from|your ip|sending ip|access denied. ip|[ofr_|\
         listed by|network is on our|uceprotect|cbl.abuseat|invaluement|cloudmark|proofpoint.com/dnsbl|\
         blocked - see"),
    // fml, Majordomo: their own guard against loops.
    (SystemError,
        "duplicated message-id"),
    (OnHold,
        "address rejected: on hold|greylist|graylist|grey list|greylisting"),
    // Postfix's names for what it can't run.
    (MailerError,
        "procmail|command died|command failed|pipe to |exit status|exited with|died with status|\
         mailer error|child status|mail delivery agent|local delivery failed|\
         temporary failure. command output"),
    // DMARC-less proofs of a wrong From.
    (NotCompliantRfc,
        "addresses in from|from: header are not accepted|rfc 5322|rfc5322|rfc 2822|rfc 822|not rfc|\
         duplicate header|missing required header|non-compliant|not compliant|bare lf|bare linefeed|\
         missing a valid address|header is missing|multiple from"),
    (ContentError,
        "8-bit data in message header|headers too large|header too large|media error|malformed mime|bad mime|\
         mime error|invalid mime|message structure|conversion required|message format|improper use of 8-bit|\
         8bit not supported|character set not"),
    // Sender addresses: before `unknown` and `does not exist`.
    (Rejected,
        "domain of sender|sender address rejected|sender address does not|sender rejected|\
         sender verify failed|sender verification failed|invalid sender|sender denied|sender domain|\
         unroutable sender|unrouteable sender|sender address|sender is not|bad sender|sender is invalid|\
         sender not|address rejected as sender|from address rejected|mail from * rejected|mail from domain|\
         <> invalid sender|null sender|empty envelope senders|backscatter protection|permission to post|\
         permission to send|not permitted to send|not allowed to send|not authorized to send|\
         aren't allowed to send|only accepts messages from|restricted to|moderated group|\
         unauthorized to send|spoof|send mail as|groups.google.com/support|message to the group|to post to"),
    (SpamDetected,
        "spam|junk mail|unsolicited|ube,|message content rejected|bulk mail|looks like * bulk|\
         high probability of|content rejected|block * content|rejected by * content"),
    // RFC 3463 x.2.1 in words; Gmail, Yahoo, ezweb.
    (Suspend,
        "account * disabled|mailbox disabled|mailbox is disabled|is disabled|been disabled|\
         disabled recipient|is inactive|inactive user|inactive account|account inactive|mailbox inactive|\
         suspended|suspend|temporary locked|temporarily locked|account locked|is locked|is frozen|frozen|not activated|\
         deactivated|not active|account expired|account has expired|account closed|account is closed|\
         mailbox is closed|currently not accepting|not currently accepting|no longer active|\
         currently suspended|account is not available|tài khoản đã bị khóa|user account disabled"),
    (HasMoved,
        "has moved|user moved|new address|not our customer|address has changed|address changed|\
         changed his address|changed their address|has been replaced|is now at"),
    // RFC 7505.
    (NotAccept,
        "null mx|nullmx|does not accept mail|doesn't accept mail|doesn't receive email|does not receive mail|\
         do not accept mail|accepts no mail|no smtp service here|not accepting network messages|\
         does not accept incoming|host/domain does not accept|name server: .: host not found (null)|\
         smtp protocol returned a permanent error|indicated no smtp service|no smtp service"),
    // qmail, Exchange Online and Google's own words before the general ones.
    (NetworkError,
        "wasn't able to establish an smtp connection|dns error|too many hops|hop count|mail loop|loops back|routing loop|loop detected|\
         malformed or unexpected name server|connection refused|network is unreachable|no route to host|\
         network unreachable|connection reset|host is unreachable|host unreachable|connection dropped|\
         server configuration problem|mx list for * points back|dns query failed|mail for * loops"),
    (HostUnknown,
        "host unknown|unknown host|host not found|domain name not found|name or service not known|\
         no such domain|domain does not exist|domain doesn't exist|unrouteable domain|unroutable domain|\
         unrouteable mail domain|unroutable mail domain|couldn't find any host|no such host|\
         bad destination system|nxdomain|non-existent hosts|recipient domain must exist|illegal host|\
         invalid domain|domain * couldn't be found|domain * not found|domain is not valid|\
         no route found to domain|mx records point to non-existent|domain name * not exist|unknown domain|\
         name server: host not found|recipient's domain|host name is unknown|host could not be found|\
         no mail server found|domain you tried|not a valid domain|no mx|host or domain name not found|unrouteable address|\
         unroutable address"),
    (Filtered,
        "recipient preferences|message filtered|refused by recipient|recipient rejects|rejects messages|\
         not accept messages from|does not accept mail from|due to * filter|rejected by filter|user rejected|\
         rejected by recipient|recipient * refused|user's filter|set to reject|whitelist|\
         not accept mail from you"),
    (PolicyViolation,
        "policy violation|denied by policy|protocol violation|potential security issue|by policy|\
         header error|administrative prohibition|administratively prohibited|local policy|executable|\
         attachment * not allowed|attachment type|file type|prohibited|against our policy|policy reject|\
         security policy|violates|message refused|banned"),
    (SecurityError,
        "authentication required|authrequired|authentication failed|auth required|must be authenticated|\
         must authenticate|authentication credentials|bad credentials|cryptograph|failed to deliver|\
         unauthorized|not authorized|security error|access denied...|@ access denied"),
    // Google about several recipients at once.
    (Filtered,
        "each of the following recipients was rejected by a remote mail server"),
    // Everything that says `this person is not here`, in many mouths.
    (UserUnknown,
        "user unknown|unknown user|unknown e-mail|unknown email|no such user|no such recipient|unknown recipient|recipient unknown|\
         no mailbox|mailbox not found|mailbox unavailable|mailbox does not|mailbox doesn't|no such mailbox|no mailbox here|no mail-box|no such id|address invalid|recipient unrecognized|that recipient is not allowed|\
         mailbox unallocated|cannot deliver mail for|invalid account|unknown at this|\
         recipient not found|invalid recipient|invalid mailbox|invalid address|unknown local|unknown address|\
         address unknown|no such address|user not found|user doesn't|user does not|user not exist|\
         not a valid mailbox|not a valid user|not a valid email|not a valid recipient|no account|\
         unknown or illegal|doesn't have a|does not exist|doesn't exist|not exist|address not found|\
         couldn't be found|could not be found|wasn't found|was not found|not be found|no such person|\
         bad destination mailbox|recipient address rejected: access denied|not a known user|unknown account|\
         account not found|no valid recipient|invalide|recipientnotfound|recipnotfound|not known here|\
         not a local|unknown mailbox|not listed|no longer available|no longer valid|no longer exists|\
         no longer on server|no longer an employee|not our user|not in our|isn't in the|unbekannt|\
         existiert nicht|n'existe pas|no existe|không tồn tại|không tìm thấy|not found in|\
         no matches to nameserver|no user|ambiguous|user account is unavailable|undeliverable address|\
         badly formatted address|delivery to non-existent|is not a valid|does not like recipient|\
         this user doesn|recipient invalid|can't find|not a user|invalid user|not a recognized|\
         not recognised|unknown in local|addressee unknown|not recognized|recipient name is not|found no|\
         n'a pas pu etre delivre"),
    (Expired,
        "expired|could not be delivered for|could not be delivered within|retry time|retry timeout|\
         delivery time|undelivered after|connection timed out|timed out|timeout|has been in the queue|\
         not been delivered after|still in queue|too old|not responding|did not respond|delivery attempts|\
         giving up|unable to deliver * days|for * days|could not deliver * days|was not delivered within|\
         queue too long|after * hours|have been failing for a long time|\
         did not accept our requests to connect|host not reachable|failed * attempts"),
    (SyntaxError,
        "syntax error|improper sequence|bad sequence|not implemented|unrecognized command|\
         unrecognised command|command unrecognized|command not recognized|command rejected|nested mail|\
         command unknown|illegal command|malformed address|incorrectly constructed|\
         bad address syntax"),
    (SystemError,
        "internal error|internal system|system error|configuration error|misconfigur|queue file write error|\
         could not load|server error|temporary local problem|local problem|system config error|\
         temporarily unavailable|out of memory|local error|resources|service currently|service temporarily|\
         temporary system|can't create|unable to create|internal server|error in processing|database|\
         i/o error|lookup failure"),
    (NetworkError,
        "lost connection|could not connect|unable to connect|cannot connect|connect to|connection failed|\
         connection was dropped|connection closed|no smtp connection|unable to reach|\
         establish an smtp connection|connection error|network error|tcp/ip|name service error|dns problem|\
         temporary lookup|host lookup|conversation with"),
];

/// Words that only hint; they count when there is no better code.
#[rustfmt::skip]
static VAGUE_ROWS: &[Row] = &[
    (OnHold,
        "try again later|come back later|please retry|temporarily deferred|\
         temporary failure|temporarily rejected"),
    (Blocked,
        "access denied|denied|refused|blocked|not allowed|service not available|closing transmission|\
         closing connection"),
    (Rejected,
        "mail from"),
    (Blocked,
        "rejected|reject"),
    (Filtered,
        "not accepted|unable to deliver|undeliverable"),
    // Postfix: what the access table says without a reason.
    (UserUnknown,
        "address rejected"),
];
