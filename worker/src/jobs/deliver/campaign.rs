//! Mails of campaigns: one content, filled for each recipient; who opted out meanwhile gets none.

use std::collections::BTreeMap;
use std::collections::HashMap;

use mailroom_shared::address::Mailbox;
use mailroom_shared::campaign::content::Compiled;
use mailroom_shared::campaign::content::Urls;
use mailroom_shared::campaign::content::Words;
use mailroom_shared::campaign::content::compile;
use mailroom_shared::campaign::content::link_url;
use mailroom_shared::campaign::merge;
use mailroom_shared::campaign::state::CampaignState;
use mailroom_shared::gateway::loops::loop_value;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::mail::compose::AutoSubmitted;
use mailroom_shared::mail::compose::ExtraHeader;
use mailroom_shared::mail::compose::Outgoing;
use mailroom_shared::mail::rfc_id::make;
use mailroom_shared::outbox::breaker::Trip;
use mailroom_shared::policy::HEADER_LOOP;
use mailroom_shared::token;
use mailroom_shared::token::Purpose;

use crate::app::App;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::campaigns::Campaign;
use crate::store::campaigns::Person;
use crate::store::deliveries::Claimed;

/// The content of a campaign, put together.
pub fn compiled(it: &Campaign) -> Compiled {
    let texts = Catalogue::load(Lang::of(&it.language));
    let words = Words { unsubscribe: texts.text("mail.unsubscribe", &[]) };
    compile(&it.content, &it.preheader, &words)
}

/// Campaigns of a claim with their recipients.
#[derive(Default)]
pub(super) struct Bulk {
    campaigns: HashMap<String, (Campaign, Compiled)>,
    people: HashMap<String, Person>,
}

/// Why a claimed mail of a campaign does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bar {
    /// The recipient wants none any more.
    LeftOut,
    Paused,
    Stopped,
    /// Too much of the last day's bulk mail came back.
    Breaker(Trip),
}

impl Bulk {
    pub(super) fn read(answers: &mut Answers) -> Result<Self, StoreError> {
        let campaigns: Vec<Campaign> = answers.rows()?;
        let people: Vec<Person> = answers.rows()?;
        Ok(Self {
            campaigns: campaigns
                .into_iter()
                .map(|it| {
                    let content = compiled(&it);
                    (it.id.as_str().to_owned(), (it, content))
                })
                .collect(),
            people: people.into_iter().map(|it| (it.delivery.clone(), it)).collect(),
        })
    }

    fn of(&self, row: &Claimed) -> Option<&(Campaign, Compiled)> {
        self.campaigns.get(row.campaign_id.as_deref()?)
    }

    /// What of this claim does not leave. A test always does.
    pub(super) fn bar(&self, row: &Claimed) -> Option<Bar> {
        row.campaign_id.as_ref()?;
        // A draft that was thrown away takes its test along.
        let Some((it, _)) = self.of(row) else { return Some(Bar::Stopped) };
        if row.lane != "bulk" {
            return None;
        }
        match it.state {
            CampaignState::Stopped => Some(Bar::Stopped),
            _ if self.people.get(row.id.as_str()).is_none_or(|it| it.is_out) => Some(Bar::LeftOut),
            CampaignState::Paused => Some(Bar::Paused),
            _ => None,
        }
    }

    /// Bytes that both parts of the content have.
    pub(super) fn size(&self, row: &Claimed) -> Option<u64> {
        self.of(row).map(|(_, content)| (content.html.len() + content.text.len()) as u64 * 5 / 4 + 6_000)
    }

    /// The mail for one recipient; `None` when it is none of a campaign.
    pub(super) fn mail(&self, app: &App, base_url: Option<&str>, row: &Claimed, from: &Mailbox) -> Option<Outgoing> {
        let (it, content) = self.of(row)?;
        let person = self.people.get(row.id.as_str());
        let none = BTreeMap::new();
        let (n, name, extra) = person.map_or((0, row.name.as_str(), &none), |it| (it.n, it.name.as_str(), &it.fields));
        let fields = merge::fields(name, row.address.as_str(), &it.name, extra);
        let base = base_url.unwrap_or_default();
        let signed = |purpose: Purpose, id: &str| token::sign(&app.config.token_secret, purpose, id);
        let unsubscribe = format!("{base}/u/{}", signed(Purpose::Unsubscribe, &n.to_string()));
        // Who looks at a test is not counted.
        let tracks = it.track && base_url.is_some() && n > 0;
        let pixel = tracks.then(|| format!("{base}/o/{}.gif", signed(Purpose::Open, &n.to_string())));
        let link = |index: usize, url: &str| {
            if tracks && !url.starts_with("mailto:") {
                format!("{base}/c/{}", signed(Purpose::Click, &format!("{n}-{index}")))
            } else {
                link_url(url, &fields)
            }
        };
        let (html, text) =
            content.personal(&fields, &Urls { link: &link, unsubscribe: &unsubscribe, pixel: pixel.as_deref() });
        let subject = merge::render(&it.subject, &fields, str::to_owned);
        let list = it.audience.lists.first().map_or("contacts", |it| it.as_str()).to_lowercase();
        let mut headers = vec![
            ("List-Id", format!("<{list}.{}>", row.domain)),
            ("Precedence", "list".to_owned()),
            ("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned()),
            (HEADER_LOOP, loop_value(&app.config.token_secret)),
        ];
        if base_url.is_some() {
            // RFC 8058: one POST, no question.
            // Those who can't follow a link write to the address (RFC 2369).
            let mailto = format!("{}@{}", token::unsubscribe_local(&app.config.token_secret, n), row.domain);
            headers.push(("List-Unsubscribe", format!("<{unsubscribe}>, <mailto:{mailto}?subject=unsubscribe>")));
            headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        Some(Outgoing {
            from: from.clone(),
            sender: None,
            to: vec![Mailbox::new(Some(name).filter(|it| !it.is_empty()), row.address.clone())],
            cc: Vec::new(),
            reply_to: it.reply_to.iter().map(|it| Mailbox::new(None, it.clone())).collect(),
            subject: if n == 0 { format!("[Test] {subject}") } else { subject },
            date: app.now(),
            message_id: make(&row.id.as_str().to_lowercase(), &row.domain),
            in_reply_to: None,
            references: Vec::new(),
            html: Some(html),
            text: Some(text),
            attachments: Vec::new(),
            extra_headers: headers.iter().filter_map(|(name, value)| ExtraHeader::new(name, value).ok()).collect(),
            auto_submitted: Some(AutoSubmitted::Generated),
        })
    }
}
