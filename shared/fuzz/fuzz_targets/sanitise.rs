//! HTML: never a panic, nothing that runs, and text and folds of whatever is left.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailroom_shared::mail::html;
use mailroom_shared::mail::quote;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let safe = html::sanitise(&text);
    let lower = safe.to_ascii_lowercase();
    assert!(!lower.contains("<script") && !lower.contains("<iframe") && !lower.contains("<object"), "{safe}");
    let _ = html::to_text(&text);
    let _ = quote::fold_html(&safe);
    let folded = quote::fold_text(&text);
    assert!(folded.visible.len() <= text.len() + 1);
});
