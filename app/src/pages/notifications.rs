//! What one was told in Mailroom rather than by email: unread until it is read or done, kept when it has a star.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::notifications::MarkNotifications;
use mailroom_shared::api::notifications::NotificationFilter;
use mailroom_shared::api::notifications::NotificationQuery;
use mailroom_shared::api::notifications::NotificationRow;

use crate::model::filters;
use crate::pages::shell::use_crumbs;
use crate::queries::Cache;
use crate::queries::List;
use crate::queries::notifications::mark_notifications;
use crate::queries::notifications::use_notifications;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_query;
use crate::routes::use_set_query;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

#[component]
pub fn NotificationsPage() -> AnyView {
    use_crumbs(vec![(t!("notifications.title"), None)]);
    let (query, set_query) = (use_query(), use_set_query());
    let (cache, toasts) = (use_cache(), use_toasts());
    let filter =
        Memo::new(move |_| query.with(|it| it.get("filter").and_then(NotificationFilter::parse)).unwrap_or_default());
    let list = use_notifications(move || NotificationQuery {
        filter: Some(filter.get()),
        cursor: None,
        limit: Some(filters::PAGE),
    });
    let segments = NotificationFilter::ALL
        .map(|it| Segment::new(it.as_str(), t!(&format!("notifications.{}", it.as_str()))))
        .to_vec();
    let read_all =
        move |()| mark(cache, toasts, MarkNotifications { read: Some(true), ..MarkNotifications::default() });
    let empty = move || {
        let which = filter.get_untracked().as_str();
        let (title, text) = (format!("notifications.{which}.none"), format!("notifications.{which}.none.text"));
        view! { <section class="card"><Blank art=Art::Done title=t!(&title) text=t!(&text)/></section> }.into_any()
    };
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("notifications.title")}</h1><p>{t!("notifications.text")}</p></div>
                <div class="acts">
                    <Button
                        icon=Glyph::Check
                        text=t!("notifications.read_all")
                        disabled=Signal::derive(move || list.rows.with(|all| all.iter().all(|it| it.read)))
                        on_press=read_all
                    />
                </div>
            </div>
            <div class="toolbar">
                <Seg
                    label=t!("notifications.filter")
                    segments
                    value=Signal::derive(move || filter.get().as_str().to_owned())
                    on_change=move |it: &'static str| set_query("filter", (it != "unread").then(|| it.to_owned()))
                />
            </div>
            {list_body(list, empty, move || view! { <Rows list/> }.into_any())}
        </main>
    }
    .into_any()
}

fn mark(cache: Cache, toasts: Toasts, what: MarkNotifications) {
    spawn_local(async move {
        if let Err(error) = mark_notifications(cache, what).await {
            toast_problem(toasts, &error);
        }
    });
}

#[component]
fn Rows(list: List<NotificationRow>) -> AnyView {
    let end = Signal::derive(move || list.rows.with(Vec::len));
    view! {
        <div class="mails" role="list" aria-label=t!("notifications.title")>
            <For each=move || list.rows.get() key=|it| format!("{} {} {}", it.message, it.read, it.starred) let:row>
                <Line row/>
            </For>
        </div>
        {list_foot(list, end)}
    }
    .into_any()
}

#[component]
fn Line(row: NotificationRow) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let about = StoredValue::new(row.message.clone());
    let only = move |read, starred| {
        mark(cache, toasts, MarkNotifications { messages: vec![about.get_value()], read, starred });
    };
    let (read, starred) = (row.read, row.starred);
    let kind = if row.internal { t!("notifications.note") } else { String::new() };
    let (done, done_words) =
        if read { (Glyph::Inbox, t!("notifications.unread.again")) } else { (Glyph::Check, t!("notifications.done")) };
    let star_words = if starred { t!("notifications.star.off") } else { t!("notifications.star") };
    view! {
        <div class="mail" class:is-unread=!read role="listitem" data-notification=row.message.to_string()>
            <a
                class="cover"
                href=Page::Record(row.record.clone()).href()
                aria-label=format!("{} {}, {}", row.number, row.title, row.author)
            ></a>
            <span class="mail-dot" title=(!read).then(|| t!("list.unread"))></span>
            <span class="mail-who trunc"><span class="trunc">{row.author.clone()}</span><small class="trunc">{kind}</small></span>
            <span class="mail-text trunc">
                <span class="mail-title trunc" style="display:block"><span class="no">{row.number.clone()}</span>{row.title.clone()}</span>
                <small class="trunc">{row.snippet.clone()}</small>
            </span>
            <span class="mail-env told-acts" class:is-starred=starred>
                <Button kind=Kind::Ghost small=true icon=Glyph::Star label=star_words on_press=move |()| only(None, Some(!starred))/>
                <Button kind=Kind::Ghost small=true icon=done label=done_words on_press=move |()| only(Some(!read), None)/>
            </span>
            <Age class="mail-age" at=row.at/>
        </div>
    }
    .into_any()
}
