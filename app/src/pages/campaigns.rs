//! Campaigns in the order of departure: state, position, when it starts or why it waits.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::campaigns::CampaignRow;
use mailroom_shared::api::campaigns::NewCampaign;
use mailroom_shared::api::session::Role;
use mailroom_shared::campaign::ledger::per_mille;
use mailroom_shared::campaign::queue::Departure;
use mailroom_shared::campaign::queue::ParkedBy;
use mailroom_shared::campaign::queue::Waits;
use mailroom_shared::campaign::state::CampaignState;

use crate::api::ApiError;
use crate::dates;
use crate::model::envelope::EnvelopeGlyph;
use crate::pages::shell::use_crumbs;
use crate::queries::campaigns::create_campaign;
use crate::queries::campaigns::use_campaigns;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_go;
use crate::session::use_me;
use crate::t;
use crate::tn;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::seg::Tab;
use crate::ui::seg::Tabs;
use crate::ui::skeleton::SkeletonList;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;
use crate::widgets::problem::field_error;

/// Whether the reader may send to many; tracked by nobody, a change of role loads the page anew.
pub(super) fn may_send() -> bool {
    use_me().get_untracked().is_some_and(|it| matches!(it.role, Role::Administrator | Role::CampaignManager))
}

/// Campaigns and their lists, side by side.
pub(super) fn tabs(now: &Page) -> Vec<Tab> {
    [(Page::Campaigns, t!("campaigns.title")), (Page::MailingLists, t!("lists.title"))]
        .into_iter()
        .map(|(page, text)| Tab { href: page.href(), text, count: None, is_now: page == *now })
        .collect()
}

#[component]
pub fn CampaignsPage() -> AnyView {
    use_crumbs(vec![(t!("campaigns.title"), None)]);
    let list = use_campaigns();
    let is_new = RwSignal::new(false);
    let retry = Callback::new(move |()| list.retry());
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("campaigns.title")}</h1><p>{t!("campaigns.text")}</p></div>
                {may_send().then(|| view! {
                    <div class="acts">
                        <Button kind=Kind::Primary icon=Glyph::Plus text=t!("campaigns.new") on_press=move |()| is_new.set(true)/>
                    </div>
                })}
            </div>
            <Tabs label=t!("campaigns.title") tabs=tabs(&Page::Campaigns)/>
            {move || match list.state.get() {
                it if it.data.is_some() => {
                    let rows = it.data.unwrap_or_default();
                    view! {
                        {it.problem.map(|error| view! { <StaleNotice error on_retry=retry/> })}
                        {if rows.is_empty() {
                            view! { <section class="card"><Blank title=t!("campaigns.empty") text=t!("campaigns.empty.text")/></section> }.into_any()
                        } else {
                            table(rows)
                        }}
                    }.into_any()
                }
                it => match it.problem {
                    Some(error) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    None => view! { <SkeletonList/> }.into_any(),
                },
            }}
            <p class="muted small mt-4">{t!("campaigns.advice")}</p>
            {move || is_new.get().then(|| view! {
                <Dialog class="dialog--sm" on_close=move |()| is_new.set(false)><NewForm/></Dialog>
            })}
        </main>
    }
    .into_any()
}

