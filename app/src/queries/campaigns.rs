//! Campaigns and mailing lists.

use leptos::prelude::*;
use mailroom_shared::api::campaigns::ActOnCampaign;
use mailroom_shared::api::campaigns::CampaignResults;
use mailroom_shared::api::campaigns::CampaignRow;
use mailroom_shared::api::campaigns::CampaignSettings;
use mailroom_shared::api::campaigns::CampaignView;
use mailroom_shared::api::campaigns::ChangeCampaign;
use mailroom_shared::api::campaigns::CheckCampaign;
use mailroom_shared::api::campaigns::CreateCampaign;
use mailroom_shared::api::campaigns::DeleteCampaign;
use mailroom_shared::api::campaigns::DoCampaignAct;
use mailroom_shared::api::campaigns::DomainResult;
use mailroom_shared::api::campaigns::ListCampaignDomains;
use mailroom_shared::api::campaigns::ListCampaigns;
use mailroom_shared::api::campaigns::ListRecipients;
use mailroom_shared::api::campaigns::NewCampaign;
use mailroom_shared::api::campaigns::Preflight;
use mailroom_shared::api::campaigns::ReadCampaign;
use mailroom_shared::api::campaigns::ReadResults;
use mailroom_shared::api::campaigns::RecipientQuery;
use mailroom_shared::api::campaigns::RecipientRow;
use mailroom_shared::api::campaigns::SendTest;
use mailroom_shared::api::campaigns::TestCampaign;
use mailroom_shared::api::mailing_lists::ActOnMember;
use mailroom_shared::api::mailing_lists::AddMember;
use mailroom_shared::api::mailing_lists::ChangeMailingList;
use mailroom_shared::api::mailing_lists::CreateMailingList;
use mailroom_shared::api::mailing_lists::DoMemberAct;
use mailroom_shared::api::mailing_lists::ImportMemberFile;
use mailroom_shared::api::mailing_lists::ImportMembers;
use mailroom_shared::api::mailing_lists::ImportReport;
use mailroom_shared::api::mailing_lists::ListMailingLists;
use mailroom_shared::api::mailing_lists::ListMembers;
use mailroom_shared::api::mailing_lists::MailingListRow;
use mailroom_shared::api::mailing_lists::MailingListSettings;
use mailroom_shared::api::mailing_lists::MemberQuery;
use mailroom_shared::api::mailing_lists::MemberRow;
use mailroom_shared::api::mailing_lists::NewMember;
use mailroom_shared::api::tag;
use mailroom_shared::id::CampaignId;
use mailroom_shared::id::MailingListId;

use super::Cache;
use super::List;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

fn tags(list: &[&str]) -> Vec<String> {
    list.iter().map(|it| (*it).to_owned()).collect()
}

pub fn use_campaigns() -> Read<Vec<CampaignRow>> {
    read::<ListCampaigns>(tags(&[tag::CAMPAIGNS, tag::LIMITS]), || Some(api::address::<ListCampaigns>(&[], &())))
}

pub fn use_campaign(id: CampaignId) -> Read<CampaignView> {
    read::<ReadCampaign>(tags(&[tag::CAMPAIGNS, tag::LIMITS]), move || {
        Some(api::address::<ReadCampaign>(&[id.as_str()], &()))
    })
}

pub fn use_preflight(id: CampaignId) -> Read<Preflight> {
    read::<CheckCampaign>(tags(&[tag::CAMPAIGNS, tag::MAILING_LISTS, tag::SERVERS]), move || {
        Some(api::address::<CheckCampaign>(&[id.as_str()], &()))
    })
}

pub fn use_results(id: CampaignId) -> Read<CampaignResults> {
    read::<ReadResults>(tags(&[tag::CAMPAIGNS]), move || Some(api::address::<ReadResults>(&[id.as_str()], &())))
}

