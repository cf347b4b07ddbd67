//! What a failure rests on: the other server's words, and the report itself as it came in.

use leptos::prelude::*;

use crate::t;

/// Reads the raw report in another tab, or saves it as a mail.
pub fn raw_report(ingest: &str) -> AnyView {
    let original = format!("/api/v1/incoming/{ingest}/original");
    view! {
        <span class="row gap-2">
            <a class="link" target="_blank" rel="noopener" href=format!("{original}?show")>{t!("evidence.report")}</a>
            <a class="link" href=original download="report.eml">{t!("evidence.save")}</a>
        </span>
    }
    .into_any()
}
