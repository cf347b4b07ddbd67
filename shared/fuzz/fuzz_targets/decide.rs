//! Decisions: the first byte picks a recipient, the rest is the mail. Total and deterministic, and never an answer that
//! contradicts itself.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mailroom_shared::gateway::verdict::Decision;
use mailroom_shared::gateway::world::World;
use mailroom_shared::i18n::Lang;

const RECIPIENTS: [&str; 12] = [
    "help@kestrel.test",
    "sales+fair@kestrel.test",
    "brakes@kestrel.test",
    "riders@kestrel.test",
    "all@kestrel.test",
    "returns@kestrel.test",
    "nobody@kestrel.test",
    "everything@kestrel-service.test",
    "help@elsewhere.test",
    "{{reply:m2}}@kestrel.test",
    "{{reply:m3}}@kestrel.test",
    "{{bounce:m2/mia@pedal.test}}@kestrel.test",
];

static WORLDS: LazyLock<Vec<World>> = LazyLock::new(|| {
    let base = include_str!("../../fixtures/gateway/worlds/kestrel.json");
    let envelope = |rcpt: &str, from: &str| {
        let start = format!(r#"{{"envelope": {{"mail_from": "{from}", "rcpt_to": "{rcpt}"}}, "#);
        World::parse(&base.replacen('{', &start, 1)).expect("a world of ours")
    };
    ["mia@pedal.test", "jon@kestrel.test", ""]
        .into_iter()
        .flat_map(|from| RECIPIENTS.into_iter().map(move |rcpt| (from, rcpt)))
        .map(|(from, rcpt)| envelope(rcpt, from))
        .collect()
});

fuzz_target!(|data: &[u8]| {
    let [pick, raw @ ..] = data else { return };
    let world = &WORLDS[usize::from(*pick) % WORLDS.len()];
    let answer = world.route(raw).expect("only a broken world fails");
    let verdict = &answer.verdict;
    assert_eq!(verdict.refusal.is_some(), verdict.decision == Decision::Refused);
    assert_eq!(verdict.ignored.is_some(), verdict.decision == Decision::Ignored);
    assert_eq!(verdict.report.is_some(), verdict.decision == Decision::Report);
    assert_eq!(verdict.routes.is_empty(), !matches!(verdict.decision, Decision::Accepted | Decision::Held));
    assert_eq!(answer.plan.writes.len(), verdict.routes.len());
    for why in &verdict.why {
        assert!(Lang::ALL.iter().all(|lang| why.say(*lang) != why.key), "{} has no words", why.key);
    }
    assert_eq!(verdict.key, world.route(raw).expect("again").verdict.key);
});
