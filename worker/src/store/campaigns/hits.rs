//! Who opened a mail, followed a link, unsubscribed.

use mailroom_shared::api::campaigns::HourResult;
use mailroom_shared::campaign::content::Link;
use mailroom_shared::campaign::hits::AT_ONCE;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::super::Answers;
use super::super::StoreError;
use super::super::json;
use super::super::suppressions;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// A recipient, as a token names it.
#[derive(Debug, Clone, Deserialize)]
pub struct Visitor {
    pub campaign_id: String,
    pub address: String,
    pub address_key: String,
    pub name: String,
    #[serde(deserialize_with = "json")]
    pub fields: std::collections::BTreeMap<String, String>,
    /// When it was handed over, while its delivery is there.
    pub sent_at: Option<Timestamp>,
    /// Other links followed a moment ago.
    pub links_at_once: u32,
}

pub fn visitor(n: u32, link: i64, now: Timestamp) -> Statement {
    statement!(
        "SELECT r.campaign_id, r.address, r.address_key, r.name, r.fields,
           (SELECT state_at FROM deliveries d WHERE d.id = substr(r.campaign_id, 1, 16) || printf('%010d', r.n)
              AND d.state IN ('sent', 'delivered')) AS sent_at,
           (SELECT COUNT(DISTINCT link) FROM campaign_hits h WHERE h.n = r.n AND h.kind = 'click' AND h.link <> ?2
              AND h.last_at > ?3) AS links_at_once
         FROM campaign_recipients r WHERE r.n = ?1",
        n,
        link,
        now - AT_ONCE
    )
}

/// Writes a visit down. A row per kind of visitor: a scanner and its reader are two.
pub fn hit(n: u32, campaign: &str, kind: &str, link: i64, robot: Option<&str>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO campaign_hits (n, kind, link, robot, campaign_id, first_at, last_at, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)
         ON CONFLICT (n, kind, link, robot) DO UPDATE SET last_at = excluded.last_at, times = times + 1",
        n,
        kind,
        link,
        robot.is_some(),
        campaign,
        now,
        robot
    )
}

/// Links followed all at once were all followed by a machine, the first ones too.
pub fn were_robots(n: u32, why: &str, now: Timestamp) -> [Statement; 2] {
    let recent = "n = ?1 AND kind = 'click' AND robot = 0 AND first_at > ?2";
    [
        statement!(
            format!(
                "INSERT INTO campaign_hits (n, kind, link, robot, campaign_id, first_at, last_at, times, why)
                 SELECT n, kind, link, 1, campaign_id, first_at, last_at, times, ?3 FROM campaign_hits WHERE {recent}
                 ON CONFLICT (n, kind, link, robot) DO UPDATE SET times = times + excluded.times, last_at = excluded.last_at"
            ),
            n,
            now - AT_ONCE,
            why
        ),
        statement!(format!("DELETE FROM campaign_hits WHERE {recent}"), n, now - AT_ONCE),
    ]
}

/// Takes a recipient off all campaigns, and counts it for this one.
pub fn unsubscribe(n: u32, it: &Visitor, campaign: &str, now: Timestamp) -> [Statement; 3] {
    let [hold, remember] = suppressions::unsubscribe(&it.address_key, &it.address, campaign, now);
    [hold, remember, hit(n, &it.campaign_id, "unsubscribe", -1, None, now)]
}

/// The same for who wrote to the address of `List-Unsubscribe`; nothing when the campaign is gone.
pub async fn unsubscribe_by_mail(app: &App, n: u32) -> Result<Vec<Statement>, StoreError> {
    let now = app.now();
    let Some(it) = super::super::decode_one::<Visitor>(app.run(visitor(n, -1, now)).await?)? else {
        return Ok(Vec::new());
    };
    let name = super::read(app, &it.campaign_id).await?.map(|it| it.name).unwrap_or_default();
    Ok(unsubscribe(n, &it, &name, now).into())
}

/// A recipient answered the mail that these Message-IDs name.
pub fn answered(campaign: &str, n: u32, at: Timestamp) -> Statement {
    statement!(
        "UPDATE campaign_recipients SET answered = ?3
         WHERE n = ?2 AND answered IS NULL AND substr(campaign_id, 1, 16) = ?1",
        campaign,
        n,
        at
    )
}

/// Takes an unsubscription back.
pub fn forget_unsubscribed(n: u32) -> Statement {
    statement!("DELETE FROM campaign_hits WHERE n = ?1 AND kind = 'unsubscribe'", n)
}

