//! References of an outgoing message (RFC 5322 section 3.6.4): enough ancestors that a client which rewrites or drops one
//! id still threads (TH-3, TH-4, TH-11, TH-15).

use crate::id::MessageId;
use crate::mail::rfc_id::RfcMessageId;

/// How far back ancestors are looked for.
pub const WINDOW: usize = 32;
/// Ancestors beside the parent.
pub const ANCESTORS: usize = 3;

/// An earlier message of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestor {
    pub id: MessageId,
    pub message_id: RfcMessageId,
    /// A note, or anything else the outside does not see.
    pub internal: bool,
    /// A log line rather than something somebody wrote: taken only to fill up (TH-4).
    pub log: bool,
}

/// References of a new message, oldest first, the parent last: up to three of the last 32 `earlier` messages (oldest
/// first), public discussion preferred, then notes, then logs. In-Reply-To is the last one.
pub fn references(earlier: &[Ancestor], parent: Option<&MessageId>) -> Vec<RfcMessageId> {
    let window = earlier.get(earlier.len().saturating_sub(WINDOW)..).unwrap_or_default();
    let parent = parent.and_then(|id| earlier.iter().find(|it| &it.id == id));
    let mut chosen: Vec<usize> = Vec::with_capacity(ANCESTORS);
    let ranks: [fn(&Ancestor) -> bool; 3] = [|it| !it.internal && !it.log, |it| it.internal && !it.log, |it| it.log];
    for wanted in ranks {
        let newest_first = window.iter().enumerate().rev();
        let left = ANCESTORS - chosen.len();
        let is_parent = |it: &Ancestor| parent.is_some_and(|p| p.message_id == it.message_id);
        chosen.extend(newest_first.filter(|(_, it)| wanted(it) && !is_parent(it)).map(|(i, _)| i).take(left));
    }
    chosen.sort_unstable();
    let mut out: Vec<RfcMessageId> = Vec::with_capacity(ANCESTORS + 1);
    for it in chosen.into_iter().filter_map(|i| window.get(i)).chain(parent) {
        if !out.contains(&it.message_id) {
            out.push(it.message_id.clone());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `earlier` as words `id:flags`, flags `i` internal, `l` log.
    fn check(earlier: &str, parent: Option<&str>, expect: &str) {
        let list: Vec<Ancestor> = earlier
            .split_whitespace()
            .map(|word| {
                let (id, flags) = word.split_once(':').unwrap_or((word, ""));
                Ancestor {
                    id: MessageId::parse(id).unwrap(),
                    message_id: RfcMessageId::parse(&format!("<{id}@corp.test>")).unwrap(),
                    internal: flags.contains('i'),
                    log: flags.contains('l'),
                }
            })
            .collect();
        let parent = parent.map(|it| MessageId::parse(it).unwrap());
        let got: Vec<_> = references(&list, parent.as_ref())
            .iter()
            .map(|it| it.bare().trim_end_matches("@corp.test").to_owned())
            .collect();
        assert_eq!(got.join(" "), expect, "{earlier} parent {parent:?}");
    }

    #[test]
    fn public_messages_first_then_notes_then_logs() {
        check("", None, "");
        check("a b", None, "a b");
        check("a b", Some("b"), "a b");
        check("a b c d e", Some("e"), "b c d e");
        check("a b c d e", Some("a"), "c d e a");
        check("a n:i b m:i c", Some("c"), "a b m c");
        check("a n:i o:i p:i b", Some("b"), "a o p b");
        check("l:l a b c", None, "a b c");
        check("l:l a", None, "l a");
        check("n:i l:l", Some("n"), "l n");
    }

    #[test]
    fn only_the_last_32_are_looked_at() {
        let earlier = format!("old {}", (0..32).map(|i| format!("n{i}:i")).collect::<Vec<_>>().join(" "));
        check(&earlier, None, "n29 n30 n31");
        check(&earlier, Some("old"), "n29 n30 n31 old");
    }
}
