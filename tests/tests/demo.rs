//! The demonstration company: complete, explained, and no error on the way.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use mailroom_tests::demo;
use mailroom_tests::story::*;
use serde_json::json;

#[test]
fn it_shows_every_state_that_people_will_meet() {
    let (stack, api) = start("demo");
    demo::fill(&stack, DOMAIN, AGENT, PASSWORD).unwrap();
    let all = records(&api);
    assert_eq!(all.len(), demo::records(), "{:#?}", all.iter().map(|it| it["title"].to_string()).collect::<Vec<_>>());
    for name in ["ticket", "lead", "order"] {
        assert!(all.iter().filter(|it| it["type"] == name).count() >= 12, "{name}");
    }
    let days: std::collections::BTreeSet<u64> =
        all.iter().map(|it| it["last_at"].as_u64().unwrap() / 86_400_000).collect();
    assert!(days.len() >= 10, "{days:?}");
    let shell = get(&api, "/api/v1/shell");
    assert_eq!(shell["unprocessed"], 0);
    assert!(shell["inbox"].as_u64().unwrap() >= 10, "{shell}");
    let states: Vec<String> = get(&api, "/api/v1/emails?filter=all&limit=200")["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].as_str().unwrap().to_owned())
        .collect();
    for state in ["sent", "deferred", "failed", "bounced", "complained", "unknown"] {
        assert!(states.iter().any(|it| it == state), "{state} is not in {states:?}");
    }
    assert!(get(&api, "/api/v1/incoming?show=refused")["items"].as_array().unwrap().len() >= 7);
    let held = get(&api, "/api/v1/incoming?show=held")["items"].clone();
    assert_eq!(held[0]["subject"], "Interview about repairable furniture", "{held}");
    let campaigns = get(&api, "/api/v1/campaigns");
    let letters: Vec<_> = campaigns.as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert!(letters.contains(&"sent") && letters.contains(&"draft"), "{campaigns}");
    // Nothing is late when people look for the first time.
    let flow = get(&api, "/api/v1/status");
    assert_eq!(flow["actions"], json!([]), "{flow}");
    let japanese = all.iter().find(|it| it["customer"] == "山田 花子").unwrap();
    assert!(messages(&api, &id(japanese))[0]["text"].as_str().unwrap().contains("神戸で小さな図書室"));
}
