//! Technical › Support bundle: a mail is dropped, read in the browser, shown as a trace, tried, and packed without secrets.
//! Nothing leaves the browser before somebody asks for it.

mod pack;
mod trace;

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::support;
use mailroom_shared::support::Dropped;

use self::pack::Pack;
use self::trace::Trace;
use crate::pages::shell::use_crumbs;
use crate::t;
use crate::ui::button::Button;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;

/// Largest file that is read.
const MAX_BYTES: f64 = 50e6;

/// A mail that was dropped.
#[derive(Clone)]
struct Case {
    name: String,
    bytes: usize,
    mail: Dropped,
}

#[component]
pub fn SupportPage() -> AnyView {
    use_crumbs(vec![(t!("technical.title"), None), (t!("bundle.title"), None)]);
    let case = RwSignal::new(None::<Case>);
    let trouble = RwSignal::new(None::<&'static str>);
    let over = RwSignal::new(false);
    let take = move |list: Option<web_sys::FileList>| {
        let Some(file) = list.and_then(|it| it.get(0)) else { return };
        if file.size() > MAX_BYTES {
            trouble.set(Some("too_large"));
            return;
        }
        spawn_local(async move {
            let buffer = wasm_bindgen_futures::JsFuture::from(file.array_buffer()).await;
            let read = buffer.map(|it| js_sys::Uint8Array::new(&it).to_vec());
            let Ok(bytes) = read else {
                let _ = trouble.try_set(Some("no_mail"));
                return;
            };
            match support::read(&bytes) {
                Ok(mail) => {
                    let _ = trouble.try_set(None);
                    let _ = case.try_set(Some(Case { name: file.name(), bytes: bytes.len(), mail }));
                }
                Err(error) => {
                    let _ = trouble.try_set(Some(error.as_str()));
                }
            }
        });
    };
    view! {
        <main
            class="page"
            id="content"
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
            <div class="page-head"><div class="head-text"><h1>{t!("bundle.title")}</h1><p>{t!("bundle.text")}</p></div></div>
            <section class="card bundle-drop" class:is-over=over class:is-empty=move || case.with(Option::is_none) aria-label=t!("bundle.drop")>
                <div class="card-body stack gap-3">
                    <div class="row row--wrap bundle-take">
                        <label class="btn btn--primary">
                            <Icon glyph=Glyph::File/>{t!("bundle.choose")}
                            <input type="file" class="vh" accept=".eml,.msg,message/rfc822,application/vnd.ms-outlook" on:change=move |event| {
                                let input: web_sys::HtmlInputElement = event_target(&event);
                                take(input.files());
                                input.set_value("");
                            }/>
                        </label>
                        <span class="soft">{t!("bundle.drop")}</span>
                    </div>
                    {move || trouble.get().map(|it| view! {
                        <Notice weight=Weight::Bad icon=Glyph::Alert text=t!(&format!("bundle.trouble.{it}"))/>
                    })}
                    <Export/>
                </div>
            </section>
            {move || case.get().map(|it| view! {
                <div class="stack gap-4 mt-4">{inner(&it, case)}<Trace case=it.clone()/><Pack case=it/></div>
            })}
        </main>
    }
    .into_any()
}

/// Mails that are attached to the one that was dropped: often they are meant.
fn inner(now: &Case, case: RwSignal<Option<Case>>) -> Option<AnyView> {
    let buttons = now.mail.inner.iter().cloned().map(|mail| {
        let name = if mail.field("subject").is_empty() { now.name.clone() } else { mail.field("subject").to_owned() };
        let words = t!("bundle.inner.open", name = name.clone());
        let open = move |()| case.set(Some(Case { name: name.clone(), bytes: mail.text.len(), mail: mail.clone() }));
        view! { <Button small=true icon=Glyph::Eye text=words on_press=open/> }
    });
    let buttons = buttons.collect_view();
    (!now.mail.inner.is_empty())
        .then(|| view! { <Notice icon=Glyph::Info text=t!("bundle.inner")>{buttons}</Notice> }.into_any())
}

/// How to get the file out of a mail program.
#[component]
fn Export() -> AnyView {
    let ways = ["gmail", "outlook", "outlook_web", "thunderbird", "apple"].map(
        |it| view! { <dt>{t!(&format!("bundle.export.{it}.name"))}</dt><dd>{t!(&format!("bundle.export.{it}"))}</dd> },
    );
    view! {
        <details class="doctor-finding">
            <summary><Icon glyph=Glyph::Help/><span>{t!("bundle.export")}</span></summary>
            <dl class="kv">{ways.into_iter().collect_view()}</dl>
        </details>
    }
    .into_any()
}
