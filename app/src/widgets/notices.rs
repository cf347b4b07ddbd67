//! What administrators must know, and what failed of one's own, above the pages it is about.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::limits::Notice as NoticeRow;

use crate::dates;
use crate::i18n;
use crate::queries::servers::settle_notice;
use crate::queries::servers::use_notices;
use crate::queries::use_cache;
use crate::t;
use crate::ui::button::Button;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::toast_problem;

/// The words of a notice.
fn words(it: &NoticeRow) -> String {
    let mut args: Vec<(&str, String)> = it.args.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    for (name, value) in &mut args {
        if *name == "action" {
            *value = i18n::try_text(&format!("actions.name.{value}"), &[]).unwrap_or_else(|| value.clone());
        }
        if *name == "reason" {
            *value = i18n::try_text(&format!("reason.{value}.title"), &[]).unwrap_or_else(|| value.clone());
        }
    }
    args.push(("when", dates::when_text(it.at, dates::now())));
    let args: Vec<(&str, &str)> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let has_domain = args.iter().any(|(name, value)| *name == "domain" && !value.is_empty());
    let key = if it.kind == FAILING && has_domain { "notice.failing.domain" } else { &format!("notice.{}", it.kind) };
    // A limit may be a single mail.
    let limit = it.args.get("limit").and_then(|it| it.parse().ok());
    match limit.filter(|_| i18n::try_text(&format!("{key}.one"), &[]).is_some()) {
        Some(n) => i18n::count(key, n, &args),
        None => i18n::try_text(key, &args).unwrap_or_else(|| it.kind.clone()),
    }
}

/// Of one's own mails that failed, one per cause.
const FAILING: &str = "failing";

/// `failing`: those about one's own mails; else those for administrators.
#[component]
pub fn Notices(#[prop(optional)] failing: bool) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let notices = use_notices();
    let line = move |it: NoticeRow| {
        let weight = if it.kind.starts_with("action") { Weight::Bad } else { Weight::Warn };
        let text = words(&it);
        let id = StoredValue::new(it.id);
        let settle = move |()| {
            spawn_local(async move {
                if let Err(error) = settle_notice(cache, id.get_value()).await {
                    toast_problem(toasts, &error);
                }
            });
        };
        view! {
            <Notice class="mb-3" weight icon=Glyph::Alert text>
                <Button small=true text=t!("notice.settle") on_press=settle/>
            </Notice>
        }
    };
    view! { {move || notices.data().unwrap_or_default().into_iter().filter(|it| (it.kind == FAILING) == failing).map(line).collect_view()} }.into_any()
}
