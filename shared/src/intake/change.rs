//! What would have to change for another outcome.

use std::collections::BTreeMap;

use crate::api::route::ChangeView;
use crate::gateway::facts::Facts;
use crate::gateway::verdict::Decision;
use crate::gateway::verdict::Held;
use crate::gateway::verdict::Ignored;
use crate::gateway::verdict::RefusalReason;
use crate::gateway::verdict::Verdict;

fn change(key: &str, args: &[(&str, &str)]) -> ChangeView {
    let args: BTreeMap<String, String> = args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    ChangeView { key: key.to_owned(), args }
}

/// Advice for the page, the most useful first. `recipient` and `sender` are the addresses as a person knows them.
pub fn changes(verdict: &Verdict, facts: &Facts, recipient: &str, sender: &str) -> Vec<ChangeView> {
    let mut out = Vec::new();
    let alias = verdict.routes.first().and_then(|it| it.alias.clone()).unwrap_or_else(|| recipient.to_owned());
    let at_alias = |key: &str| change(key, &[("alias", &alias), ("sender", sender)]);
    match verdict.decision {
        Decision::Refused => match verdict.refusal.as_ref().map(|it| it.reason) {
            Some(RefusalReason::NoSuchAddress) => {
                let is_broken = facts.aliases.iter().any(|it| it.address.as_str().eq_ignore_ascii_case(recipient));
                out.push(if is_broken {
                    at_alias("mend_alias")
                } else {
                    change("make_alias", &[("address", recipient)])
                });
            }
            Some(RefusalReason::ContactRule) => {
                out.extend([at_alias("make_known"), at_alias("open_rule"), at_alias("hold_instead")]);
            }
            Some(RefusalReason::CatchallOnly) => out.push(change("write_to_alias", &[("address", recipient)])),
            Some(RefusalReason::Loop) => {
                out.extend([change("wait", &[("sender", sender)]), change("allow_sender", &[("sender", sender)])]);
            }
            Some(RefusalReason::TooBig) => out.push(change("make_smaller", &[])),
            Some(RefusalReason::StrangerReply) => out.push(change("add_follower", &[("sender", sender)])),
            Some(RefusalReason::Unauthenticated) => out.push(change("authenticate", &[("sender", sender)])),
            None => {}
        },
        Decision::Held => match verdict.routes.iter().find_map(|it| it.held) {
            Some(Held::StrangerReply) => {
                out.extend([change("add_follower", &[("sender", sender)]), change("use_reply_address", &[])]);
            }
            Some(Held::ContactRule) => out.extend([at_alias("make_known"), at_alias("open_rule")]),
            Some(Held::UnauthenticatedInsider) => out.push(change("authenticate", &[("sender", sender)])),
            Some(Held::Paused) => out.push(change("release_sender", &[("sender", sender)])),
            None => {}
        },
        Decision::Ignored => match verdict.ignored {
            Some(Ignored::Duplicate | Ignored::Conflict) => out.push(change("new_message_id", &[])),
            Some(Ignored::OwnLoopTag) => out.push(change("not_ours", &[])),
            Some(Ignored::LoopSilent) => out.push(change("wait", &[("sender", sender)])),
            Some(Ignored::Unsubscribe) | None => {}
        },
        Decision::Accepted | Decision::Report => {}
    }
    out
}
