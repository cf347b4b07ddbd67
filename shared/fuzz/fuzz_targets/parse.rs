//! Whole mails: never a panic, file names without paths, hashes of what is kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailroom_shared::mail::parse::parse;
use mailroom_shared::mail::parse::sha256_hex;
use mailroom_shared::mail::report;

fuzz_target!(|data: &[u8]| {
    let mail = parse(data);
    assert_eq!(mail.size, data.len());
    for file in &mail.attachments {
        assert!(!file.name.is_empty() && !file.name.contains(['/', '\\', '\0']), "{:?}", file.name);
        assert_eq!(file.sha256, sha256_hex(&file.bytes));
    }
    let _ = report::read(data);
});
