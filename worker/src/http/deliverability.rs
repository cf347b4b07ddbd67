//! How mail arrives: figures, and the timeline of a contact.

use std::collections::BTreeMap;
use std::collections::HashMap;

use mailroom_shared::api::deliverability::AddressHealth;
use mailroom_shared::api::deliverability::ContactEventKind;
use mailroom_shared::api::deliverability::ContactTimeline;
use mailroom_shared::api::deliverability::DayOutcomes;
use mailroom_shared::api::deliverability::Deliverability;
use mailroom_shared::api::deliverability::DomainOutcomes;
use mailroom_shared::api::deliverability::Outcomes;
use mailroom_shared::api::deliverability::ReadContactTimeline;
use mailroom_shared::api::deliverability::ReadDeliverability;
use mailroom_shared::api::deliverability::ReasonCount;
use mailroom_shared::outbox::address_health;
use mailroom_shared::outbox::address_health::Mark;
use mailroom_shared::outbox::address_health::Sign;
use mailroom_shared::outbox::breaker;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use super::endpoint::Call;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::Answers;
use crate::store::contacts;
use crate::store::deliverability;
use crate::store::deliverability::Told;

const DAY: i64 = 86_400_000;
/// Domains shown.
const DOMAINS: usize = 20;
/// Reasons shown.
const REASONS: usize = 12;
/// Lines of a contact's timeline.
const LINES: usize = 200;
/// Addresses of a contact that are looked at.
const ADDRESSES: usize = 20;

pub(super) async fn read(call: Call<ReadDeliverability>) -> AppResult<Deliverability> {
    let (app, now) = (&call.app, call.app.now());
    let days = i64::from(call.query.days.unwrap_or(30).clamp(1, 90));
    let today = now.as_millis().div_euclid(DAY);
    let first = today - days + 1;
    let since = Timestamp::from_millis(first * DAY);
    let statements = vec![
        deliverability::by_day(since),
        deliverability::by_domain(since),
        deliverability::by_reason(since),
        deliverability::bulk(now - Span::days(1)),
    ];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let mut by_day: BTreeMap<i64, Outcomes> = (first..=today).map(|it| (it, Outcomes::default())).collect();
    let (mut total, mut seen) = (Outcomes::default(), 0);
    for row in answers.rows::<deliverability::DayRow>()? {
        by_day.entry(row.day).or_default().add(row.state, row.n);
        total.add(row.state, row.n);
        seen += row.n;
    }
    let mut by_domain: HashMap<String, Outcomes> = HashMap::new();
    for row in answers.rows::<deliverability::DomainRow>()? {
        by_domain.entry(row.domain).or_default().add(row.state, row.n);
    }
    let mut domains: Vec<DomainOutcomes> =
        by_domain.into_iter().map(|(domain, outcomes)| DomainOutcomes { domain, outcomes }).collect();
    domains.sort_by(|a, b| b.outcomes.total().cmp(&a.outcomes.total()).then_with(|| a.domain.cmp(&b.domain)));
    domains.truncate(DOMAINS);
    let mut reasons = answers.rows::<deliverability::ReasonRow>()?;
    reasons.sort_by_key(|it| std::cmp::Reverse(it.n));
    reasons.truncate(REASONS);
    Ok(Deliverability {
        total,
        days: by_day
            .into_iter()
            .map(|(day, outcomes)| DayOutcomes { day: Timestamp::from_millis(day * DAY), outcomes })
            .collect(),
        domains,
        reasons: reasons.into_iter().map(|it| ReasonCount { reason: it.reason, n: it.n }).collect(),
        is_part: seen >= deliverability::MOST,
        breaker: answers.one()?.and_then(breaker::trip),
    })
}

/// What a line says of the address.
fn sign(told: &Told) -> Option<Sign> {
    use DeliveryState as S;
    match (told.event.kind, told.event.state) {
        (ContactEventKind::Wrote, _) | (_, Some(S::Delivered)) => Some(Sign::Alive),
        (_, Some(S::Sent)) => Some(Sign::Taken),
        (_, Some(S::Complained)) => Some(Sign::Complaint),
        (_, Some(S::Failed | S::Bounced | S::Ignored)) => Some(if told.permanent { Sign::Dead } else { Sign::Soft }),
        _ => None,
    }
}

pub(super) async fn timeline(call: Call<ReadContactTimeline>) -> AppResult<ContactTimeline> {
    let app = &call.app;
    let contact = contacts::read(app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    let addresses: Vec<_> = contact.emails.into_iter().take(ADDRESSES).collect();
    if addresses.is_empty() {
        return Ok(ContactTimeline::default());
    }
    let mut answers = Answers::new(app.db.batch(deliverability::of_addresses(&addresses)).await?);
    let mut out = ContactTimeline::default();
    for address in addresses {
        let told = deliverability::told(answers.take())?;
        let suppressed = told.iter().any(|it| it.event.kind == ContactEventKind::Suppressed);
        let signs: Vec<_> = told.iter().filter_map(|it| Some((it.event.at, sign(it)?))).collect();
        let mark = if suppressed { Mark::Bad } else { address_health::mark(&signs) };
        out.addresses.push(AddressHealth { address, mark, suppressed });
        out.events.extend(told.into_iter().map(|it| it.event));
    }
    let sight = call.sight()?;
    if !sight.is_all() {
        let ids = out.events.iter().filter_map(|it| it.record.as_ref()).map(|it| it.as_str().to_owned()).collect();
        let seen = sight.of_records(app, ids).await?;
        out.events.retain(|it| it.record.as_ref().is_none_or(|it| seen.iter().any(|id| id == it.as_str())));
    }
    out.events.sort_by_key(|it| std::cmp::Reverse(it.at));
    out.events.truncate(LINES);
    Ok(out)
}
