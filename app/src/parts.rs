//! The list of what is loaded later: one line for each page or dialog that the Inbox does without.
//!
//! A new page is a file in `pages`, a variant of [`Page`](crate::routes::Page), a line here and one in `pages::shell`.

use leptos::prelude::*;
use mailroom_shared::id::AliasId;
use mailroom_shared::id::CampaignId;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::RecordId;
use mailroom_shared::id::TypeName;

use crate::later;
use crate::pages::account::AccountPage;
use crate::pages::actions::ActionsPage;
use crate::pages::alias::AliasPage;
use crate::pages::aliases::AliasesPage;
use crate::pages::campaign::CampaignPage;
use crate::pages::campaigns::CampaignsPage;
use crate::pages::contact::ContactPage;
use crate::pages::contacts::ContactsPage;
use crate::pages::deliverability::DeliverabilityPage;
use crate::pages::doctor::DoctorPage;
use crate::pages::emails::EmailsPage;
use crate::pages::failures::FailuresPage;
use crate::pages::inbox::InboxEmpty;
use crate::pages::incoming::IncomingPage;
use crate::pages::limits::LimitsPage;
use crate::pages::login::LoginPage;
use crate::pages::logs::LogsPage;
use crate::pages::mailing_lists::MailingListsPage;
use crate::pages::not_found::NotFoundPage;
use crate::pages::notifications::NotificationsPage;
use crate::pages::people::PeoplePage;
use crate::pages::profile::ProfilePage;
use crate::pages::record::RecordPage;
use crate::pages::records::RecordsPage;
use crate::pages::search::SearchPage;
use crate::pages::servers::ServersPage;
use crate::pages::set_up::SetUpPage;
use crate::pages::shell::banner::PlaceholderBanner;
use crate::pages::shell::help::HelpDialog;
use crate::pages::shell::user_menu::UserMenuItems;
use crate::pages::status::StatusPage;
use crate::pages::support::SupportPage;
use crate::pages::suppressions::SuppressionsPage;
use crate::pages::templates::TemplatesPage;
use crate::pages::tokens::TokensPage;
use crate::pages::trace::TracePage;
use crate::widgets::new_record::NewRecordDialog;

later! {
    Page record(id: RecordId) in record { view! { <RecordPage id/> } }
    Page records(kind: TypeName) in lists { view! { <RecordsPage kind/> } }
    Page search() in lists { view! { <SearchPage/> } }
    Page notifications() in lists { view! { <NotificationsPage/> } }
    Page failures() in lists { view! { <FailuresPage/> } }
    Page emails() in lists { view! { <EmailsPage/> } }
    Page contacts() in lists { view! { <ContactsPage/> } }
    Page contact(id: ContactId) in lists { view! { <ContactPage id/> } }
    Page deliverability() in lists { view! { <DeliverabilityPage/> } }
    Over new_record(kind: Option<TypeName>, on_close: Callback<()>) in lists { view! { <NewRecordDialog kind on_close/> } }
    Over user_menu() in lists { view! { <UserMenuItems/> } }
    Over help(on_close: Callback<()>) in lists { view! { <HelpDialog on_close/> } }
    Page aliases() in office { view! { <AliasesPage/> } }
    Page servers() in office { view! { <ServersPage/> } }
    Page limits() in office { view! { <LimitsPage/> } }
    Page actions() in office { view! { <ActionsPage/> } }
    Page suppressions() in office { view! { <SuppressionsPage/> } }
    Page alias(id: Option<AliasId>) in office { view! { <AliasPage id/> } }
    Page templates() in office { view! { <TemplatesPage/> } }
    Page incoming() in office { view! { <IncomingPage/> } }
    Page people() in people { view! { <PeoplePage/> } }
    Page profile() in people { view! { <ProfilePage/> } }
    Page tokens() in people { view! { <TokensPage/> } }
    Page account(path: String) in people { view! { <AccountPage path/> } }
    Over banner() in people { view! { <PlaceholderBanner/> } }
    Page logs() in technical { view! { <LogsPage/> } }
    Page trace(id: String) in technical { view! { <TracePage id/> } }
    Page status() in technical { view! { <StatusPage/> } }
    Page doctor() in doctor { view! { <DoctorPage/> } }
    Page support() in doctor { view! { <SupportPage/> } }
    Page campaigns() in campaigns { view! { <CampaignsPage/> } }
    Page campaign(id: CampaignId) in campaigns { view! { <CampaignPage id/> } }
    Page mailing_lists() in campaigns { view! { <MailingListsPage/> } }
    Page login() in gate { view! { <LoginPage/> } }
    Page set_up() in gate { view! { <SetUpPage/> } }
    Over inbox_empty() in empty { view! { <InboxEmpty/> } }
    Page not_found() in office { view! { <NotFoundPage/> } }
}
