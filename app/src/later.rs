//! Parts of the page that are not there at first: they are files of their own, loaded when they are shown or, before that,
//! when the reader has is_on to do something.
//!
//! [`later!`](crate::later) makes a function of each part; the list is in `parts`. In the build that is deployed
//! `wasm-split` cuts what only such functions reach out of the module; a development build has all in one and waits for
//! nothing.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;

use futures::FutureExt;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::ApiError;
use crate::t;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::toast_problem;

/// The file is not to be had: there is no network, or a newer Mailroom has taken its place.
#[derive(Debug, Clone, Copy)]
pub struct Missing;

impl Missing {
    fn error() -> ApiError {
        let is_offline = !window().navigator().on_line();
        if is_offline { ApiError::Offline } else { ApiError::Decode(String::new()) }
    }
}

#[cfg(feature = "split")]
impl From<wasm_split_helpers::SplitLoaderError> for Missing {
    fn from(_: wasm_split_helpers::SplitLoaderError) -> Self {
        Self
    }
}

/// A future that needs no thread.
pub type Soon<T> = Pin<Box<dyn Future<Output = Result<T, Missing>>>>;

/// A part and the way to fetch it.
pub struct Part {
    pub name: &'static str,
    /// Done at once when the part is there.
    pub load: fn() -> Soon<()>,
    pub place: Place,
}

/// Where a part stands, which decides what is shown while it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In place of the whole page: a skeleton, then the reason and a remedy.
    Page,
    /// Over the page: nothing, then a toast; the key or button that opens it tries again.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Loading,
    Here,
    Gone,
}

thread_local! {
    static HERE: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

impl Part {
    fn is_here(&self) -> bool {
        HERE.with(|it| it.borrow().contains(&self.name))
    }

    async fn fetch(&'static self) -> Result<(), Missing> {
        (self.load)().await?;
        if !self.is_here() {
            HERE.with(|it| it.borrow_mut().push(self.name));
        }
        Ok(())
    }

    /// Shows the part now, or as soon as it is there. `view` has its answer at once when it is.
    pub fn show(&'static self, view: Box<dyn Fn() -> Soon<AnyView> + Send>) -> AnyView {
        let draw = move || view().now_or_never().and_then(Result::ok).into_any();
        if self.is_here() {
            return draw();
        }
        let phase = RwSignal::new(Phase::Loading);
        let toasts = use_toasts();
        let begin = move || {
            phase.set(Phase::Loading);
            spawn_local(async move {
                let answer = self.fetch().await;
                let is_wanted = phase.try_set(if answer.is_ok() { Phase::Here } else { Phase::Gone }).is_none();
                if let (Err(Missing), Place::Over, true) = (answer, self.place, is_wanted) {
                    toast_problem(toasts, &Missing::error());
                }
            });
        };
        begin();
        view! {
            {move || match (phase.get(), self.place) {
                (Phase::Here, _) => draw(),
                (_, Place::Over) => ().into_any(),
                (Phase::Loading, Place::Page) => {
                    view! { <main class="page" id="content"><SkeletonList/></main> }.into_any()
                }
                (Phase::Gone, Place::Page) => {
                    view! {
                        <main class="page" id="content">
                            <h1 class="vh">{t!("problem.title")}</h1>
                            <ProblemBlank error=Missing::error() on_retry=move |()| begin()/>
                        </main>
                    }
                    .into_any()
                }
            }}
        }
        .into_any()
    }
}

/// Fetches a part without waiting for the session: who opens a link to it needs it in any case.
pub fn fetch_ahead(parts: &'static [Part], name: &str) {
    if let Some(part) = parts.iter().find(|it| it.name == name) {
        spawn_local(async move {
            // A failure is told when the part is shown.
            let _ = part.fetch().await;
        });
    }
}

/// Fetches parts one after the other, once somebody moves or types: a visit that only looks costs no more than what it
/// sees, a click finds its page there, and an open page no longer depends on files that the next release takes away.
pub fn prefetch(parts: &'static [Part]) {
    let is_on = RwSignal::new(false);
    let begin = move || {
        if is_on.get_untracked() {
            return;
        }
        is_on.set(true);
        spawn_local(async move {
            for part in parts {
                // Who is offline now is told when the page is opened.
                let _ = part.fetch().await;
            }
        });
    };
    let handles = [
        window_event_listener(leptos::ev::pointermove, move |_| begin()),
        window_event_listener(leptos::ev::pointerdown, move |_| begin()),
        window_event_listener(leptos::ev::keydown, move |_| begin()),
    ];
    on_cleanup(move || handles.into_iter().for_each(|it| it.remove()));
}

/// A line `PLACE NAME(ARGUMENTS) in CHUNK { VIEW }` makes `pub fn NAME(ARGUMENTS) -> AnyView`; `PARTS` has all of them.
/// Parts of one chunk come in one file; what two chunks share becomes a file of its own by itself.
#[macro_export]
macro_rules! later {
    ($($place:ident $name:ident($($arg:ident: $type:ty),*) in $chunk:ident { $view:expr })*) => {
        $(
            pub fn $name($($arg: $type),*) -> AnyView {
                static PART: $crate::later::Part = $name::PART;
                PART.show(Box::new(move || -> $crate::later::Soon<AnyView> { Box::pin($name::$name($($arg.clone()),*)) }))
            }

            #[allow(clippy::unused_async, reason = "only the split build waits")]
            mod $name {
                #[allow(clippy::wildcard_imports, reason = "what the line of the list names")]
                use super::*;

                pub(super) const PART: $crate::later::Part = $crate::later::Part {
                    name: stringify!($name),
                    load: || Box::pin(async { load().await.map_err(|_| $crate::later::Missing) }),
                    place: $crate::later::Place::$place,
                };

                #[cfg(feature = "split")]
                #[wasm_split_helpers::wasm_split($chunk, fallible, preload(load))]
                pub(super) fn $name($($arg: $type),*) -> Result<AnyView, $crate::later::Missing> {
                    Ok($view.into_any())
                }

                #[cfg(not(feature = "split"))]
                pub(super) async fn $name($($arg: $type),*) -> Result<AnyView, $crate::later::Missing> {
                    Ok($view.into_any())
                }

                #[cfg(not(feature = "split"))]
                async fn load() -> Result<(), $crate::later::Missing> {
                    Ok(())
                }
            }
        )*

        /// All of them, in the order in which they are fetched ahead.
        pub static PARTS: &[$crate::later::Part] = &[$($name::PART),*];
    };
}
