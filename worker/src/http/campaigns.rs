//! Campaigns: written, checked, sent, looked at.

use axum::extract::Request;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Method;
use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
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
use mailroom_shared::api::campaigns::Preflight;
use mailroom_shared::api::campaigns::ReadCampaign;
use mailroom_shared::api::campaigns::ReadResults;
use mailroom_shared::api::campaigns::RecipientFilter;
use mailroom_shared::api::campaigns::RecipientQuery;
use mailroom_shared::api::campaigns::RecipientRow;
use mailroom_shared::api::campaigns::TestCampaign;
use mailroom_shared::api::tag;
use mailroom_shared::campaign::content::Block;
use mailroom_shared::campaign::content::Content;
use mailroom_shared::campaign::content::MAX_BLOCKS;
use mailroom_shared::campaign::content::MAX_TEXT;
use mailroom_shared::campaign::ledger::LeftOutCount;
use mailroom_shared::campaign::ledger::Place;
use mailroom_shared::campaign::preflight;
use mailroom_shared::campaign::preflight::Facts;
use mailroom_shared::campaign::queue;
use mailroom_shared::campaign::queue::Departure;
use mailroom_shared::campaign::state::CampaignAct;
use mailroom_shared::campaign::state::CampaignState;
use mailroom_shared::campaign::state::apply;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::outbox::state::DeliveryState as S;

use super::Access;
use super::AppState;
use super::endpoint::Call;
use super::endpoint::Routes;
use super::endpoint::Shared;
use super::endpoint::authorise;
use super::endpoint::query;
use super::local;
use super::suppressions::unformula;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs;
use crate::jobs::Fleet;
use crate::jobs::Job;
use crate::store;
use crate::store::Answers;
use crate::store::actions;
use crate::store::campaigns;
use crate::store::campaigns::Campaign;
use crate::store::campaigns::audience;
use crate::store::campaigns::hits;
use crate::store::campaigns::ledger;
use crate::store::mailing_lists;

const MAX_NAME: usize = 120;
/// Recipients of an exported file, and of one statement of it.
const MAX_EXPORT: usize = 200_000;
const EXPORT_CHUNK: u32 = 5_000;

async fn read_one(app: &App, id: &str) -> AppResult<Campaign> {
    campaigns::read(app, id).await?.ok_or_else(AppError::not_found)
}

/// Recipients, handed over, failed.
struct Counts {
    recipients: u32,
    handed_over: u32,
    failed: u32,
}

fn row(it: &Campaign, counts: &Counts, departure: Option<Departure>) -> CampaignRow {
    CampaignRow {
        id: it.id.clone(),
        name: it.name.clone(),
        subject: it.subject.clone(),
        state: it.state,
        created: it.created,
        by: it.by_name.clone(),
        scheduled: it.scheduled,
        started: it.started,
        ended: it.ended,
        recipients: counts.recipients,
        handed_over: counts.handed_over,
        failed: counts.failed,
        departure,
    }
}

pub(super) async fn list(call: Call<ListCampaigns>) -> AppResult<Vec<CampaignRow>> {
    let app = &call.app;
    let fleet = Fleet::load(app).await?;
    let moving = jobs::campaigns::departures(app, &fleet).await?;
    let all: Vec<Campaign> = store::decode(app.run(campaigns::list()).await?)?;
    let others: Vec<&Campaign> = all.iter().filter(|it| !it.state.is_active()).collect();
    let active: Vec<&str> = moving.iter().map(|(it, _)| it.id.as_str()).collect();
    let done: Vec<&str> =
        others.iter().filter(|it| it.state != CampaignState::Draft).map(|it| it.id.as_str()).collect();
    let mut answers = Answers::new(app.db.batch(ledger::states_of(&active, &done).to_vec()).await?);
    let mut states: Vec<ledger::CampaignState> = answers.rows()?;
    states.extend(answers.rows::<ledger::CampaignState>()?);
    let counts = |it: &Campaign| {
        let of = |wanted: &dyn Fn(DeliveryState) -> bool| -> u32 {
            states.iter().filter(|s| s.id == it.id.as_str() && wanted(s.state)).map(|s| s.n).sum()
        };
        let is_open = |s: S| matches!(s, S::Outgoing | S::Sending | S::Deferred | S::Cancelled | S::Ignored);
        let is_failed = |s: S| matches!(s, S::Failed | S::Unknown);
        let is_back = |s: S| matches!(s, S::Bounced | S::Complained);
        let handed_over = if it.state.is_active() {
            of(&|s| s.is_done() || is_back(s))
        } else {
            // Of what is over only the rest is counted: it is little.
            it.recipients.saturating_sub(of(&|s| is_open(s) || is_failed(s)))
        };
        Counts { recipients: it.recipients, handed_over, failed: of(&|s| is_failed(s) || is_back(s)) }
    };
    let mut rows: Vec<CampaignRow> =
        moving.iter().map(|(it, departure)| row(it, &counts(it), Some(departure.clone()))).collect();
    rows.sort_by_key(|it| it.departure.as_ref().and_then(|it| it.position).unwrap_or(u32::MAX));
    let (drafts, over): (Vec<&Campaign>, Vec<&Campaign>) =
        others.into_iter().partition(|it| it.state == CampaignState::Draft);
    rows.extend(drafts.into_iter().chain(over).map(|it| row(it, &counts(it), None)));
    Ok(rows)
}

