//! Rules of mail that comes in: who is believed, loop protection, sizes.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::policy::InboundRules;
use mailroom_shared::policy::Caution;
use mailroom_shared::policy::LoopPolicy;
use mailroom_shared::policy::Policy;

use super::is_administrator;
use crate::api::ApiError;
use crate::model::server::megabytes;
use crate::model::server::optional_number;
use crate::queries::incoming::change_inbound_rules;
use crate::queries::incoming::use_inbound_rules;
use crate::queries::shell::one_of;
use crate::queries::shell::use_types;
use crate::queries::use_cache;
use crate::session::use_me;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::field::Input;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::field_error;

#[component]
pub(super) fn InboundRulesTab() -> AnyView {
    let rules = use_inbound_rules();
    let retry = Callback::new(move |()| rules.retry());
    // Built once: what somebody types outlives the news that come.
    let is_there = Memo::new(move |_| rules.state.with(|it| it.data.is_some()));
    let problem = Memo::new(move |_| rules.state.with(|it| it.problem.clone()));
    view! {
        {move || match (is_there.get(), problem.get()) {
            (true, _) => rules.state.with_untracked(|it| it.data.clone()).map(|it| view! { <Form it/> }).into_any(),
            (false, None) => view! { <SkeletonList/> }.into_any(),
            (false, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
        }}
    }
    .into_any()
}

fn lines(text: &str) -> Vec<String> {
    text.split(['\n', ',', ';']).map(|it| it.trim().to_lowercase()).filter(|it| !it.is_empty()).collect()
}

/// What is no number is sent as one that is refused, so that the field is named.
fn number(text: RwSignal<String>, empty: u32) -> u32 {
    text.with_untracked(|it| optional_number(it)).map_or(u32::MAX, |it| it.unwrap_or(empty))
}

#[component]
fn Form(it: InboundRules) -> AnyView {
    let (cache, toasts, types, me) = (use_cache(), use_toasts(), use_types(), use_me());
    let is_admin = Memo::new(move |_| me.with(|it| it.as_ref().is_some_and(is_administrator)));
    let Policy { r#loop: guard, fallback_type, unauthenticated_insider, stranger_reply, local_part_domains, max_size } =
        it.policy;
    let figure = |n: u32| RwSignal::new(if n == 0 { String::new() } else { n.to_string() });
    let (threshold, minutes) = (figure(guard.threshold), figure(guard.minutes));
    let (per_alias, per_domain) = (figure(guard.per_alias), figure(guard.per_domain));
    let allow = RwSignal::new(guard.allow.join("\n"));
    let insider = RwSignal::new(unauthenticated_insider.as_str().to_owned());
    let stranger = RwSignal::new(stranger_reply.as_str().to_owned());
    let fallback = RwSignal::new(fallback_type.unwrap_or_default());
    let local_parts = RwSignal::new(local_part_domains.join("\n"));
    let size = RwSignal::new((max_size / (1024 * 1024)).to_string());
    let database = RwSignal::new(megabytes(it.database_limit.map(|it| u32::try_from(it / 1_000).unwrap_or(u32::MAX))));
    let error = RwSignal::new(None::<ApiError>);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let cautions = Signal::stored(
        Caution::ALL.map(|it| (it.as_str().to_owned(), t!(&format!("inbound.caution.{}", it.as_str())))).to_vec(),
    );
    let fallbacks = Signal::derive(move || {
        let mut all = vec![(String::new(), t!("inbound.fallback.none"))];
        all.extend(types.get().iter().map(|it| (it.name.to_string(), one_of(it))));
        all
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let caution = |it: RwSignal<String>| it.with_untracked(|it| Caution::parse(it)).unwrap_or(Caution::Hold);
        let rules = InboundRules {
            policy: Policy {
                r#loop: LoopPolicy {
                    threshold: number(threshold, 0),
                    minutes: number(minutes, 0),
                    allow: lines(&allow.get_untracked()),
                    per_alias: number(per_alias, 0),
                    per_domain: number(per_domain, 0),
                },
                fallback_type: Some(fallback.get_untracked()).filter(|it| !it.is_empty()),
                unauthenticated_insider: caution(insider),
                stranger_reply: caution(stranger),
                local_part_domains: lines(&local_parts.get_untracked()),
                max_size: (number(size, 25) as usize).saturating_mul(1024 * 1024),
            },
            database_limit: Some(u64::from(number(database, 0)) * 1_000_000_000).filter(|it| *it > 0),
        };
        spawn_local(async move {
            match change_inbound_rules(cache, rules).await {
                Ok(_) => {
                    let _ = error.try_set(None);
                    toasts.done(t!("inbound.saved"));
                }
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <form class="stack gap-3" on:submit=submit>
            <section class="card">
                <header class="card-head"><h2>{t!("inbound.trust")}</h2></header>
                <div class="card-body stack gap-3">
                    <SelectField label=t!("inbound.insider") hint=t!("inbound.insider.hint") value=insider options=cautions name="insider"/>
                    <SelectField label=t!("inbound.stranger") hint=t!("inbound.stranger.hint") value=stranger options=cautions name="stranger"/>
                    <SelectField label=t!("inbound.fallback") hint=t!("inbound.fallback.hint") value=fallback options=fallbacks error=wrong("fallback_type") name="fallback"/>
                    <TextField label=t!("inbound.local_parts") hint=t!("inbound.local_parts.hint") value=local_parts kind=Input::Lines error=wrong("local_part_domains") name="local_parts"/>
                </div>
            </section>
            <section class="card">
                <header class="card-head"><h2>{t!("inbound.loop")}</h2></header>
                <div class="card-body stack gap-3">
                    <p class="soft">{t!("inbound.loop.text")}</p>
                    <div class="form-two">
                        <TextField label=t!("inbound.threshold") value=threshold error=wrong("threshold") name="threshold"/>
                        <TextField label=t!("inbound.minutes") value=minutes error=wrong("minutes") name="minutes"/>
                    </div>
                    <div class="form-two">
                        <TextField label=t!("inbound.per_alias") hint=t!("inbound.no_limit") value=per_alias name="per_alias"/>
                        <TextField label=t!("inbound.per_domain") hint=t!("inbound.no_limit") value=per_domain name="per_domain"/>
                    </div>
                    <TextField label=t!("inbound.allow") hint=t!("inbound.allow.hint") value=allow kind=Input::Lines error=wrong("allow") name="allow"/>
                </div>
            </section>
            <section class="card">
                <header class="card-head"><h2>{t!("inbound.sizes")}</h2></header>
                <div class="card-body form-two">
                    <TextField label=t!("inbound.max_size") hint=t!("inbound.max_size.hint") value=size error=wrong("max_size") name="max_size"/>
                    <TextField label=t!("inbound.database") hint=t!("inbound.database.hint") value=database name="database"/>
                </div>
            </section>
            <FormProblem error=error.into()/>
            {move || is_admin.get().then(|| view! { <div><Button kind=Kind::Primary submit=true text=t!("ui.save")/></div> })}
        </form>
    }
    .into_any()
}
