//! A bounce for people: which recipients it names at the start of a line, and the words that follow each.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::address::EmailAddress;
use crate::mail::inbound::Head;
use crate::outbox::failure::Stage;

use super::address_key;
use super::same_address;

/// A recipient and what is said about it.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) address: String,
    /// On one line; addresses in it stay.
    pub(super) text: String,
    /// The command that was refused, when the text tells.
    pub(super) stage: Option<Stage>,
}

/// The blocks of a report, in order, each address once.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub(super) all: Vec<Block>,
    by_key: HashMap<String, usize>,
}

impl Blocks {
    /// What is said about an address.
    pub(super) fn about(&self, address: &str) -> Option<&Block> {
        self.all.get(*self.by_key.get(&address_key(address))?)
    }

    fn has(&self, address: &str) -> bool {
        self.by_key.contains_key(&address_key(address))
    }

    /// The place of an address, a new one when it is new.
    fn place(&mut self, address: String) -> usize {
        let all = &mut self.all;
        *self.by_key.entry(address_key(&address)).or_insert_with(|| {
            all.push(Block { address, text: String::new(), stage: None });
            all.len() - 1
        })
    }
}

/// The blocks of the report text.
pub(super) fn find(text: &str, head: &Head) -> Blocks {
    let mut blocks = Blocks::default();
    let mut current: Option<usize> = None;
    let own: HashSet<String> = head.to.iter().map(|it| it.address.key()).collect();
    let is_own = |address: &str| own.contains(&address_key(address));
    let mut was_pipelined = false;
    let mut stage = None;
    let mut last_command_address: Option<String> = None;
    // What the server said to a command that names nobody.
    let mut pending = "";
    let lines: Vec<&str> = text.lines().take(2_000).map(str::trim).collect();
    for (i, trimmed) in lines.iter().copied().enumerate() {
        // The reporter repeats whom the message was addressed to; who is meant comes below.
        if is_header_quote(&lines, i) {
            continue;
        }
        if let Some(found) = command(trimmed) {
            stage = Some(found);
            if found == Stage::Rcpt {
                last_command_address = addresses(trimmed).next();
            }
            if trimmed.starts_with(">>>") {
                continue;
            }
        }
        if let Some((address, rest)) = leading_address(trimmed).or_else(|| x400(trimmed)).filter(|(it, _)| !is_own(it))
        {
            let at = blocks.place(address);
            current = Some(at);
            append(blocks.all.get_mut(at), rest, stage);
            continue;
        }
        // A reply line of a transcript belongs to the recipient it names, or that was just asked for.
        let is_reply = starts_with_code(trimmed);
        if is_reply {
            let named = addresses(trimmed).find(|it| !is_own(it) || blocks.has(it));
            let named = named.or_else(|| last_command_address.clone().filter(|_| stage == Some(Stage::Rcpt)));
            if let Some(address) = named {
                let at = blocks.place(address);
                append(blocks.all.get_mut(at), core::mem::take(&mut pending), stage);
                append(blocks.all.get_mut(at), trimmed, stage);
                continue;
            }
            if trimmed.starts_with("<<<") {
                pending = trimmed;
            }
        }
        // The recipient had been refused before the content was offered: commands went out in one go (RFC 2920).
        was_pipelined = was_pipelined || is_reply && trimmed.to_ascii_lowercase().contains("need rcpt");
        if let Some(at) = current.filter(|_| !trimmed.is_empty()) {
            append(blocks.all.get_mut(at), trimmed, stage);
        }
    }
    if was_pipelined {
        for block in blocks.all.iter_mut().filter(|it| it.stage == Some(Stage::Data)) {
            block.stage = Some(Stage::Rcpt);
        }
    }
    blocks
}

/// `To: ann@corp.test` between `Subject:`, `Sent:` and the like.
fn is_header_quote(lines: &[&str], at: usize) -> bool {
    let starts = |line: &str, names: &[&str]| {
        names.iter().any(|it| line.get(..it.len()).is_some_and(|start| start.eq_ignore_ascii_case(it)))
    };
    let Some(line) = lines.get(at).filter(|it| starts(it, &["to:", "from:", "cc:", "an:", "von:", "à:"])) else {
        return false;
    };
    let near = [at.checked_sub(1), at.checked_add(1), at.checked_add(2)];
    let others = ["subject:", "sent:", "date:", "message-id:", "betreff:", "gesendet:", "objet:", "sent date:"];
    !line.is_empty() && near.into_iter().flatten().filter_map(|it| lines.get(it)).any(|it| starts(it, &others))
}

/// Exchange 5.5: `c=US;a= ;p=Corp;o=Site;dda:SMTP=ann@corp.test; on Fri, 4 Oct`.
fn x400(line: &str) -> Option<(String, &str)> {
    let at = line.find("SMTP=").filter(|_| line.starts_with("c=") || line.contains("dda:"))?;
    let rest = line.get(at + 5..)?;
    let end = rest.find([';', ' ']).unwrap_or(rest.len());
    let (address, after) = rest.split_at(end);
    EmailAddress::parse(address).ok()?;
    Some((address.to_owned(), after.trim_start_matches([';', ' '])))
}

fn append(block: Option<&mut Block>, text: &str, stage: Option<Stage>) {
    let Some(block) = block.filter(|it| it.text.len() < 4_000) else { return };
    if !text.is_empty() {
        if !block.text.is_empty() {
            block.text.push(' ');
        }
        block.text.push_str(text);
        // The first command that failed is why.
        block.stage = block.stage.or(stage);
    }
}

