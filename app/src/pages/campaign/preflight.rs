//! What to know before a campaign leaves.

use leptos::prelude::*;
use mailroom_shared::campaign::preflight::Finding;
use mailroom_shared::campaign::preflight::Level;
use mailroom_shared::id::CampaignId;

use crate::dates;
use crate::i18n;
use crate::pages::campaigns::departure_words;
use crate::queries::campaigns::use_preflight;
use crate::t;
use crate::ui::button::Button;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::skeleton::SkeletonList;
use crate::widgets::problem::ProblemBlank;

/// The panel.
#[component]
pub(super) fn Panel(id: CampaignId) -> AnyView {
    let found = use_preflight(id);
    let retry = Callback::new(move |()| found.retry());
    view! {
        <section class="card" id="preflight">
            <header class="card-head">
                <h2>{t!("preflight.title")}</h2>
                <Button class="push" small=true icon=Glyph::Retry text=t!("preflight.again") on_press=move |()| found.retry()/>
            </header>
            {move || match found.state.get() {
                it if it.data.is_some() => it.data.map(|it| {
                    let start = it.departure.as_ref().map(|it| departure_words(it, false)).filter(|it| !it.is_empty());
                    let lines = it.findings.iter().map(line).collect_view();
                    let out: Vec<String> = it
                        .left_out
                        .iter()
                        .map(|it| format!("{} {}", dates::number(it.n), t!(&format!("campaign.left_out.{}", it.why.as_str()))))
                        .collect();
                    view! {
                        <div class="card-body stack gap-3">
                            {start.map(|text| view! { <p class="soft">{text}</p> })}
                            <ul class="pre">{lines}</ul>
                            {(!out.is_empty()).then(|| view! { <p class="muted small">{out.join(" · ")}</p> })}
                        </div>
                    }
                }).into_any(),
                it => match it.problem {
                    Some(error) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    None => view! { <SkeletonList/> }.into_any(),
                },
            }}
        </section>
    }
    .into_any()
}

fn line(it: &Finding) -> AnyView {
    let args: Vec<(&str, String)> = it
        .args
        .iter()
        .map(|(name, value)| {
            let words = match (name.as_str(), value.parse::<i64>()) {
                ("ends", Ok(at)) => dates::when_text(mailroom_shared::time::Timestamp::from_millis(at), dates::now()),
                (_, Ok(n)) => dates::number(u32::try_from(n).unwrap_or_default()),
                (_, Err(_)) => value.clone(),
            };
            (name.as_str(), words)
        })
        .collect();
    let args: Vec<(&str, &str)> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (glyph, class, suffix) = match it.level {
        Level::Fine => (Glyph::Check, "ok", ""),
        Level::Warns => (Glyph::Alert, "warn", ".why"),
        Level::Stops => (Glyph::Ban, "bad", ".why"),
    };
    let key = format!("preflight.{}{suffix}", it.key);
    let text = i18n::try_text(&key, &args).unwrap_or_else(|| i18n::text(&format!("preflight.{}", it.key), &args));
    view! {
        <li data-finding=it.key.clone() data-level=class>
            <span class=class><Icon glyph/></span>
            <span>{text}</span>
        </li>
    }
    .into_any()
}