#[component]
fn NewForm() -> AnyView {
    let (cache, go, dialog) = (use_cache(), use_go(), use_dialog());
    let name = RwSignal::new(String::new());
    let error = RwSignal::new(None::<ApiError>);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "name")));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let new = NewCampaign { name: name.get_untracked(), copy_of: None };
        spawn_local(async move {
            match create_campaign(cache, new).await {
                Ok(made) => {
                    dialog.close();
                    go.to(Page::Campaign(made.row.id).href());
                }
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <DialogHead title=t!("campaigns.new")/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("campaigns.name") value=name name="name" hint=t!("campaigns.name.hint") error=wrong autofocus=true required=true/>
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("campaigns.create")/>
            </footer>
        </form>
    }
    .into_any()
}

/// The state as icon and word.
pub(super) fn state_word(state: CampaignState) -> AnyView {
    let (glyph, class) = match state {
        CampaignState::Draft => (Glyph::Edit, ""),
        CampaignState::Queued => (Glyph::Envelope(EnvelopeGlyph::Out), "state--out"),
        CampaignState::Sending => (Glyph::Send, "state--out"),
        CampaignState::Paused => (Glyph::Envelope(EnvelopeGlyph::Wait), "state--wait"),
        CampaignState::Sent => (Glyph::Envelope(EnvelopeGlyph::Plain), ""),
        CampaignState::Stopped => (Glyph::Envelope(EnvelopeGlyph::Off), "state--off"),
    };
    view! {
        <span class=format!("state {class}") data-state=state.as_str()>
            <Icon glyph/>
            {t!(&format!("campaign.state.{}", state.as_str()))}
        </span>
    }
    .into_any()
}

/// Why it waits, in words.
pub(super) fn waits_words(waits: &Waits) -> String {
    let now = dates::now();
    match waits {
        Waits::Pause => t!("campaign.waits.pause"),
        Waits::Schedule { until } => t!("campaign.waits.schedule", when = dates::when_text(*until, now)),
        Waits::Turn { ahead } => tn!("campaign.waits.turn", *ahead),
        Waits::Parked { parked } => {
            let key = match parked.by {
                ParkedBy::Limit => "campaign.waits.limit",
                ParkedBy::Server => "campaign.waits.server",
                ParkedBy::Domain => "campaign.waits.domain",
                ParkedBy::Bounces => "campaign.waits.bounces",
                ParkedBy::Complaints => "campaign.waits.complaints",
            };
            t!(key, server = parked.server, when = dates::when_text(parked.until, now))
        }
        Waits::NoServer => t!("campaign.waits.no_server"),
        Waits::ActionOff => t!("campaign.waits.action_off"),
    }
}

/// When it starts or, begun, when it is done; why it waits.
pub(super) fn departure_words(it: &Departure, has_begun: bool) -> String {
    let now = dates::now();
    let when = match (it.parts.first(), it.parts.last()) {
        (Some(_), Some(last)) if has_begun => Some(t!("campaign.done_about", when = dates::when_text(last.ends, now))),
        (Some(first), _) => Some(t!("campaign.starts_about", when = dates::when_text(first.starts, now))),
        _ => None,
    };
    let why = it.waits.as_ref().map(waits_words);
    [why, when].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn table(rows: Vec<CampaignRow>) -> AnyView {
    let lines = rows.into_iter().map(line).collect_view();
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("campaigns.title")>
            <table class="tbl" style="min-width:860px">
                <colgroup>
                    <col style="width:52px"/><col/><col style="width:120px"/><col style="width:34%"/><col style="width:190px"/>
                </colgroup>
                <thead>
                    <tr>
                        <th class="r">"#"</th>
                        <th>{t!("campaigns.column.name")}</th>
                        <th>{t!("campaigns.column.state")}</th>
                        <th>{t!("campaigns.column.when")}</th>
                        <th class="r">{t!("campaigns.column.progress")}</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn line(row: CampaignRow) -> AnyView {
    let now = dates::now();
    let when = match (&row.departure, row.ended) {
        (Some(it), _) => departure_words(it, row.started.is_some()),
        (None, Some(at)) => t!("campaign.ended", when = dates::when_text(at, now)),
        (None, None) => t!("campaign.made", when = dates::when_text(row.created, now), name = row.by),
    };
    let position = row.departure.as_ref().and_then(|it| it.position).map_or_else(String::new, |it| it.to_string());
    let share = per_mille(row.handed_over, row.recipients);
    let progress = if row.recipients == 0 {
        "–".to_owned()
    } else {
        t!("campaign.progress", n = dates::number(row.handed_over), of = dates::number(row.recipients))
    };
    view! {
        <tr data-campaign=row.id.to_string()>
            <td class="r num">{position}</td>
            <td><a class="med trunc" href=Page::Campaign(row.id.clone()).href()>{row.name}</a></td>
            <td>{state_word(row.state)}</td>
            <td class="soft" title=when.clone()>{when.clone()}</td>
            <td class="r">
                <span class="num">{progress}</span>
                {(row.recipients > 0 && row.state.is_active()).then(|| view! {
                    <span class="meter"><i style=format!("--v:{}%", f64::from(share) / 10.0)></i></span>
                })}
            </td>
        </tr>
    }
    .into_any()
}
