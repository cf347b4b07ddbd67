//! Campaigns: writing, checking, departure, results.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::campaign::content::Content;
use crate::campaign::ledger::Ledger;
use crate::campaign::ledger::Place;
use crate::campaign::preflight::Finding;
use crate::campaign::queue::Departure;
use crate::campaign::state::CampaignAct;
use crate::campaign::state::CampaignState;
use crate::id::CampaignId;
use crate::id::MailingListId;
use crate::outbox::failure::Reason;
use crate::outbox::state::DeliveryState;
use crate::time::Timestamp;

/// Who gets a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Audience {
    #[serde(default)]
    pub lists: Vec<MailingListId>,
    /// Customers among the contacts whose name or address has this in it; empty is all of them, absent none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<String>,
}

impl Audience {
    pub const fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.contacts.is_none()
    }
}

/// What a person sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CampaignSettings {
    pub name: String,
    #[serde(default)]
    pub subject: String,
    /// What a list of mails shows behind the subject.
    #[serde(default)]
    pub preheader: String,
    /// From; absent is the notifications' address of the first domain with the company's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Mailbox>,
    /// Where answers go; absent is the From.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<EmailAddress>,
    /// Of the words around the content.
    #[serde(default)]
    pub language: String,
    #[serde(default)]
    pub audience: Audience,
    #[serde(default)]
    pub content: Content,
    /// Counts who opens it and which links are followed.
    #[serde(default)]
    pub track: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewCampaign {
    pub name: String,
    /// Takes over what another one says and to whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<CampaignId>,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CampaignRow {
    pub id: CampaignId,
    pub name: String,
    pub subject: String,
    pub state: CampaignState,
    pub created: Timestamp,
    pub by: String,
    pub scheduled: Option<Timestamp>,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// Recipients, as far as they are known.
    pub recipients: u32,
    pub handed_over: u32,
    pub failed: u32,
    /// Of campaigns in the queue.
    pub departure: Option<Departure>,
}

/// One campaign with everything about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CampaignView {
    pub row: CampaignRow,
    pub settings: CampaignSettings,
    /// The From it leaves with.
    pub sender: String,
    pub ledger: Ledger,
    /// What can be done with it now.
    pub acts: Vec<CampaignAct>,
    /// Recipients are being written down; the figures still grow.
    pub is_expanding: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActOnCampaign {
    pub act: CampaignAct,
    /// With `schedule`: not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SendTest {
    pub to: String,
}

/// What was looked at before it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Preflight {
    pub findings: Vec<Finding>,
    pub recipients: u32,
    pub duplicates: u32,
    pub left_out: Vec<crate::campaign::ledger::LeftOutCount>,
    pub departure: Option<Departure>,
}

/// Which recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecipientFilter {
    All,
    LeftOut,
    Queued,
    Deferred,
    HandedOver,
    Failed,
    Bounced,
    Unknown,
    Opened,
    Clicked,
    Unsubscribed,
    Answered,
}