async fn view(app: &App, id: &str) -> AppResult<CampaignView> {
    let it = read_one(app, id).await?;
    let fleet = Fleet::load(app).await?;
    let (sender, _) = jobs::campaigns::sender(app, &fleet, &it).await?;
    let departure = if it.state.is_active() {
        jobs::campaigns::departures(app, &fleet).await?.into_iter().find(|(found, _)| found.id == it.id).map(|it| it.1)
    } else {
        None
    };
    let ledger = ledger::ledger(app, id).await?;
    let counts = Counts {
        recipients: ledger.recipients(),
        handed_over: ledger.handed_over(),
        failed: ledger.of(&[
            DeliveryState::Failed,
            DeliveryState::Bounced,
            DeliveryState::Complained,
            DeliveryState::Unknown,
        ]),
    };
    let has_failed = ledger.of(&[DeliveryState::Failed]) > 0;
    let acts = CampaignAct::ALL.into_iter().filter(|act| {
        !matches!(act, CampaignAct::Begin | CampaignAct::Finish)
            && apply(it.state, *act, it.started.is_some()).is_some()
            && (*act != CampaignAct::Retry || has_failed)
    });
    Ok(CampaignView {
        row: row(&it, &counts, departure),
        settings: it.settings(),
        sender: sender.display(),
        acts: acts.collect(),
        ledger,
        is_expanding: it.state == CampaignState::Sending && !it.is_expanded,
    })
}

pub(super) async fn read(call: Call<ReadCampaign>) -> AppResult<CampaignView> {
    view(&call.app, call.path(0)).await
}

fn clean_name(name: &str) -> AppResult<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(AppError::field("name", "required"));
    }
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(AppError::field("name", "too_long"));
    }
    Ok(name.to_owned())
}

pub(super) async fn create(call: Call<CreateCampaign>) -> AppResult<CampaignView> {
    let (app, me) = (&call.app, call.me()?);
    let name = clean_name(&call.body.name)?;
    let settings = if let Some(id) = &call.body.copy_of {
        CampaignSettings { name, ..read_one(app, id.as_str()).await?.settings() }
    } else {
        let footer = Catalogue::load(Lang::of(&me.language)).text("campaign.footer", &[]);
        let blocks = vec![
            Block::Heading { text: String::new() },
            Block::Text { text: String::new() },
            Block::Footer { text: footer },
        ];
        CampaignSettings {
            name,
            subject: String::new(),
            preheader: String::new(),
            from: None,
            reply_to: None,
            language: me.language.clone(),
            audience: mailroom_shared::api::campaigns::Audience::default(),
            content: Content { blocks, text: String::new() },
            track: true,
        }
    };
    let id = app.new_id();
    app.db.batch(campaigns::create(&id, &settings, &me.name, app.now()).to_vec()).await?;
    call.stale(vec![tag::CAMPAIGNS.to_owned()]);
    view(app, &id).await
}

