//! HTTP: every route, in one list, with who may call it.

mod actions;
mod aliases;
mod campaigns;
mod contacts;
mod deliverability;
mod dev;
mod doctor;
mod domains;
mod emails;
mod endpoint;
mod failures;
mod files;
mod incoming;
mod limits;
mod links;
mod logs;
mod mailing_lists;
mod messages;
mod moves;
mod notifications;
mod people;
mod policy;
mod profile;
mod records;
mod route;
mod servers;
mod session;
mod shell;
mod status;
mod suppressions;
mod templates;
mod tokens;
mod trace;
mod unfollow;
mod visits;

use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use futures::future::LocalBoxFuture;
use mailroom_shared::api;
use mailroom_shared::api::ProblemCode;
use worker::send::SendFuture;
use worker::send::SendWrapper;

use crate::app::SharedApp;
use crate::error::AppError;

use endpoint::Routes;
use endpoint::Shared;
use endpoint::mount;
pub use mailroom_shared::access::Access;
pub(crate) use shell::MIGRATIONS;

/// Work that goes on after the answer: nudges and news for open pages.
#[derive(Clone)]
pub struct Background(Arc<Mutex<SendWrapper<Vec<LocalBoxFuture<'static, ()>>>>>);

impl Default for Background {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(SendWrapper::new(Vec::new()))))
    }
}

impl Background {
    /// Adds work. What must not be lost is a row already.
    pub fn add(&self, work: impl Future<Output = ()> + 'static) {
        if let Ok(mut list) = self.0.lock() {
            list.push(Box::pin(work));
        }
    }

    /// All of it as one future, or nothing.
    pub fn take(&self) -> Option<impl Future<Output = ()> + 'static> {
        let list = self.0.lock().ok().map(|mut list| std::mem::take(&mut **list))?;
        if list.is_empty() {
            return None;
        }
        Some(async move {
            for work in list {
                work.await;
            }
        })
    }
}

/// All routes.
pub fn router(app: SharedApp, background: Background) -> Router {
    let routes = routes(app.config.is_dev);
    routes.into_router().fallback(async || AppError::not_found()).with_state(Shared { app, background })
}

/// Method, route and who may call it, of all that is mounted in production.
#[cfg(test)]
pub(crate) fn mounted() -> Vec<(&'static str, &'static str, Option<Access>)> {
    routes(false).list
}