impl RecipientFilter {
    pub const ALL: [Self; 12] = [
        Self::All,
        Self::LeftOut,
        Self::Queued,
        Self::Deferred,
        Self::HandedOver,
        Self::Failed,
        Self::Bounced,
        Self::Unknown,
        Self::Opened,
        Self::Clicked,
        Self::Unsubscribed,
        Self::Answered,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::LeftOut => "left_out",
            Self::Queued => "queued",
            Self::Deferred => "deferred",
            Self::HandedOver => "handed_over",
            Self::Failed => "failed",
            Self::Bounced => "bounced",
            Self::Unknown => "unknown",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Unsubscribed => "unsubscribed",
            Self::Answered => "answered",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// States of deliveries it stands for; none for those that other facts decide.
    pub const fn states(self) -> &'static [DeliveryState] {
        use DeliveryState as S;
        match self {
            Self::Queued => &[S::Outgoing, S::Sending],
            Self::Deferred => &[S::Deferred],
            Self::HandedOver => &[S::Sent, S::Delivered],
            Self::Failed => &[S::Failed, S::Ignored, S::Cancelled],
            Self::Bounced => &[S::Bounced, S::Complained],
            Self::Unknown => &[S::Unknown],
            Self::All | Self::LeftOut | Self::Opened | Self::Clicked | Self::Unsubscribed | Self::Answered => &[],
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecipientQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<RecipientFilter>,
    /// The whole address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecipientRow {
    /// Grows in the order of sending.
    pub n: i64,
    pub address: String,
    pub name: String,
    pub place: Place,
    pub at: Option<Timestamp>,
    pub reason: Option<Reason>,
    /// The last answer of a server.
    pub answer: Option<String>,
    pub opened: Option<Timestamp>,
    pub clicked: Option<Timestamp>,
    pub unsubscribed: Option<Timestamp>,
    pub answered: Option<Timestamp>,
    /// How often the address stood on the lists.
    pub copies: u32,
}

/// A link and who followed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkResult {
    pub url: String,
    pub words: String,
    /// Recipients.
    pub people: u32,
    /// Times.
    pub clicks: u32,
    pub robots: u32,
}

/// An hour since 1970 with what happened in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HourResult {
    pub hour: i64,
    pub handed_over: u32,
    pub opened: u32,
    pub clicked: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CampaignResults {
    /// Recipients who opened it or followed a link.
    pub opened: u32,
    pub clicked: u32,
    pub unsubscribed: u32,
    /// Recipients who wrote back; what machines answer does not count.
    pub answered: u32,
    /// Recipients whose mail only a machine looked into.
    pub robots: u32,
    pub links: Vec<LinkResult>,
    pub hours: Vec<HourResult>,
}

/// Recipients of one domain and where their mails are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DomainResult {
    /// Empty is all others.
    pub domain: String,
    pub recipients: u32,
    /// Accepted and not returned.
    pub delivered: u32,
    pub failed: u32,
    /// Opened it or followed a link.
    pub opened: u32,
}

crate::endpoints! {
    ListCampaigns: Get "/api/v1/campaigns" "All campaigns, those in the queue first, in the order of departure" { query: (), body: () } -> Vec<CampaignRow>;
    CreateCampaign: Post "/api/v1/campaigns" "A new draft" { query: (), body: NewCampaign } -> CampaignView;
    ReadCampaign: Get "/api/v1/campaigns/{id}" "A campaign with its ledger" { query: (), body: () } -> CampaignView;
    ChangeCampaign: Patch "/api/v1/campaigns/{id}" "Write a draft" { query: (), body: CampaignSettings } -> CampaignView;
    DeleteCampaign: Delete "/api/v1/campaigns/{id}" "Throw a draft away" { query: (), body: () } -> ();
    DoCampaignAct: Post "/api/v1/campaigns/{id}/acts" "Send, schedule, cancel, pause, resume, stop, retry what failed" { query: (), body: ActOnCampaign } -> CampaignView;
    TestCampaign: Post "/api/v1/campaigns/{id}/test" "Send it to one address to look at; nothing is counted" { query: (), body: SendTest } -> ();
    CheckCampaign: Get "/api/v1/campaigns/{id}/preflight" "What to know before it leaves" { query: (), body: () } -> Preflight;
    ListRecipients: Get "/api/v1/campaigns/{id}/recipients" "The ledger, one line per recipient" { query: RecipientQuery, body: () } -> Page<RecipientRow>;
    ListCampaignDomains: Get "/api/v1/campaigns/{id}/domains" "Where the mails to each recipient domain are, the largest first" { query: (), body: () } -> Vec<DomainResult>;
    ReadResults: Get "/api/v1/campaigns/{id}/results" "Opens, clicks, unsubscribes, by link and hour" { query: (), body: () } -> CampaignResults;
}
