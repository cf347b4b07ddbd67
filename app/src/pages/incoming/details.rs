//! One mail of the journal, opened: why, what the peer saw, what was done, what can be done.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::incoming::Fate;
use mailroom_shared::api::incoming::IncomingAction;
use mailroom_shared::api::incoming::IncomingRow;
use mailroom_shared::api::incoming::IncomingView;
use mailroom_shared::api::route::RouteReply;

use super::Tray;
use super::glyph;
use super::is_administrator;
use crate::api::ApiError;
use crate::dates;
use crate::dates::Style;
use crate::i18n;
use crate::queries::incoming::check_incoming;
use crate::queries::incoming::incoming_original;
use crate::queries::incoming::use_incoming_view;
use crate::session::use_me;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::skeleton::SkeletonList;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::route_answer::RouteAnswer;

#[component]
pub(super) fn Details(tray: Tray, row: IncomingRow) -> AnyView {
    let view = use_incoming_view(row.id.clone());
    let row = StoredValue::new(row);
    view! {
        <tr class="sub-row">
            <td colspan="6">
                <div class="card-body stack gap-3">
                    {move || {
                        let state = view.state.get();
                        match (state.data, state.problem) {
                            (Some(it), _) => view! { <Known view=it/> }.into_any(),
                            (None, Some(error)) => view! { <ProblemBlank error on_retry=move |()| view.retry()/> }.into_any(),
                            (None, None) => view! { <SkeletonList/> }.into_any(),
                        }
                    }}
                    <Acts tray row=row.get_value()/>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn Known(view: IncomingView) -> AnyView {
    let row = view.row;
    let checks: Vec<String> = [("SPF", view.spf), ("DKIM", view.dkim), ("DMARC", view.dmarc)]
        .into_iter()
        .filter_map(|(name, result)| {
            let result = result?;
            let words = i18n::try_text(&format!("authentication.{result}"), &[]).unwrap_or(result);
            Some(format!("{name}: {words}"))
        })
        .collect();
    let lines = [
        (t!("incoming.details.at"), dates::format(row.at, Style::Full)),
        (t!("incoming.details.mail_from"), if row.mail_from.is_empty() { "<>".to_owned() } else { row.mail_from }),
        (t!("incoming.details.from"), row.from),
        (t!("incoming.details.to"), row.rcpt_to),
        (t!("incoming.details.message_id"), row.message_id.unwrap_or_default()),
        (t!("incoming.details.checks"), checks.join(" · ")),
        (t!("incoming.details.why"), view.why.join(" → ")),
        (t!("incoming.details.error"), view.error.unwrap_or_default()),
        (t!("incoming.details.kept"), view.kept_until.map(|at| dates::format(at, Style::Full)).unwrap_or_default()),
    ];
    let events = view.events.into_iter().map(|it| {
        let kind = i18n::try_text(&format!("incoming.event.{}", it.kind), &[]).unwrap_or(it.kind);
        let by = it.by.map(|it| format!(" · {it}")).unwrap_or_default();
        view! {
            <li>
                <time datetime=it.at.to_rfc3339()>{dates::format(it.at, Style::Full)}</time>
                <Icon glyph=Glyph::Right/>
                <span>{kind}{by}" "<span class="muted">{it.text}</span></span>
            </li>
        }
    });
    let events: Vec<_> = events.collect();
    view! {
        {view.answer.map(|it| view! {
            <div>
                <p class="label">{t!("incoming.details.answer")}</p>
                <pre class="code" tabindex="0">{it}</pre>
            </div>
        })}
        <dl class="kv" style="grid-template-columns:max-content minmax(0,1fr)">
            {lines
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> })
                .collect_view()}
        </dl>
        {(!events.is_empty()).then(|| view! {
            <div><p class="label">{t!("incoming.details.history")}</p><ul class="events">{events}</ul></div>
        })}
    }
    .into_any()
}

/// What can be done with a mail in this state.
fn possible(fate: Fate, is_admin: bool) -> &'static [IncomingAction] {
    match fate {
        Fate::Held if is_admin => &[IncomingAction::Release, IncomingAction::Route, IncomingAction::Dismiss],
        Fate::Held => &[IncomingAction::Release, IncomingAction::Dismiss],
        Fate::Dismissed => &[IncomingAction::Restore, IncomingAction::Release],
        Fate::Failed if is_admin => &[IncomingAction::Replay, IncomingAction::Route, IncomingAction::Discard],
        Fate::Discarded if is_admin => &[IncomingAction::Restore, IncomingAction::Route],
        _ => &[],
    }
}

#[component]
fn Acts(tray: Tray, row: IncomingRow) -> AnyView {
    let me = use_me();
    let answer = RwSignal::new(None::<RouteReply>);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let id = StoredValue::new(row.id.clone());
    let check = move |()| {
        busy.set(true);
        spawn_local(async move {
            let id = id.get_value();
            let got = check_incoming(&id).await;
            let _ = busy.try_set(false);
            match got {
                Ok(it) => {
                    let _ = error.try_set(None);
                    let _ = answer.try_set(Some(it));
                }
                Err(it) => {
                    let _ = error.try_set(Some(it));
                }
            }
        });
    };
    let fate = row.fate;
    let can_ask = matches!(fate, Fate::Refused | Fate::Held | Fate::Dismissed | Fate::Failed | Fate::Discarded);
    // A held message of a record is moved with the record's own means.
    let on_record = row.message.is_some();
    view! {
        <div class="row row--wrap">
            {move || {
                let is_admin = me.with(|it| it.as_ref().is_some_and(is_administrator));
                possible(fate, is_admin)
                    .iter()
                    .filter(|it| **it != IncomingAction::Route || !on_record)
                    .enumerate()
                    .map(|(i, action)| {
                        let action = *action;
                        let kind = match (i, action) {
                            (0, _) => Kind::Primary,
                            (_, IncomingAction::Dismiss | IncomingAction::Discard) => Kind::Danger,
                            _ => Kind::Plain,
                        };
                        let text = t!(&format!("incoming.action.{}", action.as_str()));
                        view! { <Button kind icon=glyph(action) text on_press=move |()| tray.act(action, Some(id.get_value()))/> }
                    })
                    .collect_view()
            }}
            {can_ask.then(|| view! {
                <Button icon=Glyph::Help text=t!("incoming.check") disabled=busy on_press=check/>
            })}
            {row.has_original.then(|| view! {
                <a class="btn" href=format!("{}?show", incoming_original(&row.id)) target="_blank" rel="external noopener"><Icon glyph=Glyph::Source/>{t!("message.original")}</a>
                <a class="btn" href=incoming_original(&row.id) download="original.eml" rel="external"><Icon glyph=Glyph::Download/>{t!("incoming.download")}</a>
            })}
        </div>
        <FormProblem error=error.into()/>
        {move || answer.get().map(|reply| view! {
            <section class="card" aria-label=t!("incoming.check")><RouteAnswer reply/></section>
        })}
    }
    .into_any()
}
