//! An HTML body in a frame without scripts. The Worker has sanitised it; the frame is the second wall: its own policy
//! allows styles and inline images only, remote images after a click. It may be measured because it keeps our origin,
//! which is harmless without scripts.

use leptos::html;
use leptos::prelude::*;
use mailroom_shared::api::messages::BodyView;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::HtmlElement;
use web_sys::ResizeObserver;

use crate::model::text::has_colours;
use crate::t;
use crate::theme::use_dark;
use crate::ui::window::is_at_end;
use crate::ui::window::scroll_to_end;

/// Colours come from the page, so that a plain mail looks like our own text in both themes.
fn document_of(html: &str, images: bool, dark: bool) -> String {
    let remote = if images { " https: http:" } else { "" };
    let paper = has_colours(html);
    let (text, link) = match (paper, dark) {
        (true, _) | (false, false) => ("#15181d", "#1d4fc6"),
        (false, true) => ("#eceef1", "#8fb0ff"),
    };
    let scheme = if dark && !paper { "dark" } else { "light" };
    let padding = if paper && dark { "12px" } else { "0" };
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; img-src 'self' data:{remote}; style-src 'unsafe-inline'\"><base target=\"_blank\">\
         <style>:root{{color-scheme:{scheme}}}html,body{{margin:0;background:transparent}}body{{padding:{padding};color:{text};\
         font:14px/22px -apple-system,BlinkMacSystemFont,\"Segoe UI\",Roboto,Inter,\"Noto Sans\",sans-serif;\
         overflow-wrap:anywhere;overflow-x:auto;overflow-y:hidden}}p{{margin:0 0 8px}}img{{max-width:100%;height:auto}}\
         a{{color:{link}}}blockquote{{margin:8px 0;padding-left:12px;border-left:2px solid #868d9880}}\
         pre{{white-space:pre-wrap}}table{{max-width:100%}}</style></head><body>{html}</body></html>"
    )
}

/// The frame; `on_ready` is told once it has a height.
#[component]
pub fn HtmlFrame(body: BodyView, images: bool, #[prop(into)] on_ready: Callback<()>) -> AnyView {
    let frame = NodeRef::<html::Iframe>::new();
    let dark = use_dark();
    let html = StoredValue::new(body.html);
    let measured = RwSignal::new(false);
    let observer = StoredValue::new_local(None::<(ResizeObserver, Closure<dyn FnMut()>)>);
    let measure = move || {
        let body = frame.try_get_untracked().flatten().and_then(|it| it.content_document()).and_then(|it| it.body());
        if let (Some(frame), Some(body)) = (frame.try_get_untracked().flatten(), body) {
            let height = body.scroll_height();
            let at_end = is_at_end();
            let style = HtmlElement::style(&frame);
            let _ = style.set_property("height", &format!("{height}px"));
            if at_end {
                request_animation_frame(scroll_to_end);
            }
            if height > 0 && !measured.get_untracked() {
                measured.set(true);
                on_ready.run(());
            }
        }
    };
    let on_load = move |_| {
        measure();
        // Images and fonts come later, and the window changes its width.
        let changed = Closure::<dyn FnMut()>::new(measure);
        if let Ok(watcher) = ResizeObserver::new(changed.as_ref().unchecked_ref())
            && let Some(body) = frame.get_untracked().and_then(|it| it.content_document()).and_then(|it| it.body())
        {
            watcher.observe(&body);
            observer.set_value(Some((watcher, changed)));
        }
    };
    on_cleanup(move || {
        observer.try_update_value(|it| {
            if let Some((watcher, _)) = it.take() {
                watcher.disconnect();
            }
        });
    });
    let paper = html.with_value(|it| has_colours(it));
    view! {
        <iframe
            class="msg-frame"
            class:msg-frame--paper=move || paper && dark.get()
            class:is-measuring=move || !measured.get()
            node_ref=frame
            title=t!("message.frame")
            sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
            referrerpolicy="no-referrer"
            srcdoc=move || html.with_value(|it| document_of(it, images, dark.get()))
            on:load=on_load
        ></iframe>
    }
    .into_any()
}