fn routes(is_dev: bool) -> Routes {
    use Access::Administrator;
    use Access::Agent;
    use Access::Anyone;
    use Access::Campaigns;
    use Access::User;
    let r = Routes::default();
    let r = mount::<api::shell::ReadHealth, _, _>(r, Anyone, shell::health);
    let r = mount::<api::shell::ReadShell, _, _>(r, User, shell::shell);
    let r = mount::<api::session::ReadSetUp, _, _>(r, Anyone, session::read_set_up);
    let r = mount::<api::session::DoSetUp, _, _>(r, Anyone, session::set_up);
    let r = mount::<api::session::DoLogin, _, _>(r, Anyone, session::login);
    let r = mount::<api::session::ReadMe, _, _>(r, Anyone, session::me);
    let r = mount::<api::session::ChangeMyself, _, _>(r, User, session::change_me);
    let r = mount::<api::session::DoLogout, _, _>(r, User, session::logout);
    let r = mount::<api::session::ListUsers, _, _>(r, User, session::list_users);
    let r = mount::<api::session::CreateUser, _, _>(r, Administrator, session::create_user);
    let r = mount::<api::people::ListPeople, _, _>(r, Administrator, people::list);
    let r = mount::<api::people::InvitePerson, _, _>(r, Administrator, people::invite);
    let r = mount::<api::people::ChangePerson, _, _>(r, Administrator, people::change);
    let r = mount::<api::people::ResendInvitation, _, _>(r, Administrator, people::resend);
    let r = mount::<api::people::WithdrawInvitation, _, _>(r, Administrator, people::withdraw);
    let r = mount::<api::people::ReadInvitation, _, _>(r, Anyone, people::read_invitation);
    let r = mount::<api::people::AnswerInvitation, _, _>(r, Anyone, people::join);
    let r = mount::<api::people::ForgetPassword, _, _>(r, Anyone, people::forget_password);
    let r = mount::<api::people::ReadReset, _, _>(r, Anyone, people::read_reset);
    let r = mount::<api::people::ResetPassword, _, _>(r, Anyone, people::reset_password);
    let r = mount::<api::profile::ReadProfile, _, _>(r, User, profile::read);
    let r = mount::<api::profile::ChangeAddress, _, _>(r, User, profile::change_address);
    let r = mount::<api::profile::ForgetAddress, _, _>(r, User, profile::forget_address);
    let r = mount::<api::profile::ConfirmAddress, _, _>(r, Anyone, profile::confirm_address);
    let r = mount::<api::profile::ChangePassword, _, _>(r, User, profile::change_password);
    let r = mount::<api::profile::EndSession, _, _>(r, User, profile::end_session);
    let r = mount::<api::profile::EndOtherSessions, _, _>(r, User, profile::end_other_sessions);
    let r = mount::<api::tokens::ListTokens, _, _>(r, Administrator, tokens::list);
    let r = mount::<api::tokens::CreateToken, _, _>(r, Administrator, tokens::create);
    let r = mount::<api::tokens::RevokeToken, _, _>(r, Administrator, tokens::revoke);
    let r = mount::<api::records::ListRecords, _, _>(r, User, records::list);
    let r = mount::<api::records::CreateRecord, _, _>(r, Agent, records::create);
    let r = mount::<api::records::ReadRecord, _, _>(r, User, records::read);
    let r = mount::<api::records::ChangeARecord, _, _>(r, User, records::change);
    let r = mount::<api::records::AddFollower, _, _>(r, User, records::add_follower);
    let r = mount::<api::records::ChangeAFollower, _, _>(r, User, records::change_follower);
    let r = mount::<api::records::RemoveFollower, _, _>(r, User, records::remove_follower);
    let r = mount::<api::messages::ListMessages, _, _>(r, User, messages::list);
    let r = mount::<api::messages::PostMessage, _, _>(r, Agent, messages::post);
    let r = mount::<api::messages::PreviewRecipients, _, _>(r, Agent, messages::preview);
    let r = mount::<api::messages::UndoMessage, _, _>(r, Agent, messages::undo);
    let r = mount::<api::messages::ReadBody, _, _>(r, User, messages::body);
    let r = mount::<api::messages::ReadDeliveries, _, _>(r, User, messages::deliveries);
    let r = mount::<api::messages::SettleMessage, _, _>(r, Agent, messages::settle);
    let r = mount::<api::notifications::ListNotifications, _, _>(r, User, notifications::list);
    let r = mount::<api::notifications::ChangeNotifications, _, _>(r, User, notifications::change);
    let r = mount::<api::emails::ListEmails, _, _>(r, User, emails::list);
    let r = mount::<api::emails::CountEmails, _, _>(r, User, emails::counts);
    let r = mount::<api::emails::MatchEmails, _, _>(r, User, emails::matching);
    let r = mount::<api::emails::ActOnQueue, _, _>(r, Agent, emails::act);
    let r = mount::<api::servers::ListServers, _, _>(r, Administrator, servers::list);
    let r = mount::<api::servers::CreateServer, _, _>(r, Administrator, servers::create);
    let r = mount::<api::servers::ChangeServer, _, _>(r, Administrator, servers::change);
    let r = mount::<api::servers::ArchiveServer, _, _>(r, Administrator, servers::archive);
    let r = mount::<api::servers::TestConnection, _, _>(r, Administrator, servers::test);
    let r = mount::<api::servers::Simulate, _, _>(r, User, servers::simulate);
    let r = mount::<api::servers::ListSlowed, _, _>(r, User, servers::slowed);
    let r = mount::<api::servers::LiftSlowed, _, _>(r, Administrator, servers::lift);
    let r = mount::<api::servers::ListDkim, _, _>(r, User, servers::list_dkim);
    let r = mount::<api::servers::MakeDkim, _, _>(r, Administrator, servers::make_dkim);
    let r = mount::<api::servers::ReadRules, _, _>(r, User, servers::read_rules);
    let r = mount::<api::servers::ChangeRules, _, _>(r, Administrator, servers::change_rules);
    let r = mount::<api::limits::ReadLimits, _, _>(r, User, limits::read);
    let r = mount::<api::limits::ChangeLimits, _, _>(r, Administrator, limits::change);
    let r = mount::<api::limits::ReadSupportCase, _, _>(r, Administrator, limits::support);
    let r = mount::<api::limits::ListNotices, _, _>(r, User, limits::notices);
    let r = mount::<api::limits::SettleNotice, _, _>(r, User, limits::settle);
    let r = mount::<api::actions::ListActions, _, _>(r, User, actions::list);
    let r = mount::<api::actions::ChangeOneAction, _, _>(r, Administrator, actions::change);
    let r = mount::<api::actions::RunAction, _, _>(r, Administrator, actions::run);
    let r = mount::<api::actions::ReadRetention, _, _>(r, User, actions::read_retention);
    let r = mount::<api::actions::ChangeRetention, _, _>(r, Administrator, actions::change_retention);
    let r = mount::<api::actions::PreviewVacuum, _, _>(r, User, actions::preview);
    let r = mount::<api::policy::ReadInboundRules, _, _>(r, User, policy::read);
    let r = mount::<api::policy::ChangeInboundRules, _, _>(r, Administrator, policy::change);
    let r = mount::<api::doctor::ReadDoctor, _, _>(r, User, doctor::read);
    let r = mount::<api::doctor::CheckDomain, _, _>(r, Administrator, doctor::check);
    let r = mount::<api::doctor::ChangeResolver, _, _>(r, Administrator, doctor::change_resolver);
    let r = mount::<api::doctor::ReadFacts, _, _>(r, User, doctor::facts);
    let r = mount::<api::doctor::ListSettingChanges, _, _>(r, Administrator, doctor::changes);
    let r = mount::<api::aliases::ListAliases, _, _>(r, User, aliases::list);
    let r = mount::<api::aliases::CreateAlias, _, _>(r, Administrator, aliases::create);
    let r = mount::<api::aliases::ChangeAlias, _, _>(r, Administrator, aliases::change);
    let r = mount::<api::aliases::ReadAlias, _, _>(r, User, aliases::read);
    let r = mount::<api::aliases::DeleteAlias, _, _>(r, Administrator, aliases::delete);
    let r = mount::<api::aliases::ListDomains, _, _>(r, User, aliases::domains);
    let r = mount::<api::aliases::CreateDomain, _, _>(r, Administrator, domains::create);
    let r = mount::<api::aliases::ChangeDomain, _, _>(r, Administrator, domains::change);
    let r = mount::<api::aliases::DeleteDomain, _, _>(r, Administrator, domains::delete);
    let r = mount::<api::contacts::ListContacts, _, _>(r, User, contacts::list);
    let r = mount::<api::contacts::CreateContact, _, _>(r, Agent, contacts::create);
    let r = mount::<api::contacts::ReadContact, _, _>(r, User, contacts::read);
    let r = mount::<api::contacts::ChangeContact, _, _>(r, Agent, contacts::change);
    let r = mount::<api::deliverability::ReadContactTimeline, _, _>(r, User, deliverability::timeline);
    let r = mount::<api::deliverability::ReadDeliverability, _, _>(r, User, deliverability::read);
    let r = mount::<api::failures::ListFailures, _, _>(r, User, failures::groups);
    let r = mount::<api::failures::ListFailureRows, _, _>(r, User, failures::rows);
    let r = mount::<api::failures::ActOnFailing, _, _>(r, Agent, failures::act);
    let r = mount::<api::failures::ListFailingAddresses, _, _>(r, User, failures::addresses);
    let r = mount::<api::failures::ListFailureOperations, _, _>(r, User, failures::operations);
    let r = mount::<api::failures::CorrectFailing, _, _>(r, Agent, failures::correct);
    let r = mount::<api::failures::UndoFailures, _, _>(r, Agent, failures::undo);
    let r = mount::<api::suppressions::ListSuppressions, _, _>(r, User, suppressions::list);
    let r = mount::<api::suppressions::CreateSuppression, _, _>(r, Agent, suppressions::create);
    let r = mount::<api::suppressions::LiftSuppression, _, _>(r, Agent, suppressions::lift);
    let r = mount::<api::suppressions::ListSuppressionHistory, _, _>(r, User, suppressions::history);
    let r = mount::<api::suppressions::RestoreSuppression, _, _>(r, Agent, suppressions::restore);
    let r = mount::<api::suppressions::ImportSuppressionList, _, _>(r, Administrator, suppressions::import);
    let r = mount::<api::incoming::ListIncoming, _, _>(r, User, incoming::list);
    let r = mount::<api::incoming::CountIncoming, _, _>(r, User, incoming::counts);
    let r = mount::<api::incoming::ReadIncoming, _, _>(r, User, incoming::read);
    let r = mount::<api::incoming::ActOnIncoming, _, _>(r, Agent, incoming::act);
    let r = mount::<api::incoming::CheckIncoming, _, _>(r, User, incoming::check);
    let r = mount::<api::incoming::SettleHeld, _, _>(r, Agent, incoming::settle_held);
    let r = mount::<api::incoming::ListPaused, _, _>(r, User, incoming::paused);
    let r = mount::<api::incoming::PauseSender, _, _>(r, Administrator, incoming::pause);
    let r = mount::<api::incoming::ReleaseSender, _, _>(r, Administrator, incoming::release_sender);
    let r = mount::<api::route::TryRoute, _, _>(r, User, route::try_route);
    let r = mount::<api::messages::MoveMessage, _, _>(r, Agent, moves::move_message);
    let r = mount::<api::messages::ReadOrigin, _, _>(r, User, moves::origin);
    let r = mount::<api::messages::ReadAttachedMail, _, _>(r, User, moves::attached);
    let r = mount::<api::logs::ListLogs, _, _>(r, User, logs::list);
    let r = mount::<api::logs::ListLogFiles, _, _>(r, User, logs::files);
    let r = mount::<api::logs::SearchMails, _, _>(r, User, logs::search);
    let r = mount::<api::trace::ReadTrace, _, _>(r, User, trace::read);
    let r = mount::<api::status::ReadStatus, _, _>(r, User, status::read);
    let r = mount::<api::status::SendCanary, _, _>(r, Administrator, status::send_canary);
    let r = mount::<api::status::ReadCanary, _, _>(r, User, status::read_canary);
    let r = mount::<api::campaigns::ListCampaigns, _, _>(r, User, campaigns::list);
    let r = mount::<api::campaigns::CreateCampaign, _, _>(r, Campaigns, campaigns::create);
    let r = mount::<api::campaigns::ReadCampaign, _, _>(r, User, campaigns::read);
    let r = mount::<api::campaigns::ChangeCampaign, _, _>(r, Campaigns, campaigns::change);
    let r = mount::<api::campaigns::DeleteCampaign, _, _>(r, Campaigns, campaigns::delete);
    let r = mount::<api::campaigns::DoCampaignAct, _, _>(r, Campaigns, campaigns::act);
    let r = mount::<api::campaigns::TestCampaign, _, _>(r, Campaigns, campaigns::test);
    let r = mount::<api::campaigns::CheckCampaign, _, _>(r, User, campaigns::check_campaign);
    let r = mount::<api::campaigns::ListRecipients, _, _>(r, Campaigns, campaigns::recipients);
    let r = mount::<api::campaigns::ListCampaignDomains, _, _>(r, User, campaigns::domains);
    let r = mount::<api::campaigns::ReadResults, _, _>(r, User, campaigns::results);
    let r = mount::<api::mailing_lists::ListMailingLists, _, _>(r, User, mailing_lists::list);
    let r = mount::<api::mailing_lists::CreateMailingList, _, _>(r, Campaigns, mailing_lists::create);
    let r = mount::<api::mailing_lists::ChangeMailingList, _, _>(r, Campaigns, mailing_lists::change);
    let r = mount::<api::mailing_lists::ListMembers, _, _>(r, Campaigns, mailing_lists::members);
    let r = mount::<api::mailing_lists::AddMember, _, _>(r, Campaigns, mailing_lists::add);
    let r = mount::<api::mailing_lists::DoMemberAct, _, _>(r, Campaigns, mailing_lists::act);
    let r = mount::<api::mailing_lists::ImportMemberFile, _, _>(r, Campaigns, mailing_lists::import);
    let r = mount::<api::templates::ListTemplates, _, _>(r, User, templates::list);
    let r = mount::<api::templates::CreateTemplate, _, _>(r, Agent, templates::create);
    let r = mount::<api::templates::ChangeTemplate, _, _>(r, Agent, templates::change);
    let r = mount::<api::templates::DeleteTemplate, _, _>(r, Agent, templates::delete);
    let r = mount::<api::templates::PreviewTemplate, _, _>(r, Agent, templates::preview);
    let r = mount::<api::templates::FillTemplate, _, _>(r, User, templates::fill);
    let r = mount::<api::messages::SendMessageNow, _, _>(r, Agent, messages::send_now);
    // Bytes rather than JSON, on one side or the other.
    let r = logs::routes(r);
    let r = suppressions::routes(links::routes(files::routes(r)));
    let r = unfollow::routes(r);
    let r = visits::routes(mailing_lists::routes(campaigns::routes(r)));
    let r = r.hand(api::Method::Get, "/api/openapi.json", Some(Anyone), get(openapi));
    if is_dev { dev::routes(r) } else { r }
}

