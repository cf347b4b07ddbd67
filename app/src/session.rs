//! Who is logged in.

use leptos::prelude::*;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::ReadMe;
use mailroom_shared::api::session::ReadSetUp;
use mailroom_shared::i18n::Lang;

use crate::api;
use crate::api::ApiError;
use crate::i18n;

/// What the page knows about its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// Not asked yet.
    Unknown,
    /// The installation is new.
    SetUp,
    LoggedOut,
    LoggedIn(Box<Me>),
    /// The Worker did not answer the first question.
    Unreachable(ApiError),
}

/// The session of the page.
#[derive(Clone, Copy)]
pub struct SessionState(RwSignal<Session>);

impl SessionState {
    pub fn provide() -> Self {
        let state = Self(RwSignal::new(Session::Unknown));
        provide_context(state);
        state
    }

    pub fn get(self) -> Session {
        self.0.get()
    }

    /// A login, or a change of preferences. Without the catalogue of the reader's language the present one stays.
    pub async fn enter(self, me: Me) {
        let _ = i18n::set_lang(Lang::of(&me.language)).await;
        self.0.set(Session::LoggedIn(Box::new(me)));
    }

    /// The session ended: on request, or the Worker no longer knows it.
    pub fn leave(self) {
        self.0.set(Session::LoggedOut);
    }

    /// Asks the Worker who is there.
    pub async fn load(self) {
        let answer = match api::call::<ReadMe>(&[], &(), &()).await {
            Ok(Some(me)) => return self.enter(me).await,
            Ok(None) => match api::call::<ReadSetUp>(&[], &(), &()).await {
                Ok(state) if state.needed => Session::SetUp,
                Ok(_) => Session::LoggedOut,
                Err(error) => Session::Unreachable(error),
            },
            Err(error) => Session::Unreachable(error),
        };
        self.0.set(answer);
    }
}

pub fn use_session() -> SessionState {
    use_context::<SessionState>().unwrap_or_else(|| SessionState(RwSignal::new(Session::Unknown)))
}

/// Who is logged in, within the shell.
#[derive(Clone, Copy)]
pub struct CurrentUser(pub Memo<Option<Me>>);

/// The logged-in user; absent only while logging out.
pub fn use_me() -> Memo<Option<Me>> {
    use_context::<CurrentUser>().map_or_else(|| Memo::new(|_| None), |it| it.0)
}