pub fn use_recipients(
    id: CampaignId,
    query: impl Fn() -> RecipientQuery + Send + Sync + 'static,
) -> List<RecipientRow> {
    List::new(tag::CAMPAIGNS, Signal::derive(move || api::address::<ListRecipients>(&[id.as_str()], &query())))
}

/// Asked once: it reads the whole ledger.
pub fn use_campaign_domains(id: &CampaignId) -> Read<Vec<DomainResult>> {
    let address = api::address::<ListCampaignDomains>(&[id.as_str()], &());
    read::<ListCampaignDomains>(Vec::new(), move || Some(address.clone()))
}

pub async fn create_campaign(cache: Cache, new: NewCampaign) -> Result<CampaignView, ApiError> {
    cache.settle(api::call::<CreateCampaign>(&[], &(), &new).await, &[tag::CAMPAIGNS])
}

pub async fn save_campaign(cache: Cache, id: CampaignId, it: CampaignSettings) -> Result<CampaignView, ApiError> {
    cache.settle(api::call::<ChangeCampaign>(&[id.as_str()], &(), &it).await, &[tag::CAMPAIGNS])
}

pub async fn delete_campaign(cache: Cache, id: CampaignId) -> Result<(), ApiError> {
    cache.settle(api::call::<DeleteCampaign>(&[id.as_str()], &(), &()).await, &[tag::CAMPAIGNS])
}

pub async fn act_on_campaign(cache: Cache, id: CampaignId, act: ActOnCampaign) -> Result<CampaignView, ApiError> {
    let answer = api::call::<DoCampaignAct>(&[id.as_str()], &(), &act).await;
    cache.settle(answer, &[tag::CAMPAIGNS, tag::EMAILS])
}

pub async fn test_campaign(cache: Cache, id: CampaignId, to: String) -> Result<(), ApiError> {
    cache.settle(api::call::<TestCampaign>(&[id.as_str()], &(), &SendTest { to }).await, &[])
}

pub fn use_mailing_lists() -> Read<Vec<MailingListRow>> {
    read::<ListMailingLists>(tags(&[tag::MAILING_LISTS, tag::SUPPRESSIONS]), || {
        Some(api::address::<ListMailingLists>(&[], &()))
    })
}

/// Makes a list, or changes the one given.
pub async fn save_mailing_list(
    cache: Cache,
    id: Option<MailingListId>,
    it: MailingListSettings,
) -> Result<MailingListRow, ApiError> {
    let answer = match id {
        Some(id) => api::call::<ChangeMailingList>(&[id.as_str()], &(), &it).await,
        None => api::call::<CreateMailingList>(&[], &(), &it).await,
    };
    cache.settle(answer, &[tag::MAILING_LISTS, tag::CAMPAIGNS])
}

pub fn use_members(id: MailingListId, query: impl Fn() -> MemberQuery + Send + Sync + 'static) -> List<MemberRow> {
    List::new(tag::MAILING_LISTS, Signal::derive(move || api::address::<ListMembers>(&[id.as_str()], &query())))
}

pub async fn add_member(cache: Cache, id: MailingListId, new: NewMember) -> Result<(), ApiError> {
    cache.settle(api::call::<AddMember>(&[id.as_str()], &(), &new).await, &[tag::MAILING_LISTS])
}

pub async fn act_on_member(cache: Cache, id: MailingListId, act: ActOnMember) -> Result<(), ApiError> {
    cache.settle(api::call::<DoMemberAct>(&[id.as_str()], &(), &act).await, &[tag::MAILING_LISTS])
}

pub async fn import_members(cache: Cache, id: MailingListId, file: ImportMembers) -> Result<ImportReport, ApiError> {
    let tags: &[&str] = if file.preview { &[] } else { &[tag::MAILING_LISTS, tag::CAMPAIGNS] };
    cache.settle(api::call::<ImportMemberFile>(&[id.as_str()], &(), &file).await, tags)
}
