//! Where a mail should go: a record or an alias.

use leptos::prelude::*;
use mailroom_shared::api::records::RecordQuery;
use mailroom_shared::id::AliasId;
use mailroom_shared::id::RecordId;

use crate::queries::aliases::use_aliases;
use crate::queries::records::use_records;
use crate::t;
use crate::ui::button::Button;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::TextField;

/// What was chosen: one of the two.
pub(super) type Target = (Option<RecordId>, Option<AliasId>);

#[component]
pub(super) fn RouteDialog(#[prop(into)] on_close: Callback<()>, on_choose: Callback<Target>) -> AnyView {
    view! {
        <Dialog class="dialog--sm" on_close>
            <Choice on_choose/>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Choice(on_choose: Callback<Target>) -> AnyView {
    let dialog = use_dialog();
    let words = RwSignal::new(String::new());
    let aliases = use_aliases();
    let records = use_records(move || RecordQuery {
        q: Some(words.get()).filter(|it| !it.trim().is_empty()),
        limit: Some(8),
        ..RecordQuery::default()
    });
    let choose = move |target: Target| {
        dialog.close();
        on_choose.run(target);
    };
    view! {
        <DialogHead title=t!("incoming.route.title") sub=t!("incoming.route.text")/>
        <div class="dialog-body dialog-body--form">
            <TextField label=t!("incoming.route.record") value=words placeholder=t!("incoming.route.record.hint") autofocus=true/>
            <ul class="choices">
                <For each=move || records.rows.get() key=|it| it.id.to_string() let:row>
                    <li>
                        <button type="button" class="choice" on:click={
                            let id = row.id.clone();
                            move |_| choose((Some(id.clone()), None))
                        }>
                            <span class="muted num">{row.number.clone()}</span>" "<span class="trunc">{row.title.clone()}</span>
                        </button>
                    </li>
                </For>
            </ul>
            <p class="label">{t!("incoming.route.alias")}</p>
            <ul class="choices">
                {move || aliases.data().unwrap_or_default().into_iter().map(|alias| {
                    let id = alias.id.clone();
                    view! {
                        <li>
                            <button type="button" class="choice" on:click=move |_| choose((None, Some(id.clone())))>
                                <span class="trunc">{alias.address.to_string()}</span>
                            </button>
                        </li>
                    }
                }).collect_view()}
            </ul>
        </div>
        <footer class="dialog-foot">
            <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
        </footer>
    }
    .into_any()
}
