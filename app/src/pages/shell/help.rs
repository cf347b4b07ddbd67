//! The keys.

use leptos::prelude::*;

use crate::t;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::keys;

#[component]
pub fn HelpDialog(#[prop(into)] on_close: Callback<()>) -> AnyView {
    let lines = [
        ("help.move", "j k"),
        ("help.open", "Enter"),
        ("help.select", "x"),
        ("help.done", "d"),
        ("help.reply", "r"),
        ("help.note", "n"),
        ("help.compose", "c"),
        ("help.search", "/"),
        ("help.undo", "z"),
        ("help.inbox", "g"),
        ("help.send", keys::send_keys()),
        ("help.close", "Esc"),
        ("help.help", "?"),
    ];
    view! {
        <Dialog on_close>
            <DialogHead title=t!("help.title") focus=true/>
            <div class="dialog-body" tabindex="0">
                <dl class="keys">
                    {lines
                        .into_iter()
                        .map(|(key, all)| view! {
                            <div>
                                <dt>{t!(key)}</dt>
                                <dd>{all.split(' ').map(|it| view! { <kbd class="kbd">{it}</kbd> }).collect_view()}</dd>
                            </div>
                        })
                        .collect_view()}
                </dl>
            </div>
        </Dialog>
    }
    .into_any()
}
