//! Address in, behavior and reply text out. The texts are ours, in the shape large providers use, so that whoever reads
//! them (a person or a classifier) meets what a real mailbox would say.

use crate::report::domain_of;
use crate::smtp::Reply;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    Accept,
    /// `soft@`: greylisting, accepted at the third attempt.
    Defer,
    /// `hard@`: no such mailbox.
    Unknown,
    /// `full@`: mailbox full for now; `full.permanent@` for good.
    Full,
    /// `spam@`: refused by policy after DATA.
    Spam,
    /// `slow@`: accepted after some seconds.
    Slow,
    /// `drop@`: hangs up after DATA without an answer.
    Drop,
    /// `later@`: accepted, then a delivery report comes back.
    Later,
    /// `ooo@`: accepted, then an absence note comes back.
    OutOfOffice,
    /// `complain@`: accepted, then a spam complaint comes back.
    Complain,
}

impl Behavior {
    pub fn of(address: &str) -> Self {
        if !is_sink(domain_of(address)) {
            return Self::Accept;
        }
        match words(address).next().unwrap_or_default().as_str() {
            "soft" => Self::Defer,
            "hard" => Self::Unknown,
            "full" => Self::Full,
            "spam" => Self::Spam,
            "slow" => Self::Slow,
            "drop" => Self::Drop,
            "later" => Self::Later,
            "ooo" => Self::OutOfOffice,
            "complain" => Self::Complain,
            _ => Self::Accept,
        }
    }

    /// The refusal at RCPT, where real servers refuse a mailbox.
    pub fn refusal_of_recipient(self, to: &str) -> Option<Reply> {
        match self {
            Self::Unknown => Some(unknown(to)),
            Self::Full => Some(full(to)),
            _ => None,
        }
    }
}

/// As servers refuse a From that a login may not use.
pub(super) fn refusal_of_sender(from: &str) -> Option<Reply> {
    (words(from).next().as_deref() == Some("refused")).then(|| {
        Reply::new(553, "5.7.1", format!("<{from}>: Sender address rejected: not owned by the user who logged in"))
    })
}

fn is_sink(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    domain == "sink.test" || domain.ends_with(".sink.test")
}

/// `hard.outlook+x@sink.test` is `hard`, `outlook`, `x`: the first says what happens, another may choose whose words.
fn words(address: &str) -> impl Iterator<Item = String> {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local).to_ascii_lowercase();
    local.split(['.', '+']).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn has_word(address: &str, word: &str) -> bool {
    words(address).skip(1).any(|it| it == word)
}

fn unknown(to: &str) -> Reply {
    if has_word(to, "outlook") {
        return Reply::new(
            550,
            "5.5.0",
            "Requested action not taken: mailbox unavailable (S2017062302). [AMS1EPF0001.sink.test]",
        );
    }
    if has_word(to, "yahoo") {
        return Reply {
            status: None,
            ..Reply::new(
                554,
                "",
                format!(
                    "delivery error: dd This user doesn't have an account here ({to}) [-5] - mta4001.mail.sink.test"
                ),
            )
        };
    }
    if has_word(to, "postfix") {
        return Reply::new(
            550,
            "5.1.1",
            format!("<{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
        );
    }
    Reply::new(
        550,
        "5.1.1",
        "The mailbox you tried to write to is not known here. Look for a typing error in the address\nor a blank in it, then send again. For more information see\n https://support.sink.test/mail/?p=NoSuchUser - gsmtp",
    )
}

fn full(to: &str) -> Reply {
    if has_word(to, "permanent") {
        return Reply::new(
            552,
            "5.2.2",
            format!("<{to}>: Mailbox full, quota exceeded; the message is returned to its sender"),
        );
    }
    Reply::new(
        452,
        "4.2.2",
        "The recipient's inbox is out of storage space. Please ask the recipient to make room\nand try again later. https://support.sink.test/mail/?p=OverQuotaTemp - gsmtp",
    )
}

pub(super) fn policy_refusal(to: &str) -> Reply {
    if has_word(to, "outlook") {
        return Reply::new(
            550,
            "5.7.1",
            "Unfortunately, messages from [127.0.0.1] weren't sent. Part of their network is on our block list (S3150). [DB5EUR01.sink.test]",
        );
    }
    Reply::new(
        554,
        "5.7.1",
        "[127.0.0.1] Our system found that this message is likely unsolicited mail. To reduce the amount\nof spam, it has been blocked. See https://support.sink.test/mail/?p=UnsolicitedMessageError - gsmtp",
    )
}

/// The first and the second refusal of `soft@`; the second hangs up, as a server short of resources does.
pub(super) fn deferral(count: u32) -> Reply {
    if count == 1 {
        Reply::new(451, "4.7.1", "Greylisting in action, please come back in a few minutes")
    } else {
        Reply::new(421, "4.7.0", "Too many connections or mails from your address for now; try again later").closing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_the_local_part_decides() {
        for (address, expect) in [
            ("ok@sink.test", Behavior::Accept),
            ("hard@sink.test", Behavior::Unknown),
            ("HARD.anna@Sink.Test", Behavior::Unknown),
            ("soft+7@a.sink.test", Behavior::Defer),
            ("ooo.b@sink.test", Behavior::OutOfOffice),
            ("hardy@sink.test", Behavior::Accept),
            ("hard@elsewhere.test", Behavior::Accept),
            ("customer.hard@sink.test", Behavior::Accept),
        ] {
            assert_eq!(Behavior::of(address), expect, "{address}");
        }
    }

    #[test]
    fn a_second_word_chooses_whose_text() {
        assert_eq!(unknown("hard.outlook@sink.test").status.as_deref(), Some("5.5.0"));
        assert_eq!(full("full@sink.test").code, 452);
        assert_eq!(full("full.permanent@sink.test").code, 552);
    }
}