/// The OpenAPI document, made from the operation types (`cargo xtask openapi`).
async fn openapi() -> Response {
    ([("content-type", "application/json")], include_str!("../openapi.json")).into_response()
}

/// Whether a request tries a password or asks for a new one, which the platform's rate limiter guards.
pub fn is_login<B>(request: &axum::http::Request<B>) -> bool {
    request.method() == axum::http::Method::POST
        && ["/api/v1/session", "/api/v1/password"].contains(&request.uri().path())
}

/// The answer of a rate limiter.
pub fn limited() -> Response {
    let mut error = AppError::new(ProblemCode::Limited);
    error.0.retry_after = Some(60);
    error.into_response()
}

/// Whether a WebSocket may be opened: a session, and our own page.
pub async fn may_listen(app: &SharedApp, cookie: &str, origin: Option<&str>, host: &str) -> bool {
    endpoint::is_own_origin(origin, host)
        && match endpoint::session_token(cookie) {
            Some(token) => session::of_token(app, &token).await.is_ok_and(|it| it.is_some()),
            None => false,
        }
}

/// Reads the state for hand-made routes.
type AppState = State<Shared>;

/// A future that is not `Send`, for axum; the Worker has one thread.
fn local<F: Future>(future: F) -> SendFuture<F> {
    SendFuture::new(future)
}
