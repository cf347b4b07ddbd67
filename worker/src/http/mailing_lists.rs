//! Mailing lists and their members.

use axum::extract::Request;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Method;
use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::mailing_lists::AddMember;
use mailroom_shared::api::mailing_lists::ChangeMailingList;
use mailroom_shared::api::mailing_lists::CreateMailingList;
use mailroom_shared::api::mailing_lists::DoMemberAct;
use mailroom_shared::api::mailing_lists::ImportMemberFile;
use mailroom_shared::api::mailing_lists::ImportReport;
use mailroom_shared::api::mailing_lists::ListMailingLists;
use mailroom_shared::api::mailing_lists::ListMembers;
use mailroom_shared::api::mailing_lists::MailingListRow;
use mailroom_shared::api::mailing_lists::MailingListSettings;
use mailroom_shared::api::mailing_lists::MemberAct;
use mailroom_shared::api::mailing_lists::MemberQuery;
use mailroom_shared::api::mailing_lists::MemberRow;
use mailroom_shared::api::mailing_lists::NewMember;
use mailroom_shared::api::mailing_lists::WrongLine;
use mailroom_shared::api::tag;
use mailroom_shared::campaign::import;
use mailroom_shared::campaign::import::LineProblem;

use super::Access;
use super::AppState;
use super::campaigns::file;
use super::endpoint::Call;
use super::endpoint::Routes;
use super::endpoint::Shared;
use super::endpoint::authorise;
use super::local;
use super::suppressions::unformula;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::ports::Statement;
use crate::store;
use crate::store::Answers;
use crate::store::campaigns::Count;
use crate::store::mailing_lists;

const MAX_NAME: usize = 120;
/// Members of one statement while importing or exporting.
const CHUNK: usize = 1_000;
const EXPORT_CHUNK: u32 = 5_000;
const MAX_WRONG: usize = 200;
const SAMPLE: usize = 5;

async fn read(app: &App, id: &str) -> AppResult<MailingListRow> {
    mailing_lists::read(app, id).await?.ok_or_else(AppError::not_found)
}

fn settings(it: &MailingListSettings) -> AppResult<MailingListSettings> {
    let name = it.name.trim();
    if name.is_empty() {
        return Err(AppError::field("name", "required"));
    }
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(AppError::field("name", "too_long"));
    }
    Ok(MailingListSettings { name: name.to_owned(), ..it.clone() })
}

pub(super) async fn list(call: Call<ListMailingLists>) -> AppResult<Vec<MailingListRow>> {
    Ok(mailing_lists::list(&call.app).await?)
}

pub(super) async fn create(call: Call<CreateMailingList>) -> AppResult<MailingListRow> {
    let (app, id) = (&call.app, call.app.new_id());
    app.run(mailing_lists::create(&id, &settings(&call.body)?, app.now())).await?;
    call.stale(vec![tag::MAILING_LISTS.to_owned()]);
    read(app, &id).await
}

pub(super) async fn change(call: Call<ChangeMailingList>) -> AppResult<MailingListRow> {
    let (app, id) = (&call.app, call.path(0));
    let settings = settings(&call.body)?;
    if settings.archived && !read(app, id).await?.settings.archived {
        let used: Option<Count> = store::decode_one(app.run(mailing_lists::used_by(id)).await?)?;
        if used.is_some_and(|it| it.n > 0) {
            return Err(AppError::new(ProblemCode::WrongState).detail("a campaign in the queue goes to this list"));
        }
    }
    app.run(mailing_lists::change(id, &settings)).await?;
    call.stale(vec![tag::MAILING_LISTS.to_owned()]);
    read(app, id).await
}

pub(super) async fn members(call: Call<ListMembers>) -> AppResult<Page<MemberRow>> {
    Ok(mailing_lists::members(&call.app, call.path(0), &call.query, 200).await?)
}

pub(super) async fn add(call: Call<AddMember>) -> AppResult<()> {
    let (app, id) = (&call.app, call.path(0));
    read(app, id).await?;
    let address = EmailAddress::parse(call.body.address.trim()).map_err(|_| AppError::field("address", "address"))?;
    let member = mailing_lists::NewMember::new(&address, call.body.name.trim(), &std::collections::BTreeMap::new());
    app.run(mailing_lists::add(id, &[member], app.now())).await?;
    call.stale(vec![tag::MAILING_LISTS.to_owned()]);
    Ok(())
}

