//! A record: head with stages, chatter with composer, details beside it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::messages::PostMode;
use mailroom_shared::api::records::ChangeRecord;
use mailroom_shared::api::records::RecordView;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;

use self::chatter::ChatterStream;
use self::head::RecordHead;
use self::side::Side;
use crate::pages::shell::use_crumbs;
use crate::queries::Cache;
use crate::queries::Read;
use crate::queries::messages::Chatter;
use crate::queries::messages::use_chatter;
use crate::queries::records::change_record;
use crate::queries::records::use_record;
use crate::queries::shell::many_of;
use crate::queries::shell::use_types;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::t;
use crate::ui::keys::use_keys;
use crate::ui::skeleton::SkeletonChatter;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::widgets::composer::Composer;
use crate::widgets::composer::ComposerBox;
use crate::widgets::delivery_dialog::DeliveryDialog;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;
use crate::widgets::problem::toast_problem;

mod chatter;
mod edit;
mod head;
mod side;

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) id: StoredValue<RecordId>,
    pub(crate) record: Read<RecordView>,
    pub(crate) chatter: Chatter,
    pub(crate) composer: Composer,
    pub(crate) cache: Cache,
    pub(crate) toasts: Toasts,
    /// The message whose delivery dialog is open.
    pub(crate) deliveries: RwSignal<Option<MessageId>>,
}

impl Open {
    /// Changes the record; an error is told.
    pub(crate) fn change(self, change: ChangeRecord) {
        let id = self.id.get_value();
        spawn_local(async move {
            if let Err(error) = change_record(self.cache, id, change).await {
                toast_problem(self.toasts, &error);
            }
        });
    }
}

#[component]
pub fn RecordPage(id: RecordId) -> AnyView {
    let chatter = use_chatter(id.clone());
    let open = Open {
        record: use_record(&id),
        chatter,
        composer: Composer::open(&id, chatter),
        id: StoredValue::new(id),
        cache: use_cache(),
        toasts: use_toasts(),
        deliveries: RwSignal::new(None),
    };
    say_where(open);
    mark_read(open);
    use_keys(move |key, _| {
        match key {
            "r" => open.composer.write(PostMode::Message),
            "n" => open.composer.write(PostMode::Note),
            _ => return false,
        }
        true
    });
    let retry = Callback::new(move |()| {
        open.record.retry();
        open.chatter.retry();
    });
    let is_there = Memo::new(move |_| open.record.state.with(|it| it.data.is_some()));
    let problem = Memo::new(move |_| open.record.state.with(|it| it.problem.clone()));
    view! {
        {move || match (is_there.get(), problem.get()) {
            (true, _) => view! { <Layout open/> }.into_any(),
            (false, Some(error)) => {
                view! {
                    <main class="page" id="content">
                        <h1 class="vh">{t!("chatter.label")}</h1>
                        <ProblemBlank error on_retry=retry/>
                    </main>
                }
                .into_any()
            }
            (false, None) => {
                view! { <main class="page" id="content"><SkeletonChatter/></main> }.into_any()
            }
        }}
        {move || open.deliveries.get().map(|message| view! {
            <DeliveryDialog record=Some(open.id.get_value()) message on_close=move |()| open.deliveries.set(None)/>
        })}
    }
    .into_any()
}

#[component]
fn Layout(open: Open) -> AnyView {
    let stale =
        Memo::new(move |_| open.record.state.with(|it| it.problem.clone()).or_else(|| open.chatter.problem.get()));
    let retry = Callback::new(move |()| {
        open.record.retry();
        open.chatter.retry();
    });
    view! {
        <main class="record" id="content">
            <RecordHead open/>
            <section class="chatter" aria-label=t!("chatter.label")>
                {move || stale.get().filter(|_| open.chatter.ready.get()).map(|error| view! {
                    <div style="padding:12px 24px 0"><StaleNotice error on_retry=retry/></div>
                })}
                <ChatterStream open/>
                <ComposerBox composer=open.composer/>
            </section>
            <Side open/>
        </main>
    }
    .into_any()
}

fn say_where(open: Open) {
    let types = use_types();
    let crumbs = Memo::new(move |_| {
        let (kind, number) = open.record.data().map(|it| (it.r#type, it.number))?;
        let label = types.with(|all| all.iter().find(|it| it.name == kind).map(many_of)).unwrap_or_default();
        Some(vec![(label, Some(Page::Records(kind).href())), (number, None)])
    });
    Effect::new(move |_| use_crumbs(crumbs.get().unwrap_or_default()));
}

/// Opening a record reads it, and so does every message that comes in while it is open and seen.
fn mark_read(open: Open) {
    let newest = Memo::new(move |_| open.chatter.messages.with(|all| all.last().map(|it| it.id.clone())));
    Effect::new(move |_| {
        if newest.get().is_none() || document().hidden() {
            return;
        }
        let id = open.id.get_value();
        spawn_local(async move {
            let change = ChangeRecord { read: Some(true), ..ChangeRecord::default() };
            let answer =
                crate::api::call::<mailroom_shared::api::records::ChangeARecord>(&[id.as_str()], &(), &change).await;
            let _ = open.cache.settle(answer, &[mailroom_shared::api::tag::RECORDS]);
        });
    });
}
