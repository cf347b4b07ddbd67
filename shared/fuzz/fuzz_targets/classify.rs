//! Reports of any bytes: never a panic, what is shown stays short, and what a server says is always explained.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailroom_shared::i18n::Lang;
use mailroom_shared::mail::report;
use mailroom_shared::mail::report::Kind;
use mailroom_shared::outbox::advice::Advisor;
use mailroom_shared::outbox::advice::Case;
use mailroom_shared::outbox::failure;
use mailroom_shared::outbox::reply;
use mailroom_shared::outbox::state::DeliveryState;

thread_local! {
    static ADVISOR: Advisor = Advisor::new(Lang::En);
}

fuzz_target!(|data: &[u8]| {
    let got = report::read(data);
    assert!(got.kind != Kind::Message || got.reports.is_empty());
    for it in &got.reports {
        assert!(it.diagnostic.as_ref().is_none_or(|it| it.chars().count() <= 2_000 && !it.contains('\n')));
        assert!(it.status.as_deref().is_none_or(reply::is_status));
    }
    let text = String::from_utf8_lossy(data);
    let failure = failure::classify(None, None, &text);
    assert!(!(failure.permanent && failure.temporary));
    let (code, status) = reply::scan(&text);
    let state = DeliveryState::Failed;
    let case = Case { state, reason: None, permanent: false, tries_again: false, code, status, text: &text };
    let advice = ADVISOR.with(|it| it.explain(&case));
    assert!(!advice.headline.is_empty() && !advice.you_can.is_empty() && !advice.we_do.is_empty());
    assert_eq!(advice.codes.len(), usize::from(code.is_some()) + usize::from(status.is_some()));
});