/// An SMTP command in a transcript or in words: `>>> DATA`, `did not like our final DATA`.
fn command(line: &str) -> Option<Stage> {
    let lower = line.to_ascii_lowercase();
    let said = lower.trim_start_matches(['>', ' ']);
    let is_transcript = lower.starts_with(">>>");
    if is_transcript && said.starts_with("data")
        || lower.contains("our final data")
        || lower.contains("failed after i sent the message")
        || lower.contains("end of data")
    {
        Some(Stage::Data)
    } else if is_transcript && said.starts_with("rcpt")
        || said.starts_with("rcpt to:")
        || lower.contains("our rcpt to")
        || lower.contains("does not like recipient")
        || lower.contains("after rcpt to")
    {
        Some(Stage::Rcpt)
    } else if is_transcript && said.starts_with("mail")
        || lower.contains("sender was rejected")
        || lower.contains("after mail from")
    {
        Some(Stage::Mail)
    } else {
        None
    }
}

fn starts_with_code(line: &str) -> bool {
    let line = line.trim_start_matches(['<', ' ', '>']);
    line.get(..3).is_some_and(|it| it.starts_with(['4', '5']) && it.bytes().all(|b| b.is_ascii_digit()))
        && line.get(3..4).is_none_or(|it| it == " " || it == "-" || it == ":")
}

/// All addresses in a line.
pub(super) fn addresses(line: &str) -> impl Iterator<Item = String> {
    line.split(|c: char| c.is_whitespace() || "<>()[]\"',;:".contains(c) || is_wide_mark(c))
        .filter(|it| it.contains('@'))
        .map(|it| it.trim_matches(['.', '*', '=']))
        .filter(|it| EmailAddress::parse(it).is_ok_and(|it| it.domain().contains('.')))
        .map(str::to_owned)
}

/// What stands for a colon, a comma, a bracket or a full stop in Chinese, Japanese and Korean text.
fn is_wide_mark(c: char) -> bool {
    "：，；、。（）＜＞「」『』【】《》“”‘’".contains(c)
}

/// `<ann@corp.test>:`, `* ann@corp.test`, `ann@corp.test on Thu`, `>>> a@b <a@b>`, `Recipient: a@b`: the address a line starts
/// with and the rest of it.
fn leading_address(line: &str) -> Option<(String, &str)> {
    let at = line.find('@')?;
    // A label in a script that writes its colon wide.
    let label = line.get(..at)?.rfind('：').filter(|it| *it <= 60);
    let line = label.and_then(|it| line.get(it + '：'.len_utf8()..)).unwrap_or(line);
    let mut rest = line.trim_start_matches(['>', '*', '-', ' ', '\u{2022}', '"', '\'', '\t']);
    for label in [
        "recipient:",
        "recipient address:",
        "to:",
        "address:",
        "mailto:",
        "failed recipient:",
        "unable to deliver to:",
        "user:",
        "rcpt:",
        "destinataire:",
        "rcpt to:",
        "intended recipient:",
        "undeliverable address:",
        "user's mailbox is full:",
        "unable to deliver mail to:",
        "cannot deliver mail to:",
        "failed to deliver to",
        "could not deliver to",
        "delivery to",
        "final recipient:",
        "email address:",
        "e-mail address:",
        "an:",
        "empfänger:",
        "destinatario:",
        "an error occurred while sending mail to",
        "người nhận:",
        "destinataires:",
        "destinatário:",
        "destinatari:",
        "ontvanger:",
        "geadresseerde:",
        "odbiorca:",
        "adresat:",
        "příjemce:",
        "mottagare:",
        "modtager:",
        "mottaker:",
        "vastaanottaja:",
        "címzett:",
        "alıcı:",
        "destinatar:",
        "получатель:",
        "адресат:",
        "кому:",
        "одержувач:",
        "받는 사람:",
        "수신자:",
        "收件人:",
        "宛先:",
        "penerima:",
        "ผู้รับ:",
    ] {
        let is_label = |it: &str| {
            it.eq_ignore_ascii_case(label)
                || !label.is_ascii() && it.chars().flat_map(char::to_lowercase).eq(label.chars())
        };
        if rest.get(..label.len()).is_some_and(is_label) {
            rest = rest.get(label.len()..)?.trim_start();
            break;
        }
    }
    if let Some(inner) = rest.strip_prefix('<') {
        let (address, after) = inner.split_once('>')?;
        let address = address.trim().trim_start_matches("mailto:");
        EmailAddress::parse(address).ok()?;
        return Some((address.to_owned(), after.trim_start_matches([':', ' ', '.', ',', ';', ')'])));
    }
    let end =
        rest.find(|c: char| c.is_whitespace() || "<>()[],;:".contains(c) || is_wide_mark(c)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    let word = word.trim_end_matches(['.', '"', '\'', '=']);
    let address = EmailAddress::parse(word).ok().filter(|it| it.domain().contains('.'))?;
    // An address as the display name of another.
    let named = after.trim_start().strip_prefix('<').and_then(|it| it.split_once(">:"));
    if let Some((inner, rest)) = named.filter(|(it, _)| EmailAddress::parse(it).is_ok()) {
        return Some((inner.to_owned(), rest.trim_start()));
    }
    // The same address again in brackets.
    let after = after.trim_start();
    let after = after
        .strip_prefix('<')
        .and_then(|it| it.split_once('>'))
        .filter(|(it, _)| same_address(it, address.as_str()))
        .map_or(after, |(_, it)| it);
    Some((word.to_owned(), after.trim_start_matches([':', ' ', '.', ',', ';', ')', '>', '\t'])))
}
