//! The trace of one mail, in or out.

use mailroom_shared::api::trace::Checks;
use mailroom_shared::api::trace::ReadTrace;
use mailroom_shared::api::trace::RuleView;
use mailroom_shared::api::trace::TraceView;
use mailroom_shared::gateway::verdict::Verdict;
use mailroom_shared::i18n::Lang;
use mailroom_shared::intake::kept;
use mailroom_shared::log::Direction;
use mailroom_shared::log::line::LogLine;
use mailroom_shared::log::mask_text;
use mailroom_shared::mail::inbound::Head;
use mailroom_shared::mail::parse;
use mailroom_shared::received;

use super::endpoint::Call;
use super::logs::sees_addresses;
use crate::app::App;
use crate::app::RECEIVING_HOST;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::deliveries;
use crate::store::incoming;
use crate::store::ingests;
use crate::store::logs;
use crate::store::logs::About;
use crate::store::logs::Order;
use crate::store::logs::Rows;
use crate::store::trace;

/// Rows of a timeline.
const LINES: u32 = 500;

pub(super) async fn read(call: Call<ReadTrace>) -> AppResult<TraceView> {
    let app = &call.app;
    let id = call.path(0);
    call.must_see_ingest(id).await?;
    let lang = call.lang()?;
    let view = if let Some(view) = came_in(app, id, lang).await? {
        view
    } else {
        let message = trace::message(app, id).await?.ok_or_else(AppError::not_found)?;
        let ingest = if message.incoming { ingests::id_of_message(app, message.id.as_str()).await? } else { None };
        match ingest {
            Some(ingest) => came_in(app, &ingest, lang).await?.ok_or_else(AppError::not_found)?,
            None => went_out(app, message).await?,
        }
    };
    if let Some(record) = &view.record {
        call.must_see_record(record.as_str()).await?;
    }
    Ok(if sees_addresses(call.me()?) { view } else { masked(view) })
}

fn masked(mut view: TraceView) -> TraceView {
    view.from = mask_text(&view.from);
    view.mail_from = mask_text(&view.mail_from);
    view.rcpt_to = view.rcpt_to.iter().map(|it| mask_text(it)).collect();
    view.answer = view.answer.map(|it| mask_text(&it));
    view.lines = view.lines.into_iter().map(LogLine::masked).collect();
    view.rules.iter_mut().for_each(|it| it.text = mask_text(&it.text));
    if let Some(checks) = &mut view.checks {
        checks.header = None;
    }
    view
}

async fn lines(app: &App, arrival: Option<&str>, message: Option<&str>) -> AppResult<Vec<LogLine>> {
    let about = About::Mail { arrival: arrival.map(str::to_owned), message: message.map(str::to_owned) };
    let rows = Rows { about, ..Rows::default() };
    Ok(logs::read(app, &rows, None, Order::Up, LINES).await?.lines)
}

async fn came_in(app: &App, id: &str, lang: Lang) -> AppResult<Option<TraceView>> {
    let Some((view, why)) = incoming::read(app, id, lang).await? else { return Ok(None) };
    let row = view.row;
    let verdict = incoming::verdict_of(app, id).await?.map(|(_, it)| it);
    let head = head(app, id).await?;
    let message = row.message.as_ref().map(|it| it.as_str());
    // The mails of ours that an ignored one repeats have a trace of their own.
    let sent = message.filter(|_| row.has_original);
    let about = verdict.as_ref().and_then(|it| it.report.as_ref()).and_then(|it| it.marks.first());
    let deliveries = match sent {
        Some(message) => deliveries::of_message(app, message).await?,
        None => Vec::new(),
    };
    Ok(Some(TraceView {
        direction: Direction::In,
        at: row.at,
        lines: lines(app, Some(id), sent).await?,
        rules: why.iter().map(|it| RuleView { rule: it.rule.clone(), text: it.say(lang) }).collect(),
        checks: head.as_ref().and_then(|it| checks(it, verdict.as_ref(), [&view.spf, &view.dkim, &view.dmarc])),
        way: head
            .as_ref()
            .map(|it| received::way(&received::hops(it.all("Received")), it.date, Some(row.at), "Mailroom"))
            .unwrap_or_default(),
        about: about.map(|it| it.message.as_str().to_owned()),
        original: row.has_original.then(|| format!("/api/v1/incoming/{id}/original")),
        id: row.id,
        subject: row.subject,
        from: row.from,
        mail_from: row.mail_from,
        rcpt_to: vec![row.rcpt_to],
        message_id: row.message_id,
        size: Some(row.size),
        fate: Some(row.fate),
        reason: row.reason,
        answer: view.answer,
        error: view.error,
        deliveries,
        record: row.record,
        record_number: row.record_number,
        record_title: row.record_title,
    }))
}

/// Header section of the stored mail, or the lines that a refusal keeps of it.
async fn head(app: &App, id: &str) -> AppResult<Option<Head>> {
    let Some(kept) = incoming::kept(app, id).await? else { return Ok(None) };
    let raw = match (kept.raw_key, kept.head) {
        (Some(key), _) if key.is_empty() => None,
        (Some(key), _) => app.blobs.get(&key).await?,
        (None, head) => Some(kept::mail_of(&head.unwrap_or_default())),
    };
    Ok(raw.map(|it| parse::parse_head(&it)))
}

fn checks(head: &Head, verdict: Option<&Verdict>, words: [&Option<String>; 3]) -> Option<Checks> {
    let header = head.all("Authentication-Results").find(|it| it.trim_start().starts_with(RECEIVING_HOST));
    let [spf, dkim, dmarc] = words.map(|it| it.clone().unwrap_or_default());
    if verdict.is_none() && header.is_none() {
        return None;
    }
    let found = mailroom_shared::mail::authres::authenticate(head, RECEIVING_HOST);
    let or = |word: String, found| if word.is_empty() { incoming::word(found) } else { word };
    let domain = head.sender().map(|it| it.address.domain().to_owned()).unwrap_or_default();
    Some(Checks {
        spf: or(spf, found.spf),
        dkim: or(dkim, found.dkim),
        dmarc: or(dmarc, found.dmarc),
        trusted: verdict.map_or_else(|| found.from_trusted(&domain), |it| it.authentication.from_trusted),
        domain,
        header: header.map(str::to_owned),
    })
}

async fn went_out(app: &App, message: trace::Message) -> AppResult<TraceView> {
    let id = message.id.as_str();
    let deliveries = deliveries::of_message(app, id).await?;
    let sender = message.sender.as_ref();
    Ok(TraceView {
        direction: Direction::Out,
        at: message.at,
        lines: lines(app, None, Some(id)).await?,
        from: sender.map_or_else(|| message.author_name.clone(), mailroom_shared::address::Mailbox::display),
        mail_from: sender.map(|it| it.address.as_str().to_owned()).unwrap_or_default(),
        rcpt_to: deliveries.iter().map(|it| it.address.as_str().to_owned()).collect(),
        deliveries,
        id: id.to_owned(),
        subject: message.subject.clone(),
        message_id: message.rfc_id.clone(),
        size: None,
        fate: None,
        reason: None,
        answer: None,
        error: None,
        rules: Vec::new(),
        checks: None,
        way: Vec::new(),
        record_number: message.record_number(),
        record: Some(message.record_id),
        record_title: message.title,
        about: None,
        original: None,
    })
}
