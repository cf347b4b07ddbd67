//! Header sections: never a panic, bounded lists, no control characters in what people see.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailroom_shared::mail::authres::authenticate;
use mailroom_shared::mail::automatic::classify;
use mailroom_shared::mail::parse::parse_head;

fuzz_target!(|data: &[u8]| {
    let head = parse_head(data);
    assert!(head.headers.len() <= 1_000 && head.references.len() <= 200);
    assert!(!head.subject.contains(char::is_control), "{:?}", head.subject);
    let _ = authenticate(&head, "mx.cloudflare.net");
    let _ = classify(&head, data.len() % 2 == 0);
});