/// Wrong fields of what a person wrote, all at once. Unfinished is not wrong: the preflight tells.
fn check(it: &CampaignSettings) -> AppResult<()> {
    let mut wrong = Vec::new();
    let is_long = |text: &str| text.len() > MAX_TEXT;
    if it.subject.chars().count() > 500 {
        wrong.push(("subject", "too_long"));
    }
    if it.preheader.chars().count() > 500 {
        wrong.push(("preheader", "too_long"));
    }
    if it.audience.lists.len() > 20 {
        wrong.push(("lists", "too_long"));
    }
    let has_long = it.content.blocks.iter().any(|it| match it {
        Block::Heading { text } | Block::Text { text } | Block::Footer { text } => is_long(text),
        Block::Image { url, alt, link } => is_long(url) || is_long(alt) || is_long(link),
        Block::Button { text, url } => is_long(text) || is_long(url),
        Block::Divider => false,
    });
    if has_long || is_long(&it.content.text) || it.content.blocks.len() > MAX_BLOCKS {
        wrong.push(("content", "too_long"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(AppError::fields(wrong)) }
}

fn wrong_state(it: &Campaign) -> AppError {
    AppError::new(ProblemCode::WrongState).detail(format!("the campaign is {}", it.state.as_str()))
}

pub(super) async fn change(call: Call<ChangeCampaign>) -> AppResult<CampaignView> {
    let (app, id) = (&call.app, call.path(0));
    let settings = CampaignSettings { name: clean_name(&call.body.name)?, ..call.body.clone() };
    check(&settings)?;
    let known: Vec<mailing_lists::Named> =
        store::decode(app.run(mailing_lists::named(&settings.audience.lists)).await?)?;
    if settings.audience.lists.iter().any(|id| !known.iter().any(|it| it.id == *id)) {
        return Err(AppError::field("lists", "unknown"));
    }
    if app.run(campaigns::change(id, &settings)).await?.changes == 0 {
        return Err(wrong_state(&read_one(app, id).await?));
    }
    call.stale(vec![tag::CAMPAIGNS.to_owned()]);
    view(app, id).await
}

pub(super) async fn delete(call: Call<DeleteCampaign>) -> AppResult<()> {
    let (app, id) = (&call.app, call.path(0));
    if app.run(campaigns::delete(id)).await?.changes == 0 {
        return Err(wrong_state(&read_one(app, id).await?));
    }
    call.stale(vec![tag::CAMPAIGNS.to_owned()]);
    Ok(())
}

/// What a person does with a campaign. Pausing and stopping first say so and then take back what waits: whatever dies in
/// between, nothing more leaves.
pub(super) async fn act(call: Call<DoCampaignAct>) -> AppResult<CampaignView> {
    let (app, id, me) = (&call.app, call.path(0), call.me()?);
    let (act, at) = (call.body.act, call.body.at);
    let it = read_one(app, id).await?;
    let now = app.now();
    let is_internal = matches!(act, CampaignAct::Begin | CampaignAct::Finish | CampaignAct::Edit | CampaignAct::Delete);
    let to = apply(it.state, act, it.started.is_some()).filter(|_| !is_internal).ok_or_else(|| wrong_state(&it))?;
    let scheduled = match act {
        CampaignAct::Schedule => Some(at.ok_or_else(|| AppError::field("at", "required"))?),
        CampaignAct::Resume => it.scheduled,
        _ => None,
    };
    match act {
        CampaignAct::Send | CampaignAct::Schedule => {
            let found = preflight_of(app, &it).await?;
            if !preflight::may_leave(&found.findings) {
                let first = found.findings.first().map(|it| it.key.clone()).unwrap_or_default();
                return Err(AppError::field("preflight", &format!("preflight_{first}")));
            }
        }
        CampaignAct::Resume if it.started.is_some() => jobs::campaigns::release(app, id).await?,
        CampaignAct::Retry => jobs::campaigns::retry_failed(app, id, &me.name).await?,
        _ => {}
    }
    let mut statements = vec![campaigns::step(id, it.state, to, scheduled, now)];
    if matches!(to, CampaignState::Queued | CampaignState::Sending) {
        statements.push(actions::trigger(Action::CampaignQueue, scheduled.unwrap_or(now).max(now)));
    }
    let answers = app.db.batch(statements).await?;
    if answers.first().is_none_or(|it| it.changes == 0) {
        return Err(wrong_state(&read_one(app, id).await?));
    }
    match act {
        CampaignAct::Pause if it.started.is_some() => jobs::campaigns::hold(app, id).await?,
        CampaignAct::Stop => jobs::campaigns::cancel(app, id, &me.name).await?,
        CampaignAct::Resume | CampaignAct::Retry => call.nudge(Job::Deliver, 0),
        _ => {}
    }
    call.nudge(Job::Campaigns, 0);
    call.stale(vec![tag::CAMPAIGNS.to_owned(), tag::EMAILS.to_owned(), tag::ACTIONS.to_owned()]);
    view(app, id).await
}

pub(super) async fn test(call: Call<TestCampaign>) -> AppResult<()> {
    let (app, me) = (&call.app, call.me()?);
    let it = read_one(app, call.path(0)).await?;
    let to = EmailAddress::parse(call.body.to.trim()).map_err(|_| AppError::field("to", "address"))?;
    let content = jobs::compiled(&it);
    if it.subject.trim().is_empty() {
        return Err(AppError::field("subject", "required"));
    }
    let columns = columns(app, &it).await?;
    let wrong = mailroom_shared::campaign::merge::check(&it.subject, &columns).and_then(|()| content.check(&columns));
    if let Err(error) = wrong {
        return Err(AppError::field("content", "unknown_field").detail(error.to_string()));
    }
    let fleet = Fleet::load(app).await?;
    let (sender, domain) = jobs::campaigns::sender(app, &fleet, &it).await?;
    let sample: Option<audience::Sample> = store::decode_one(app.run(audience::sample(&it.audience)).await?)?;
    let name = sample.map_or_else(|| me.name.clone(), |it| it.name);
    let (email, delivery) = (app.new_id(), app.new_id());
    let test = campaigns::Test { email: &email, delivery: &delivery, to: &to, name: &name };
    app.db.batch(campaigns::test(&it, &sender, &domain, &test, app.now()).to_vec()).await?;
    call.nudge(Job::Deliver, 0);
    call.stale(vec![tag::EMAILS.to_owned()]);
    Ok(())
}

async fn columns(app: &App, it: &Campaign) -> AppResult<Vec<String>> {
    let lists: Vec<mailing_lists::Named> = store::decode(app.run(mailing_lists::named(&it.audience.lists)).await?)?;
    Ok(lists.into_iter().flat_map(|it| it.columns).collect())
}

async fn preflight_of(app: &App, it: &Campaign) -> AppResult<Preflight> {
    let now = app.now();
    let fleet = Fleet::load(app).await?;
    let (sender, domain) = jobs::campaigns::sender(app, &fleet, it).await?;
    let (server, _) = jobs::campaigns::way(&fleet, &sender, &domain);
    let counted: Vec<audience::Counted> = store::decode(app.run(audience::count(&it.audience, now)).await?)?;
    let recipients = counted.iter().filter(|it| it.left_out.is_none()).map(|it| it.n).sum();
    let duplicates = counted.iter().map(|it| it.copies.saturating_sub(it.n)).sum();
    let mut left_out: Vec<LeftOutCount> =
        counted.iter().filter_map(|it| it.left_out.map(|why| LeftOutCount { why, n: it.n })).collect();
    left_out.sort_by_key(|it| it.why);
    // Where it would stand if it were sent now.
    let moving = jobs::campaigns::departures(app, &fleet).await?;
    let mut items: Vec<queue::Item> = moving
        .iter()
        .filter(|(other, _)| other.id != it.id)
        .map(|(other, found)| queue::Item {
            state: other.state,
            created: other.created,
            scheduled: other.scheduled,
            left: found.parts.iter().map(|it| it.n).sum(),
            parked: None,
        })
        .collect();
    items.push(queue::Item {
        state: CampaignState::Queued,
        created: it.created,
        scheduled: it.scheduled,
        left: recipients,
        parked: jobs::campaigns::way(&fleet, &sender, &domain).1,
    });
    let pace =
        queue::Pace { parked: jobs::campaigns::held_up(app, now).await?, ..jobs::campaigns::pace(&fleet, false) };
    let departure = queue::departures(&items, &pace, now).pop();
    let content = jobs::compiled(it);
    let columns = columns(app, it).await?;
    let facts = Facts {
        recipients,
        left_out: left_out.iter().map(|it| it.n).sum(),
        duplicates,
        subject: &it.subject,
        preheader: &it.preheader,
        columns: &columns,
        own_text: &it.content.text,
        server: server.as_deref(),
        is_from_ours: fleet.domains.iter().any(|it| it.name.as_str() == sender.address.domain()),
        from_domain: sender.address.domain(),
        base_url: fleet.base_url.as_deref().unwrap_or_default(),
        parts: departure.as_ref().map_or(&[], |it| &it.parts),
    };
    Ok(Preflight { findings: preflight::check(&content, &facts), recipients, duplicates, left_out, departure })
}

pub(super) async fn check_campaign(call: Call<CheckCampaign>) -> AppResult<Preflight> {
    let it = read_one(&call.app, call.path(0)).await?;
    preflight_of(&call.app, &it).await
}

pub(super) async fn recipients(call: Call<ListRecipients>) -> AppResult<Page<RecipientRow>> {
    Ok(ledger::list(&call.app, call.path(0), &call.query, 200).await?)
}

pub(super) async fn results(call: Call<ReadResults>) -> AppResult<CampaignResults> {
    let it = read_one(&call.app, call.path(0)).await?;
    let mut answers = Answers::new(call.app.db.batch(hits::results(call.path(0)).to_vec()).await?);
    Ok(hits::read_results(&mut answers, &jobs::compiled(&it).links)?)
}

pub(super) async fn domains(call: Call<ListCampaignDomains>) -> AppResult<Vec<DomainResult>> {
    read_one(&call.app, call.path(0)).await?;
    Ok(ledger::domains(&call.app, call.path(0)).await?)
}

const RECIPIENTS_CSV: &str = "/api/v1/campaigns/{id}/recipients.csv";

pub(super) fn routes(routes: Routes) -> Routes {
    let exporting = get(|State(shared): AppState, request: Request| {
        local(async move { export(shared, request).await.unwrap_or_else(IntoResponse::into_response) })
    });
    routes.hand(Method::Get, RECIPIENTS_CSV, Some(Access::Campaigns), exporting)
}

/// The word for where somebody is.
pub(super) fn place_word(place: Place) -> String {
    match place {
        Place::LeftOut { why } => format!("left_out:{}", why.as_str()),
        Place::Planned => "planned".to_owned(),
        Place::Queue { state } => state.as_str().to_owned(),
    }
}

/// The ledger as a file.
async fn export(shared: Shared, request: Request) -> AppResult<Response> {
    authorise(&shared.app, request.headers(), Access::Campaigns, Method::Get, RECIPIENTS_CSV).await?;
    let id = request.uri().path().split('/').nth(4).unwrap_or_default().to_owned();
    read_one(&shared.app, &id).await?;
    let mut asked: RecipientQuery = query(request.uri())?;
    asked.filter = asked.filter.or(Some(RecipientFilter::All));
    asked.limit = Some(EXPORT_CHUNK);
    let broken = |e: csv::Error| AppError::new(ProblemCode::Internal).detail(e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = [
        "address",
        "name",
        "state",
        "at",
        "reason",
        "answer",
        "opened",
        "clicked",
        "unsubscribed",
        "answered",
        "copies",
    ];
    writer.write_record(header).map_err(broken)?;
    let mut n = 0;
    loop {
        let page = ledger::list(&shared.app, &id, &asked, EXPORT_CHUNK).await?;
        n += page.items.len();
        for it in page.items {
            let time = |at: Option<mailroom_shared::time::Timestamp>| at.map(|it| it.to_rfc3339()).unwrap_or_default();
            let fields = [
                it.address,
                it.name,
                place_word(it.place),
                time(it.at),
                it.reason.map_or("", |it| it.as_str()).to_owned(),
                it.answer.unwrap_or_default(),
                time(it.opened),
                time(it.clicked),
                time(it.unsubscribed),
                time(it.answered),
                it.copies.to_string(),
            ];
            writer.write_record(fields.iter().map(|it| unformula(it))).map_err(broken)?;
        }
        match page.next {
            Some(next) if n < MAX_EXPORT => asked.cursor = Some(next),
            _ => break,
        }
    }
    Ok(file(writer.into_inner().unwrap_or_default(), "recipients.csv"))
}

pub(super) fn file(bytes: Vec<u8>, name: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, bytes).into_response()
}
