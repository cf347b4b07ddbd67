//! DKIM keys of the alias domains, where servers are set up and where the domains are.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::servers::DkimKey;

use crate::queries::aliases::use_domains;
use crate::queries::servers::make_dkim;
use crate::queries::servers::use_dkim;
use crate::queries::use_cache;
use crate::t;
use crate::ui::button::Button;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::toast_problem;

/// The DKIM key of each domain, with the record to publish.
#[component]
pub fn DkimKeys() -> AnyView {
    let (domains, keys) = (use_domains(), use_dkim());
    let lines = move || {
        let keys = keys.data()?;
        let domains = domains.data()?;
        let line = |domain: DomainRow| {
            let key = keys.iter().find(|it| it.domain == domain.name).cloned();
            view! { <SigningLine domain=domain.name.to_string() key/> }
        };
        Some(domains.into_iter().map(line).collect_view())
    };
    view! {
        <section class="card mt-4">
            <header class="card-head"><h2>{t!("dkim.title")}</h2></header>
            <div class="card-body stack gap-3">
                <p class="soft">{t!("dkim.text")}</p>
                {lines}
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn SigningLine(domain: String, key: Option<DkimKey>) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    if let Some(key) = key {
        return view! {
            <div data-dkim=domain>
                <p class="label">{t!("dkim.record", name = key.record_name)}</p>
                <pre class="code" tabindex="0">{key.record_value.clone()}</pre>
            </div>
        }
        .into_any();
    }
    let name = StoredValue::new(domain.clone());
    let make = move |()| {
        spawn_local(async move {
            match make_dkim(cache, name.get_value()).await {
                Ok(key) => toasts.done(t!("dkim.made", domain = key.domain)),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! { <div class="row"><b class="med">{domain}</b><Button text=t!("dkim.make") on_press=make/></div> }.into_any()
}
