//! Fix and retry: one field for each address at which the chosen deliveries failed.

use std::collections::HashSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::failures::CorrectFailures;
use mailroom_shared::api::failures::FailingAddress;
use mailroom_shared::api::failures::FailureAction;
use mailroom_shared::id::DeliveryId;

use super::Inbox;
use crate::model::delivery::looks_like_address;
use crate::queries::failures::correct;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::unique_id;
use crate::widgets::problem::toast_problem;

/// What is to be corrected.
#[derive(Clone)]
pub(super) struct Fix {
    pub addresses: Vec<FailingAddress>,
    /// Only these; empty for all that failed at those addresses.
    pub deliveries: Vec<DeliveryId>,
}

#[component]
pub(super) fn FixDialog(inbox: Inbox, fix: Fix, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! { <Dialog on_close><Content inbox fix/></Dialog> }.into_any()
}

/// A field: the old address and what is typed.
#[derive(Clone, Copy)]
struct Field {
    old: StoredValue<String>,
    typed: RwSignal<String>,
    n: u32,
}

impl Field {
    /// The new address, when another one was typed.
    fn wish(self) -> Option<String> {
        let typed = self.typed.get().trim().to_owned();
        (!typed.is_empty() && self.old.with_value(|old| !old.eq_ignore_ascii_case(&typed))).then_some(typed)
    }
}

#[component]
fn Content(inbox: Inbox, fix: Fix) -> AnyView {
    let dialog = use_dialog();
    let has_contact = fix.addresses.iter().any(|it| it.contact);
    let update_contact = RwSignal::new(has_contact);
    let fields: Vec<Field> = fix
        .addresses
        .iter()
        .map(|it| Field {
            old: StoredValue::new(it.address.clone()),
            typed: RwSignal::new(it.address.clone()),
            n: it.n,
        })
        .collect();
    let fields = StoredValue::new(fields);
    let sends =
        Memo::new(move |_| fields.get_value().into_iter().filter(|it| it.wish().is_some()).map(|it| it.n).sum::<u32>());
    let is_bad =
        Memo::new(move |_| fields.get_value().into_iter().filter_map(Field::wish).any(|it| !looks_like_address(&it)));
    let deliveries = StoredValue::new(fix.deliveries);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_bad.get_untracked() || sends.get_untracked() == 0 {
            return;
        }
        let wishes: Vec<(String, String, u32)> = untrack(|| {
            let all = fields.get_value().into_iter();
            all.filter_map(|it| Some((it.old.get_value(), it.wish()?, it.n))).collect()
        });
        run(inbox, wishes, deliveries.get_value(), update_contact.get_untracked());
        dialog.close();
    };
    let is_empty = fix.addresses.is_empty();
    let rows = fix.addresses.into_iter().zip(fields.get_value()).map(|(it, field)| row(it, field)).collect_view();
    view! {
        <DialogHead title=t!("failures.fix.title") sub=t!("failures.fix.text") focus=true/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                {is_empty.then(|| view! { <p>{t!("failures.fix.none")}</p> })}
                {rows}
                {has_contact.then(|| view! {
                    <Check
                        text=t!("delivery.fix.contact")
                        checked=Signal::derive(move || update_contact.get())
                        on_change=move |on: bool| update_contact.set(on)
                    />
                })}
            </div>
            <footer class="dialog-foot">
                <span class="muted small">{move || tn!("failures.fix.sends", sends.get())}</span>
                <span class="push"></span>
                <Button text=t!("ui.close") on_press=move |()| dialog.close()/>
                <Button
                    kind=Kind::Primary
                    text=t!("failures.fix.send")
                    submit=true
                    disabled=Signal::derive(move || is_bad.get() || sends.get() == 0)
                />
            </footer>
        </form>
    }
    .into_any()
}

fn row(it: FailingAddress, field: Field) -> AnyView {
    let id = unique_id("fix");
    let is_bad = move || field.wish().is_some_and(|it| !looks_like_address(&it));
    let who = if it.name.is_empty() { it.address.clone() } else { format!("{} · {}", it.name, it.address) };
    view! {
        <div class="field">
            <label for=id.clone()>{who}" "<span class="muted num">{tn!("failures.fix.mails", it.n)}</span></label>
            <input
                id=id
                class="input"
                class:is-bad=is_bad
                type="text"
                inputmode="email"
                autocomplete="off"
                spellcheck="false"
                data-fix=it.address
                aria-invalid=move || is_bad().then_some("true")
                prop:value=field.typed
                on:input=move |event| field.typed.set(event_target_value(&event))
            />
            {move || is_bad().then(|| view! { <span class="hint hint--bad" role="alert">{t!("field.address")}</span> })}
        </div>
    }
    .into_any()
}

/// Address by address under one operation, so that one undo takes all of it back.
fn run(inbox: Inbox, wishes: Vec<(String, String, u32)>, deliveries: Vec<DeliveryId>, update_contact: bool) {
    inbox.selection.update(HashSet::clear);
    let total: u32 = wishes.iter().map(|it| it.2).sum();
    spawn_local(async move {
        let (mut changed, mut operation) = (0, None);
        for (old, new, n) in wishes {
            // A request takes 500; what is left of an address fails again and is found again.
            let chunks: Vec<Vec<DeliveryId>> = match deliveries.len() {
                0 => vec![Vec::new(); n.div_ceil(super::MOST as u32).max(1) as usize],
                _ => deliveries.chunks(super::MOST).map(<[_]>::to_vec).collect(),
            };
            for deliveries in chunks {
                inbox.progress.set(Some((String::new(), changed, total)));
                let what = CorrectFailures {
                    old: old.clone(),
                    new: new.clone(),
                    apply: true,
                    deliveries,
                    update_contact,
                    operation: operation.clone(),
                };
                match correct(inbox.cache, &what).await {
                    Ok(done) => {
                        changed += done.n;
                        operation = done.operation.or(operation);
                    }
                    Err(error) => toast_problem(inbox.toasts, &error),
                }
            }
        }
        inbox.progress.set(None);
        if let Some(operation) = operation {
            inbox.tell(FailureAction::Retry, changed, operation);
        }
    });
}
