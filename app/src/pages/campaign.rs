//! One campaign: written while it is a draft, watched afterwards.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::campaigns::ActOnCampaign;
use mailroom_shared::api::campaigns::CampaignView;
use mailroom_shared::api::campaigns::NewCampaign;
use mailroom_shared::campaign::state::CampaignAct;
use mailroom_shared::campaign::state::CampaignState;
use mailroom_shared::id::CampaignId;

use crate::dates;
use crate::pages::campaigns::departure_words;
use crate::pages::campaigns::may_send;
use crate::pages::campaigns::state_word;
use crate::pages::shell::use_crumbs;
use crate::queries::campaigns::act_on_campaign;
use crate::queries::campaigns::create_campaign;
use crate::queries::campaigns::use_campaign;
use crate::queries::campaigns::use_campaigns;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_go;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::toast_problem;

mod blocks;
mod editor;
mod preflight;
mod recipients;
mod results;

#[component]
pub fn CampaignPage(id: CampaignId) -> AnyView {
    use_crumbs(vec![(t!("campaigns.title"), Some(Page::Campaigns.href())), (t!("campaign.title"), None)]);
    let campaign = use_campaign(id.clone());
    let retry = Callback::new(move |()| campaign.retry());
    // News of figures must not build the editor anew while somebody types in it.
    let is_draft = campaign.part(|it| it.row.state == CampaignState::Draft);
    let problem = Memo::new(move |_| campaign.state.with(|it| it.problem.clone().filter(|_| it.data.is_none())));
    let view = Signal::derive(move || campaign.data());
    view! {
        <main class="page" id="content">
            {move || match (is_draft.get(), problem.get()) {
                (Some(true), _) if !may_send() => campaign.state.with_untracked(|it| it.data.clone()).map(|it| view! {
                    <editor::ReadDraft first=it/>
                }).into_any(),
                (Some(true), _) => campaign.state.with_untracked(|it| it.data.clone()).map(|it| view! {
                    <editor::Editor first=it/>
                }).into_any(),
                (Some(false), _) => {
                    let id = id.clone();
                    view! { <Watch id view/> }.into_any()
                }
                (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                (None, None) => view! { <SkeletonList/> }.into_any(),
            }}
        </main>
    }
    .into_any()
}

/// What a person can do with it now.
#[component]
fn Acts(it: CampaignView) -> AnyView {
    let (cache, toasts, go) = (use_cache(), use_toasts(), use_go());
    let id = it.row.id.clone();
    let does = |act: CampaignAct| {
        let id = id.clone();
        move |()| {
            let id = id.clone();
            spawn_local(async move {
                match act_on_campaign(cache, id, ActOnCampaign { act, at: None }).await {
                    Ok(_) => toasts.done(t!(&format!("campaign.did.{}", act.as_str()))),
                    Err(error) => toast_problem(toasts, &error),
                }
            });
        }
    };
    let can = |act: CampaignAct| it.acts.contains(&act);
    let copy = {
        let (id, name) = (it.row.id.clone(), it.row.name.clone());
        move |()| {
            let new = NewCampaign { name: t!("campaign.copy_of", name = name), copy_of: Some(id.clone()) };
            spawn_local(async move {
                match create_campaign(cache, new).await {
                    Ok(made) => go.to(Page::Campaign(made.row.id).href()),
                    Err(error) => toast_problem(toasts, &error),
                }
            });
        }
    };
    let button = |act: CampaignAct, kind: Kind, glyph: Glyph| {
        can(act).then(|| {
            let press = does(act);
            let (text, label) =
                (t!(&format!("campaign.act.{}", act.as_str())), t!(&format!("campaign.why.{}", act.as_str())));
            view! { <Button kind icon=glyph text label on_press=press/> }
        })
    };
    view! {
        <div class="acts row">
            <Button icon=Glyph::Copy text=t!("campaign.duplicate") on_press=copy/>
            {button(CampaignAct::Retry, Kind::Plain, Glyph::Retry)}
            {button(CampaignAct::Cancel, Kind::Plain, Glyph::Undo)}
            {button(CampaignAct::Pause, Kind::Plain, Glyph::Clock)}
            {button(CampaignAct::Resume, Kind::Primary, Glyph::Send)}
            {button(CampaignAct::Stop, Kind::Danger, Glyph::Ban)}
        </div>
    }
    .into_any()
}

/// Campaigns in the queue, in the order in which they leave.
#[component]
fn Departures(now: CampaignId) -> AnyView {
    let all = use_campaigns();
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("campaign.departures")}</h2><span class="sub">{t!("campaign.departures.order")}</span></header>
            <ol class="queue">
                {move || all.data().unwrap_or_default().into_iter().filter_map(|it| it.departure.clone().map(|found| (it, found))).map(|(it, found)| {
                    let words = departure_words(&found, it.started.is_some());
                    let is_now = it.id == now;
                    view! {
                        <li class:is-this=is_now>
                            <span class="pos num muted">{found.position}</span>
                            <a class="med trunc" href=Page::Campaign(it.id).href()>{it.name}</a>
                            <span class="num">{dates::number(it.recipients)}</span>
                            <span></span>
                            <span class="muted small">{words}</span>
                        </li>
                    }
                }).collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

/// A campaign that has left the draft.
#[component]
fn Watch(id: CampaignId, view: Signal<Option<CampaignView>>) -> AnyView {
    let recipients = id.clone();
    view! {
        {move || view.get().map(|it| {
            let row = it.row.clone();
            let line = row.departure.as_ref().map(|found| {
                let words = departure_words(found, row.started.is_some());
                let place = found.position.map(|n| t!("campaign.position", n = n));
                let days = (found.parts.len() > 1).then(|| tn!("campaign.parts", found.parts.len()));
                [place, Some(words), days].into_iter().flatten().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")
            });
            let parts: Vec<_> = row.departure.map(|it| it.parts).unwrap_or_default();
            view! {
                <div class="page-head">
                    <div class="head-text">
                        <div class="row"><h1>{row.name.clone()}</h1>{state_word(row.state)}</div>
                        <p>{t!("campaign.from_to", from = it.sender, subject = row.subject, name = row.by)}</p>
                    </div>
                    {may_send().then(|| view! { <Acts it=it.clone()/> })}
                </div>
                {line.filter(|it| !it.is_empty()).map(|text| view! { <Notice weight=Weight::Info icon=Glyph::Clock text/> })}
                {it.is_expanding.then(|| view! { <Notice icon=Glyph::Info text=t!("campaign.expanding")/> })}
                <div class=if row.state.is_active() { "cols cols--side mt-4" } else { "mt-4" }>
                    <div class="stack gap-4">
                        <results::Where ledger=it.ledger.clone()/>
                        {(parts.len() > 1).then(|| results::parts(&parts, dates::now()))}
                    </div>
                    {row.state.is_active().then(|| view! { <Departures now=row.id.clone()/> })}
                </div>
            }
        })}
        <results::Results id view/>
        {may_send().then(|| view! { <recipients::Recipients id=recipients/> })}
    }
    .into_any()
}