pub(super) async fn act(call: Call<DoMemberAct>) -> AppResult<()> {
    let (app, me) = (&call.app, call.me()?);
    let list = read(app, call.path(0)).await?;
    let address = EmailAddress::parse(call.body.address.trim()).map_err(|_| AppError::field("address", "address"))?;
    let key = address.key();
    let done = app
        .run(match call.body.act {
            MemberAct::OptOut => mailing_lists::opt_out(&[list.id], &key, Some(&me.name), app.now()),
            MemberAct::OptIn => mailing_lists::opt_in(&[list.id], &key),
            MemberAct::Remove => mailing_lists::remove(list.id.as_str(), &key),
        })
        .await?;
    if done.changes == 0 {
        return Err(AppError::not_found());
    }
    call.stale(vec![tag::MAILING_LISTS.to_owned()]);
    Ok(())
}

const fn problem_word(problem: LineProblem) -> &'static str {
    match problem {
        LineProblem::NoAddress => "no_address",
        LineProblem::WrongAddress => "wrong_address",
        LineProblem::Repeated => "repeated",
        LineProblem::TooMany => "too_many",
    }
}

/// Reads the file and, unless it is a preview, puts its contacts on the list. Again does no harm.
pub(super) async fn import(call: Call<ImportMemberFile>) -> AppResult<ImportReport> {
    let (app, id) = (&call.app, call.path(0));
    let list = read(app, id).await?;
    let found = import::read(&call.body.csv);
    let members: Vec<mailing_lists::NewMember> =
        found.contacts.iter().map(|it| mailing_lists::NewMember::new(&it.address, &it.name, &it.fields)).collect();
    let asked: Vec<Statement> = members
        .chunks(CHUNK)
        .map(|it| mailing_lists::count_known(id, &it.iter().map(|it| it.key.as_str()).collect::<Vec<_>>()))
        .collect();
    let mut known = 0;
    if !asked.is_empty() {
        let n = asked.len();
        let mut answers = Answers::new(app.db.batch(asked).await?);
        for _ in 0..n {
            known += answers.one::<Count>()?.map_or(0, |it| it.n);
        }
    }
    if !call.body.preview {
        for chunk in members.chunks(CHUNK) {
            app.run(mailing_lists::add(id, chunk, app.now())).await?;
        }
        let mut columns = list.columns;
        columns.extend(found.columns.iter().cloned());
        columns.sort();
        columns.dedup();
        app.run(mailing_lists::set_columns(id, &columns)).await?;
        call.stale(vec![tag::MAILING_LISTS.to_owned()]);
    }
    let sample = found.contacts.iter().take(SAMPLE);
    Ok(ImportReport {
        added: found.contacts.len() as u32 - known.min(found.contacts.len() as u32),
        known,
        columns: found.columns.clone(),
        sample: sample.map(|it| NewMember { address: it.address.as_str().to_owned(), name: it.name.clone() }).collect(),
        n_wrong: found.wrong.len() as u32,
        wrong: found
            .wrong
            .into_iter()
            .take(MAX_WRONG)
            .map(|it| WrongLine { line: it.line, problem: problem_word(it.problem).to_owned(), text: it.text })
            .collect(),
    })
}

const MEMBERS_CSV: &str = "/api/v1/mailing-lists/{id}/members.csv";

pub(super) fn routes(routes: Routes) -> Routes {
    let exporting = get(|State(shared): AppState, request: Request| {
        local(async move { export(shared, request).await.unwrap_or_else(IntoResponse::into_response) })
    });
    routes.hand(Method::Get, MEMBERS_CSV, Some(Access::Campaigns), exporting)
}

/// All members with their columns; the file can be imported again.
async fn export(shared: Shared, request: Request) -> AppResult<Response> {
    authorise(&shared.app, request.headers(), Access::Campaigns, Method::Get, MEMBERS_CSV).await?;
    let id = request.uri().path().split('/').nth(4).unwrap_or_default().to_owned();
    let list = read(&shared.app, &id).await?;
    let broken = |e: csv::Error| AppError::new(ProblemCode::Internal).detail(e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<&str> = vec!["email", "name", "opted_out"];
    header.extend(list.columns.iter().map(String::as_str));
    writer.write_record(&header).map_err(broken)?;
    let mut query = MemberQuery { limit: Some(EXPORT_CHUNK), ..MemberQuery::default() };
    loop {
        let page = mailing_lists::members(&shared.app, &id, &query, EXPORT_CHUNK).await?;
        for it in page.items {
            let mut fields = vec![it.address, it.name, it.opted_out.map(|at| at.to_rfc3339()).unwrap_or_default()];
            fields.extend(list.columns.iter().map(|name| it.fields.get(name).cloned().unwrap_or_default()));
            writer.write_record(fields.iter().map(|it| unformula(it))).map_err(broken)?;
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    Ok(file(writer.into_inner().unwrap_or_default(), "members.csv"))
}
