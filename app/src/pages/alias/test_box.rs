//! Try a mail: typed, or a file that is dropped. Nothing is made and nobody is told.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::route::RouteReply;
use mailroom_shared::api::route::RouteRequest;

use crate::api::ApiError;
use crate::queries::incoming::try_route;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::chip::Chip;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::keys::send_keys;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::route_answer::RouteAnswer;
use wasm_bindgen::JsCast;

/// As much of a dropped mail is sent; what decides stands at its beginning.
const MAX_BYTES: f64 = 1_400_000.0;

#[component]
pub(super) fn TestBox(address: String) -> AnyView {
    let (from, to, subject) = (RwSignal::new(String::new()), RwSignal::new(address), RwSignal::new(String::new()));
    let (proven, is_machine) = (RwSignal::new(true), RwSignal::new(false));
    let reply_to = RwSignal::new(String::new());
    // Name and base64 of a dropped mail.
    let file = RwSignal::new(None::<(String, String)>);
    let over = RwSignal::new(false);
    let answer = RwSignal::new(None::<RouteReply>);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let run = move || {
        let raw = file.with_untracked(|it| it.as_ref().map(|it| it.1.clone()));
        let request = match raw {
            Some(raw) => RouteRequest { raw, rcpt_to: to.get_untracked(), ..RouteRequest::default() },
            None => RouteRequest {
                rcpt_to: to.get_untracked(),
                from: from.get_untracked(),
                subject: subject.get_untracked(),
                in_reply_to: reply_to.get_untracked(),
                authenticated: Some(true).filter(|_| proven.get_untracked()),
                automatic: is_machine.get_untracked(),
                ..RouteRequest::default()
            },
        };
        busy.set(true);
        spawn_local(async move {
            let got = try_route(request).await;
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
    let take = move |list: Option<web_sys::FileList>| {
        let Some(dropped) = list.and_then(|it| it.get(0)) else { return };
        let name = dropped.name();
        spawn_local(async move {
            if let Some(text) = base64_of(&dropped).await {
                let _ = file.try_set(Some((name, text)));
                run();
            }
        });
    };
    view! {
        <section
            class="card test-box"
            class:is-over=over
            aria-label=t!("alias.test")
            on:dragover=move |event| {
                event.prevent_default();
                over.set(true);
            }
            on:dragleave=move |_| over.set(false)
            on:drop=move |event| {
                event.prevent_default();
                over.set(false);
                take(event.data_transfer().and_then(|it| it.files()));
            }
        >
            <header class="card-head"><h2>{t!("alias.test")}</h2><span class="sub">{t!("alias.test.text")}</span></header>
            <form
                class="card-body stack gap-3"
                on:submit=move |event| {
                    event.prevent_default();
                    run();
                }
                on:keydown=move |event| {
                    if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                        event.prevent_default();
                        run();
                    }
                }
            >
                {move || match file.get() {
                    Some((name, _)) => view! {
                        <div class="row"><Chip icon=Glyph::File text=name remove_label=t!("alias.test.typed") on_remove=Callback::new(move |()| file.set(None))/></div>
                        <TextField label=t!("alias.test.to") value=to name="rcpt_to" error=wrong("rcpt_to")/>
                    }
                    .into_any(),
                    None => view! {
                        <div class="cols cols--2">
                            <TextField label=t!("alias.test.from") value=from name="from" placeholder="ann@customer.example" error=wrong("from")/>
                            <TextField label=t!("alias.test.to") value=to name="rcpt_to" error=wrong("rcpt_to")/>
                        </div>
                        <TextField label=t!("alias.test.subject") value=subject name="subject"/>
                        <TextField label=t!("alias.test.reply") value=reply_to name="in_reply_to" placeholder="<message-id@corp.example>" hint=t!("alias.test.reply.hint")/>
                        <div class="row row--wrap gap-4">
                            <Check checked=proven text=t!("alias.test.proven") on_change=move |it| proven.set(it)/>
                            <Check checked=is_machine text=t!("alias.test.machine") on_change=move |it| is_machine.set(it)/>
                        </div>
                    }
                    .into_any(),
                }}
                <FormProblem error=error.into()/>
                <div class="row row--wrap">
                    <label class="btn">
                        <Icon glyph=Glyph::File/>{t!("alias.test.file")}
                        <input type="file" class="vh" accept=".eml,message/rfc822" on:change=move |event| {
                            let input: web_sys::HtmlInputElement = event_target(&event);
                            take(input.files());
                            input.set_value("");
                        }/>
                    </label>
                    <span class="push"></span>
                    <Button kind=Kind::Primary submit=true icon=Glyph::Right text=t!("alias.test.run") keys=send_keys() disabled=busy/>
                </div>
            </form>
            {move || answer.get().map(|reply| view! { <RouteAnswer reply/> })}
        </section>
    }
    .into_any()
}

/// The beginning of a file as base64.
async fn base64_of(file: &web_sys::File) -> Option<String> {
    let part = file.slice_with_f64_and_f64(0.0, file.size().min(MAX_BYTES)).ok()?;
    let buffer = wasm_bindgen_futures::JsFuture::from(part.array_buffer()).await.ok()?;
    let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
    // `btoa` takes one character per byte.
    let text: String = bytes.into_iter().map(char::from).collect();
    window().unchecked_ref::<web_sys::Window>().btoa(&text).ok()
}
