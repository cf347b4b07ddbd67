//! Who follows a record and how they are told; adding and removing.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::contacts::ContactRow;
use mailroom_shared::api::records::FollowerView;
use mailroom_shared::api::records::NewFollower;
use mailroom_shared::api::records::Subtype;
use mailroom_shared::api::records::Subtypes;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::state::EnvelopeState;

use super::envelope::EnvelopeMark;
use super::problem::toast_problem;
use crate::model::delivery::looks_like_address;
use crate::queries::contacts::find_contacts;
use crate::queries::records::add_follower;
use crate::queries::records::change_follower;
use crate::queries::records::remove_follower;
use crate::queries::use_cache;
use crate::t;
use crate::ui::avatar::Avatar;
use crate::ui::avatar::Side;
use crate::ui::button::Button;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::menu::Menu;
use crate::ui::menu::MenuItem;
use crate::ui::toast::Toast;
use crate::ui::toast::use_toasts;

/// One follower.
#[component]
pub fn FollowerLine(record: RecordId, follower: FollowerView) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let side = if follower.internal { Side::Us } else { Side::Them };
    let how = match follower.by {
        NotifyBy::Email => t!("follower.by.email"),
        NotifyBy::Mailroom => t!("follower.by.mailroom"),
    };
    let who = match (follower.you, follower.internal) {
        (true, _) => t!("follower.you"),
        (false, true) => t!("follower.colleague"),
        (false, false) => follower.email.as_ref().map_or_else(|| t!("follower.no_address"), ToString::to_string),
    };
    let choices = choices(&follower);
    let (for_choice, wants) = (StoredValue::new((record.clone(), follower.contact.clone())), follower.wants);
    let choose = Callback::new(move |subtype: Subtype| {
        let (record, contact) = for_choice.get_value();
        let wants = toggled(wants, subtype);
        spawn_local(async move {
            match change_follower(cache, record, contact, wants).await {
                Ok(_) => toasts.done(t!("follower.changed")),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    });
    let remove = {
        let follower = follower.clone();
        Callback::new(move |()| {
            let (record, follower) = (record.clone(), follower.clone());
            spawn_local(async move {
                match remove_follower(cache, record.clone(), follower.contact.clone()).await {
                    Ok(_) => {
                        let back = Callback::new(move |()| {
                            let new = NewFollower { contact: Some(follower.contact.clone()), ..NewFollower::default() };
                            let record = record.clone();
                            spawn_local(async move {
                                if let Err(error) = add_follower(cache, record, new).await {
                                    toast_problem(toasts, &error);
                                }
                            });
                        });
                        toasts.show(Toast::new(Glyph::People, t!("follower.removed")).undo(back));
                    }
                    Err(error) => toast_problem(toasts, &error),
                }
            });
        })
    };
    let mark = match (follower.envelope, follower.by) {
        (Some(state), _) if state != EnvelopeState::Fine => view! { <EnvelopeMark state/> }.into_any(),
        (_, NotifyBy::Email) => told(Glyph::Envelope(crate::model::envelope::EnvelopeGlyph::Plain), how),
        (_, NotifyBy::Mailroom) => told(Glyph::Bell, how),
    };
    view! {
        <li class="person">
            <Avatar name=follower.name.clone() side/>
            <span class="trunc">
                <span class="name">{follower.name.clone()}</span>
                <span class="sub trunc" style="display:block" title=who.clone()>{who.clone()}</span>
            </span>
            <Menu
                class="bare"
                label=t!("follower.menu", name = follower.name)
                trigger=mark
            >
                {choices
                    .iter()
                    .map(|(subtype, key, on)| {
                        let subtype = *subtype;
                        let press = Callback::new(move |()| choose.run(subtype));
                        view! { <MenuItem text=t!(key) checked=*on is_switch=true on_press=press/> }
                    })
                    .collect_view()}
                <MenuItem icon=Glyph::Close text=t!("follower.remove") on_press=remove/>
            </Menu>
        </li>
    }
    .into_any()
}

/// What a follower may be told of, and whether he is: colleagues choose among all, others hear of messages alone.
fn choices(follower: &FollowerView) -> Vec<(Subtype, &'static str, bool)> {
    [
        (Subtype::Message, "follower.wants.messages"),
        (Subtype::Note, "follower.wants.notes"),
        (Subtype::Stage, "follower.wants.stages"),
    ]
    .into_iter()
    .filter(|(subtype, _)| follower.internal || *subtype == Subtype::Message)
    .map(|(subtype, key)| (subtype, key, follower.wants.has(subtype)))
    .collect()
}

fn toggled(mut wants: Subtypes, subtype: Subtype) -> Subtypes {
    let place = match subtype {
        Subtype::Message => &mut wants.messages,
        Subtype::Note => &mut wants.notes,
        Subtype::Stage => &mut wants.stages,
    };
    *place = !*place;
    wants
}

fn told(glyph: Glyph, words: String) -> AnyView {
    let title = words.clone();
    view! {
        <span class="env env--still" title=title><Icon glyph/><span class="vh">{words}</span></span>
    }
    .into_any()
}

/// Finds a contact or takes an address.
#[component]
pub fn AddFollower(record: RecordId, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! {
        <Dialog class="dialog--sm" on_close>
            <AddContent record/>
        </Dialog>
    }
    .into_any()
}

#[component]
fn AddContent(record: RecordId) -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let text = RwSignal::new(String::new());
    let found = RwSignal::new(Vec::<ContactRow>::new());
    let record = StoredValue::new(record);
    let add = move |new: NewFollower| {
        let record = record.get_value();
        spawn_local(async move {
            match add_follower(cache, record, new).await {
                Ok(_) => toasts.done(t!("follower.added")),
                Err(error) => toast_problem(toasts, &error),
            }
        });
        dialog.close();
    };
    Effect::new(move |_| {
        let typed = text.get();
        spawn_local(async move {
            crate::dates::sleep(180).await;
            if text.try_get_untracked().is_none_or(|it| it != typed) {
                return;
            }
            if let Ok(rows) = find_contacts(&typed).await {
                let _ = found.try_set(rows);
            }
        });
    });
    let new_address = move || {
        let typed = text.get().trim().to_owned();
        let is_new = looks_like_address(&typed)
            && found.with(|all| all.iter().all(|it| it.emails.iter().all(|email| email.as_str() != typed)));
        is_new.then_some(typed)
    };
    view! {
        <DialogHead title=t!("follower.add.title")/>
        <div class="dialog-body dialog-body--form">
            <TextField label=t!("follower.add.field") value=text autofocus=true placeholder=t!("follower.add.placeholder")/>
            <div class="stack">
                {move || new_address().map(|address| {
                    let new = NewFollower { email: Some(address.clone()), ..NewFollower::default() };
                    view! {
                        <Button icon=Glyph::Plus text=t!("follower.add.new", address = address) on_press=move |()| add(new.clone())/>
                    }
                })}
                {move || found
                    .get()
                    .into_iter()
                    .map(|row| {
                        let new = NewFollower { contact: Some(row.id.clone()), ..NewFollower::default() };
                        let side = if row.internal { Side::Us } else { Side::Them };
                        let email = row.emails.first().map(ToString::to_string).unwrap_or_default();
                        view! {
                            <button type="button" class="menu-item" on:click=move |_| add(new.clone())>
                                <Avatar name=row.name.clone() side small=true/>
                                <span class="trunc">{row.name.clone()}<small class="trunc">{email}</small></span>
                            </button>
                        }
                    })
                    .collect_view()}
            </div>
        </div>
    }
    .into_any()
}