#[derive(Debug, Default, Deserialize)]
pub struct Figures {
    pub opened: u32,
    pub clicked: u32,
    pub unsubscribed: u32,
    pub answered: u32,
    pub robots: u32,
}

#[derive(Debug, Deserialize)]
pub struct LinkCount {
    pub link: u32,
    pub robot: u32,
    pub people: u32,
    pub clicks: u32,
}

#[derive(Debug, Deserialize)]
struct HourCount {
    hour: i64,
    kind: String,
    n: u32,
}

/// An hour in milliseconds.
const HOUR: u32 = 3_600_000;

pub fn results(id: &str) -> [Statement; 4] {
    let people = |kinds: &str, robot: &str| {
        format!(
            "(SELECT COUNT(DISTINCT n) FROM campaign_hits h INDEXED BY hits_by_campaign
               WHERE campaign_id = ?1 AND kind IN ({kinds}) AND robot {robot})"
        )
    };
    [
        statement!(
            format!(
                "SELECT {} AS opened, {} AS clicked, {} AS unsubscribed,
                   (SELECT COUNT(*) FROM campaign_recipients INDEXED BY recipients_answered
                     WHERE campaign_id = ?1 AND answered IS NOT NULL) AS answered,
                   (SELECT COUNT(DISTINCT n) FROM campaign_hits h INDEXED BY hits_by_campaign
                     WHERE campaign_id = ?1 AND kind IN ('open', 'click') AND robot = 1 AND NOT EXISTS
                       (SELECT 1 FROM campaign_hits o WHERE o.n = h.n AND o.kind IN ('open', 'click') AND o.robot = 0)) AS robots",
                people("'open', 'click'", "= 0"),
                people("'click'", "= 0"),
                people("'unsubscribe'", "IN (0, 1)")
            ),
            id
        ),
        statement!(
            "SELECT link, robot, COUNT(*) AS people, SUM(times) AS clicks FROM campaign_hits INDEXED BY hits_by_campaign
             WHERE campaign_id = ?1 AND kind = 'click' AND robot IN (0, 1) GROUP BY link, robot",
            id
        ),
        statement!(
            "SELECT CAST(state_at / ?2 AS INTEGER) AS hour, 'sent' AS kind, COUNT(*) AS n
             FROM deliveries INDEXED BY deliveries_of_campaigns
             WHERE email_id = ?1 AND lane = 'bulk' AND state IN ('sent', 'delivered') GROUP BY 1",
            id,
            HOUR
        ),
        statement!(
            "SELECT CAST(at / ?2 AS INTEGER) AS hour, kind, COUNT(*) AS n FROM
               (SELECT MIN(first_at) AS at, kind FROM campaign_hits INDEXED BY hits_by_campaign
                WHERE campaign_id = ?1 AND kind IN ('open', 'click') AND robot = 0 GROUP BY kind, n) GROUP BY 1, kind",
            id,
            HOUR
        ),
    ]
}

/// Figures, links, hours, in that order.
pub fn read_results(
    answers: &mut Answers,
    links: &[Link],
) -> Result<mailroom_shared::api::campaigns::CampaignResults, StoreError> {
    let figures: Figures = answers.one()?.unwrap_or_default();
    let counts: Vec<LinkCount> = answers.rows()?;
    let mut hours: std::collections::BTreeMap<i64, HourResult> = std::collections::BTreeMap::new();
    let all: Vec<HourCount> = answers.rows::<HourCount>()?.into_iter().chain(answers.rows::<HourCount>()?).collect();
    for it in all {
        let hour = hours.entry(it.hour).or_insert(HourResult { hour: it.hour, ..HourResult::default() });
        match it.kind.as_str() {
            "sent" => hour.handed_over += it.n,
            "open" => hour.opened += it.n,
            _ => hour.clicked += it.n,
        }
    }
    let of = |index: usize, robot: u32| counts.iter().find(|it| it.link as usize == index && it.robot == robot);
    let links = links.iter().enumerate().map(|(i, link)| mailroom_shared::api::campaigns::LinkResult {
        url: link.url.clone(),
        words: link.words.clone(),
        people: of(i, 0).map_or(0, |it| it.people),
        clicks: of(i, 0).map_or(0, |it| it.clicks),
        robots: of(i, 1).map_or(0, |it| it.people),
    });
    Ok(mailroom_shared::api::campaigns::CampaignResults {
        opened: figures.opened,
        clicked: figures.clicked,
        unsubscribed: figures.unsubscribed,
        answered: figures.answered,
        robots: figures.robots,
        links: links.collect(),
        hours: hours.into_values().collect(),
    })
}
