//! The words of a refusal: one line for the SMTP peer that names the address, the reason and what to do.

use crate::i18n::Lang;

use super::verdict::Refusal;
use super::verdict::RefusalReason;

/// An SMTP reply line has 512 octets with code and line end (RFC 5321 section 4.5.3.1.5).
const MAX_TEXT: usize = 490;

/// What a text is filled with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words<'a> {
    /// The address it is about.
    pub address: &'a str,
    /// The sender, as he wrote himself.
    pub sender: &'a str,
    /// Own words of the alias, possibly HTML.
    pub own: Option<&'a str>,
    /// Largest size in MiB.
    pub megabytes: usize,
    /// Minutes of the loop window.
    pub minutes: u32,
}

/// A refusal in the language of the sender.
pub fn refusal(reason: RefusalReason, lang: Lang, words: Words<'_>) -> Refusal {
    Refusal {
        status: reason.status().to_owned(),
        reason,
        addresses: vec![words.address.to_owned()],
        text: text(reason, lang, words),
        notice: false,
    }
}

/// One line, at most 490 bytes. The alias' own words win over the standard text unless they show nothing (CS-8).
pub fn text(reason: RefusalReason, lang: Lang, words: Words<'_>) -> String {
    let own = words.own.map(visible).filter(|it| !it.is_empty());
    let line = match own {
        Some(own) if reason == RefusalReason::ContactRule => format!("{}: {own}", words.address),
        _ => standard(reason, lang, words),
    };
    cut(&line.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn standard(reason: RefusalReason, lang: Lang, words: Words<'_>) -> String {
    let Words { address, sender, megabytes, minutes, .. } = words;
    match (lang, reason) {
        (Lang::En, RefusalReason::NoSuchAddress) => {
            format!(
                "{address} does not exist here. Please check the spelling, or answer to the address you were written from."
            )
        }
        (Lang::Vi, RefusalReason::NoSuchAddress) => {
            format!("{address} không tồn tại ở đây. Vui lòng kiểm tra chính tả, hoặc trả lời địa chỉ đã viết cho bạn.")
        }
        (Lang::En, RefusalReason::CatchallOnly) => {
            format!(
                "{address} only takes answers to our messages. Please answer to one of them, or write to the address of a department."
            )
        }
        (Lang::Vi, RefusalReason::CatchallOnly) => {
            format!(
                "{address} chỉ nhận thư trả lời. Vui lòng trả lời một thư của chúng tôi, hoặc viết cho địa chỉ của một bộ phận."
            )
        }
        (Lang::En, RefusalReason::ContactRule) => {
            format!(
                "{address} does not take mail from {sender}. Only known senders may write there: please write from the address we know, or ask us to add this one."
            )
        }
        (Lang::Vi, RefusalReason::ContactRule) => {
            format!(
                "{address} không nhận thư từ {sender}. Chỉ người gửi đã biết mới được viết: vui lòng dùng địa chỉ chúng tôi biết, hoặc đề nghị chúng tôi thêm địa chỉ này."
            )
        }
        (Lang::En, RefusalReason::Loop) => {
            format!(
                "{address} got too many messages from {sender} within {minutes} minutes, which looks like a mail loop. Please stop automatic answers, and write again later."
            )
        }
        (Lang::Vi, RefusalReason::Loop) => {
            format!(
                "{address} nhận quá nhiều thư từ {sender} trong {minutes} phút, có vẻ là vòng lặp thư. Vui lòng tắt trả lời tự động và viết lại sau."
            )
        }
        (Lang::En, RefusalReason::TooBig) => {
            format!(
                "The message to {address} is too big. Please send at most {megabytes} MB, for example with a link instead of the file."
            )
        }
        (Lang::Vi, RefusalReason::TooBig) => {
            format!("Thư gửi {address} quá lớn. Vui lòng gửi tối đa {megabytes} MB, ví dụ gửi liên kết thay cho tệp.")
        }
        (Lang::En, RefusalReason::StrangerReply) => {
            format!(
                "{sender} does not take part in the conversation at {address}. Please answer from the address we wrote to."
            )
        }
        (Lang::Vi, RefusalReason::StrangerReply) => {
            format!(
                "{sender} không tham gia cuộc trao đổi tại {address}. Vui lòng trả lời từ địa chỉ chúng tôi đã viết cho."
            )
        }
        (Lang::En, RefusalReason::Unauthenticated) => {
            format!(
                "The mail to {address} says it is from {sender} but fails authentication (SPF, DKIM, DMARC). Please send it through your usual mail server."
            )
        }
        (Lang::Vi, RefusalReason::Unauthenticated) => {
            format!(
                "Thư gửi {address} ghi là từ {sender} nhưng không qua xác thực (SPF, DKIM, DMARC). Vui lòng gửi qua máy chủ thư quen dùng của bạn."
            )
        }
    }
}

/// What of a text, possibly HTML, can be seen.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let is_tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match after.split_once('>') {
            Some((_, tail)) if is_tag => {
                out.push_str(before);
                // A block must not glue two words together.
                out.push(' ');
                rest = tail;
            }
            _ => {
                out.push_str(before);
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    for (entity, plain) in [
        ("&nbsp;", " "),
        ("&#160;", " "),
        ("&#xa0;", " "),
        ("&#xA0;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        out = out.replace(entity, plain);
    }
    let invisible = |c: char| {
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
            || (c.is_control() && !c.is_whitespace())
    };
    out.retain(|c| !invisible(c));
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let mut end = MAX_TEXT - 3;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", text.get(..end).unwrap_or_default().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_names_the_address_in_every_language() {
        for lang in Lang::ALL {
            for reason in RefusalReason::ALL {
                let words = Words {
                    address: "desk@corp.test",
                    sender: "ann@customer.test",
                    megabytes: 25,
                    minutes: 120,
                    own: None,
                };
                let text = text(reason, lang, words);
                assert!(text.contains("desk@corp.test"), "{lang:?} {reason:?}: {text}");
                assert!(text.len() <= MAX_TEXT && !text.contains('\n'));
            }
        }
    }

    #[test]
    fn own_words_that_show_nothing_are_none() {
        let words =
            |own| Words { address: "desk@corp.test", sender: "ann@customer.test", own: Some(own), ..Words::default() };
        for empty in [
            "",
            " ",
            "<p></p>",
            "<p><br></p>",
            "<div>&nbsp;</div>",
            "<p>\u{200b}</p>",
            "<!-- nothing -->",
            "<p style=\"x\"> <b></b>\n</p>",
        ] {
            let got = text(RefusalReason::ContactRule, Lang::En, words(empty));
            assert!(got.starts_with("desk@corp.test does not take mail"), "{empty:?}: {got}");
        }
        let got = text(RefusalReason::ContactRule, Lang::En, words("<p>Members only.<br>Join &amp; write, 1 < 2</p>"));
        assert_eq!(got, "desk@corp.test: Members only. Join & write, 1 < 2");
        let long = "ü".repeat(600);
        assert!(text(RefusalReason::ContactRule, Lang::En, words(&long)).len() <= MAX_TEXT);
        assert!(text(RefusalReason::NoSuchAddress, Lang::En, words("Own words")).contains("does not exist"));
    }
}
