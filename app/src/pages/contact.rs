//! One contact: how well mail reaches it, and everything that went to and fro.

use leptos::prelude::*;
use mailroom_shared::api::contacts::ContactRow;
use mailroom_shared::api::deliverability::AddressHealth;
use mailroom_shared::api::deliverability::ContactEvent;
use mailroom_shared::api::deliverability::ContactEventKind;
use mailroom_shared::api::deliverability::ContactTimeline;
use mailroom_shared::id::ContactId;
use mailroom_shared::outbox::address_health::Mark;

use crate::dates;
use crate::pages::contacts::ContactDialog;
use crate::pages::shell::use_crumbs;
use crate::queries::contacts::use_contact;
use crate::queries::contacts::use_contact_timeline;
use crate::routes::Page;
use crate::t;
use crate::tn;
use crate::ui::avatar::Avatar;
use crate::ui::avatar::Side;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::skeleton::SkeletonList;
use crate::widgets::age::Clock;
use crate::widgets::envelope::StateWord;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;

#[component]
pub fn ContactPage(id: ContactId) -> AnyView {
    let contact = use_contact(id.clone());
    let timeline = use_contact_timeline(id);
    let editing = RwSignal::new(false);
    use_crumbs(vec![(t!("contacts.title"), Some(Page::Contacts.href()))]);
    let retry = Callback::new(move |()| {
        contact.retry();
        timeline.retry();
    });
    view! {
        <main class="page" id="content">
            {move || {
                let state = contact.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(it), problem) => {
                        let for_edit = it.clone();
                        view! {
                            {problem.map(|error| view! { <StaleNotice error on_retry=retry/> })}
                            <Head it editing/>
                            {move || editing.get().then(|| view! {
                                <ContactDialog contact=Some(for_edit.clone()) on_close=move |()| editing.set(false)/>
                            })}
                        }
                        .into_any()
                    }
                }
            }}
            {move || {
                let state = timeline.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(it), _) => view! { <Timeline it/> }.into_any(),
                }
            }}
        </main>
    }
    .into_any()
}

#[component]
fn Head(it: ContactRow, editing: RwSignal<bool>) -> AnyView {
    let side = if it.internal { Side::Us } else { Side::Them };
    let records = (it.records > 0).then(|| {
        let asked = it.emails.first().map_or_else(|| it.name.clone(), ToString::to_string);
        let href = format!("/search?q={}", mailroom_shared::api::percent_encode(&asked));
        view! { <a href=href>{tn!("contacts.records", it.records)}</a> }
    });
    view! {
        <div class="page-head">
            <div class="head-text">
                <h1 class="row"><Avatar name=it.name.clone() side/>{it.name.clone()}</h1>
                <p class="row">
                    {it.internal.then(|| view! { <Tag tone=Tone::Accent text=t!("contacts.internal")/> })}
                    {t!("contact.since", date = dates::format(it.created, dates::Style::Date))}
                    {records}
                </p>
            </div>
            <div class="acts"><Button icon=Glyph::Edit text=t!("ui.edit") on_press=move |()| editing.set(true)/></div>
        </div>
    }
    .into_any()
}

const fn tone(mark: Mark) -> Tone {
    match mark {
        Mark::Unknown => Tone::Plain,
        Mark::Good => Tone::Green,
        Mark::Shaky => Tone::Amber,
        Mark::Bad => Tone::Red,
    }
}

#[component]
fn Timeline(it: ContactTimeline) -> AnyView {
    let addresses = it
        .addresses
        .iter()
        .map(|AddressHealth { address, mark, suppressed }| {
            let words = t!(&format!("contact.mark.{}", mark.as_str()));
            let why = if *suppressed { t!("contact.suppressed") } else { t!(&format!("contact.mark.{}.text", mark.as_str())) };
            let way = suppressed.then(|| {
                let href = format!("/settings/suppressions?q={}", mailroom_shared::api::percent_encode(address.as_str()));
                view! { <a href=href>{t!("contact.lift")}</a> }
            });
            view! {
                <li class="row wrap" data-mark=mark.as_str()>
                    <b class="trunc">{address.to_string()}</b><Tag tone=tone(*mark) text=words/><span class="muted">{why}</span>{way}
                </li>
            }
        })
        .collect_view();
    let now = dates::now();
    let mut day = String::new();
    let lines = it
        .events
        .into_iter()
        .map(|event| {
            let its_day = dates::day_line(event.at, now);
            let head = (its_day != day).then(|| view! { <li class="day-line"><span>{its_day.clone()}</span></li> });
            day = its_day;
            view! { {head}<Line event/> }
        })
        .collect::<Vec<_>>();
    let is_empty = lines.is_empty();
    view! {
        <section class="card mb-3">
            <header class="card-head"><h2>{t!("contact.addresses")}</h2></header>
            <ul class="card-body stack gap-2">{addresses}</ul>
        </section>
        <section class="card">
            <header class="card-head"><h2>{t!("contact.timeline")}</h2></header>
            {if is_empty {
                view! { <Blank title=t!("contact.empty") text=t!("contact.empty.text")/> }.into_any()
            } else {
                view! { <ul class="card-body contact-lines">{lines}</ul> }.into_any()
            }}
        </section>
    }
    .into_any()
}

#[component]
fn Line(event: ContactEvent) -> AnyView {
    let glyph = match event.kind {
        ContactEventKind::Sent => Glyph::Send,
        ContactEventKind::Wrote => Glyph::Reply,
        ContactEventKind::Automatic => Glyph::Bot,
        ContactEventKind::Suppressed => Glyph::Ban,
        ContactEventKind::Lifted => Glyph::Check,
    };
    let words = match event.kind {
        ContactEventKind::Sent => t!("contact.sent"),
        ContactEventKind::Wrote => t!("contact.wrote"),
        ContactEventKind::Automatic => t!("contact.automatic"),
        ContactEventKind::Suppressed => t!("contact.stopped"),
        ContactEventKind::Lifted => t!("contact.lifted"),
    };
    let subject = match (&event.record, event.subject.is_empty()) {
        (_, true) => ().into_any(),
        (Some(id), _) => {
            view! { <a class="trunc" href=Page::Record(id.clone()).href()>{event.subject.clone()}</a> }.into_any()
        }
        (None, _) => view! { <span class="trunc">{event.subject.clone()}</span> }.into_any(),
    };
    let reason = event.reason.filter(|_| event.state.is_none_or(|it| it.needs_person() || it.can_retry()));
    let text = reason.map(|it| t!(&format!("reason.{}.title", it.as_str())));
    view! {
        <li class="contact-line" data-kind=format!("{:?}", event.kind).to_lowercase()>
            <Icon glyph/>
            <Clock at=event.at/>
            <span class="contact-what">
                <span class="row wrap"><span class="muted">{words}</span>{subject}{event.state.map(|it| view! { <StateWord state=it/> })}</span>
                {text.map(|it| view! { <span class="soft small" title=event.text.clone()>{it}</span> })}
            </span>
            <span class="muted small trunc only-wide">{event.address}</span>
        </li>
    }
    .into_any()
}
