//! First run, login, logout, preferences, colleagues.

use argon2::Argon2;
use argon2::PasswordHash;
use argon2::PasswordHasher;
use argon2::PasswordVerifier;
use argon2::password_hash::SaltString;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailroom_shared::address::Domain;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::session::ChangeMyself;
use mailroom_shared::api::session::CreateUser;
use mailroom_shared::api::session::DoLogin;
use mailroom_shared::api::session::DoLogout;
use mailroom_shared::api::session::DoSetUp;
use mailroom_shared::api::session::ListUsers;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::ReadMe;
use mailroom_shared::api::session::ReadSetUp;
use mailroom_shared::api::session::Role;
use mailroom_shared::api::session::SetUp;
use mailroom_shared::api::session::SetUpState;
use mailroom_shared::api::session::UserRow;
use mailroom_shared::i18n::Lang;
use mailroom_shared::mail::parse::sha256_hex;
use mailroom_shared::people::MIN_PASSWORD;
use mailroom_shared::time::Span;

use super::endpoint::Answer;
use super::endpoint::COOKIE;
use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::ports::DbError;
use crate::ports::Statement;
use crate::store::contacts;
use crate::store::records;
use crate::store::servers;
use crate::store::settings;
use crate::store::users;
use crate::store::users::Caller;

/// How long a login lasts.
const SESSION: Span = Span::days(30);
/// Wrong passwords before an account rests, and for how long.
const MAX_FAILURES: u32 = 8;
const REST: Span = Span::minutes(15);

pub(super) fn session_id(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

/// Who a session token belongs to.
pub(super) async fn of_token(app: &App, token: &str) -> AppResult<Option<Caller>> {
    Ok(users::by_session(app, &session_id(token)).await?)
}

/// Who an API token acts as.
pub(super) async fn of_api_token(app: &App, token: &str) -> AppResult<Option<Caller>> {
    Ok(users::by_token(app, &session_id(token)).await?)
}

/// Longest name of a browser that is kept.
const MAX_AGENT: usize = 300;

/// A new session: its statement and its cookie.
pub(super) fn open_session(app: &App, user: &str, headers: &HeaderMap) -> (Statement, String) {
    let mut bytes = [0; 32];
    app.random.bytes(&mut bytes);
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let now = app.now();
    let agent = headers.get("user-agent").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let agent: String = agent.chars().take(MAX_AGENT).collect();
    let statement = users::insert_session(&session_id(&token), user, &agent, now, now + SESSION);
    let age = SESSION.as_millis() / 1_000;
    (statement, format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}"))
}

pub(super) fn hash(app: &App, password: &str) -> AppResult<String> {
    let mut bytes = [0; 16];
    app.random.bytes(&mut bytes);
    let failed = |e: argon2::password_hash::Error| AppError::new(ProblemCode::Internal).detail(e.to_string());
    let salt = SaltString::encode_b64(&bytes).map_err(failed)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

pub(super) fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|it| Argon2::default().verify_password(password.as_bytes(), &it).is_ok())
}

async fn is_set_up(app: &App) -> AppResult<bool> {
    Ok(settings::value(app, settings::COMPANY).await?.is_some())
}

pub(super) async fn read_set_up(call: Call<ReadSetUp>) -> AppResult<SetUpState> {
    Ok(SetUpState { needed: !is_set_up(&call.app).await? })
}

struct CheckedSetUp {
    email: EmailAddress,
    domain: Domain,
}

/// All that is wrong with the form, at once.
fn check(form: &SetUp) -> AppResult<CheckedSetUp> {
    let mut wrong = Vec::new();
    if form.company.trim().is_empty() {
        wrong.push(("company", "required"));
    }
    if form.name.trim().is_empty() {
        wrong.push(("name", "required"));
    }
    let domain = Domain::parse(form.domain.trim());
    // A placeholder, until somebody tells a real one.
    let email = match (form.email.trim(), &domain) {
        ("", Ok(domain)) => EmailAddress::parse(&format!("admin@{}", domain.as_str())),
        (text, _) => EmailAddress::parse(text),
    };
    if email.is_err() {
        wrong.push(("email", "address"));
    }
    if domain.is_err() {
        wrong.push(("domain", "domain"));
    }
    if form.password.chars().count() < MIN_PASSWORD {
        wrong.push(("password", "password_short"));
    }
    match (email, domain) {
        (Ok(email), Ok(domain)) if wrong.is_empty() => Ok(CheckedSetUp { email, domain }),
        _ => Err(AppError::fields(wrong)),
    }
}

/// First run: company, domain, administrator, the first alias and outgoing server, in one transaction.
pub(super) async fn set_up(call: Call<DoSetUp>) -> AppResult<Answer<Me>> {
    let app = &call.app;
    let form = &call.body;
    if is_set_up(app).await? {
        return Err(AppError::new(ProblemCode::Conflict).detail("the first run is over; log in"));
    }
    let checked = check(form)?;
    let now = app.now();
    let (contact, user) = (app.new_id(), app.new_id());
    let password_hash = hash(app, &form.password)?;
    let (session, cookie) = open_session(app, &user, &call.headers);
    let mut statements = vec![
        settings::found(form.company.trim()),
        settings::insert_domain(&checked.domain, now),
        contacts::insert(&contact, form.name.trim(), true, now),
        contacts::insert_email(&contact, &checked.email, 0),
        users::insert(
            &users::NewUser {
                id: &user,
                contact: &contact,
                email: &checked.email,
                password_hash: &password_hash,
                role: Role::Administrator,
                language: Lang::of(&form.language).code(),
            },
            now,
        ),
        session,
    ];
    for (kind, local) in [("ticket", "support"), ("lead", "sales"), ("order", "orders")] {
        if let Ok(address) = EmailAddress::parse(&format!("{local}@{}", checked.domain.as_str())) {
            let edit = crate::store::aliases::Edit {
                address: &address,
                creates: Some(kind),
                record: None,
                contact_rule: mailroom_shared::api::aliases::ContactRule::Everyone,
                listed: &[],
                outcome: mailroom_shared::api::aliases::RuleOutcome::Refuse,
                refusal_text: None,
                owner: None,
                defaults: &std::collections::BTreeMap::new(),
                any_domain: false,
                parent: None,
            };
            statements.push(crate::store::aliases::insert(&app.new_id(), &edit, now));
        }
    }
    let (kind, name, host, port, security) = match &form.smtp {
        Some(smtp) => {
            let security = smtp.security.as_deref().unwrap_or("none");
            if !["none", "starttls", "tls"].contains(&security) {
                return Err(AppError::field("smtp.security", "one_of"));
            }
            ("smtp", smtp.host.as_str(), smtp.host.as_str(), smtp.port, security)
        }
        None => ("cloudflare", "Cloudflare", "", 0, "tls"),
    };
    // Links in mails need our own address, and mails leave when nobody asks.
    if let Some(host) = call.headers.get("host").and_then(|it| it.to_str().ok()) {
        let is_local = ["127.0.0.1", "localhost", "[::1]"].iter().any(|it| host.starts_with(it));
        let scheme = if is_local { "http" } else { "https" };
        statements.push(settings::set(settings::BASE_URL, &format!("{scheme}://{host}")));
    }
    let server = servers::NewServer { id: &app.new_id(), name, kind, host, port, security };
    statements.push(servers::insert(&server, now));
    app.db.batch(statements).await?;
    let me = users::by_id(app, &user).await?.ok_or_else(AppError::not_found)?;
    Ok(Answer::with_cookie(me, cookie))
}

pub(super) async fn login(call: Call<DoLogin>) -> AppResult<Answer<Me>> {
    let app = &call.app;
    let wrong = || AppError::new(ProblemCode::WrongLogin);
    let Ok(email) = EmailAddress::parse(call.body.email.trim()) else { return Err(wrong()) };
    let Some(user) = users::credentials(app, &email.key()).await? else {
        // The same work as for a known address, so that time tells nothing.
        let _ = hash(app, &call.body.password)?;
        return Err(wrong());
    };
    let now = app.now();
    if let Some(until) = user.locked_until.filter(|it| *it > now) {
        let mut error = AppError::new(ProblemCode::Limited);
        error.0.retry_after = u32::try_from((until - now).as_millis() / 1_000 + 1).ok();
        return Err(error);
    }
    if !matches(&call.body.password, &user.password_hash) {
        let failures = user.failed_logins + 1;
        let rests = failures >= MAX_FAILURES;
        let statement = users::set_failures(&user.id, if rests { 0 } else { failures }, rests.then_some(now + REST));
        app.run(statement).await?;
        return Err(wrong());
    }
    let (session, cookie) = open_session(app, user.id.as_str(), &call.headers);
    app.db.batch(vec![session, users::set_failures(&user.id, 0, None)]).await?;
    let me = users::by_id(app, user.id.as_str()).await?.ok_or_else(wrong)?;
    Ok(Answer::with_cookie(me, cookie))
}

/// Nobody is an answer, not an error: a page that asks before its login form did nothing wrong.
pub(super) async fn me(call: Call<ReadMe>) -> AppResult<Option<Me>> {
    Ok(super::endpoint::who(&call.app, &call.headers).await?.map(|it| it.me))
}

pub(super) async fn change_me(call: Call<ChangeMyself>) -> AppResult<Me> {
    let me = call.me()?;
    let language = call.body.language.as_deref().map(|it| Lang::of(it).code());
    let mut statements = vec![users::change(&me.user, language, call.body.notify_by)];
    if let Some(name) = call.body.name.as_deref().map(str::trim) {
        if name.is_empty() {
            return Err(AppError::field("name", "required"));
        }
        statements.push(contacts::rename(me.contact.as_str(), name));
    }
    call.app.db.batch(statements).await?;
    users::by_id(&call.app, me.user.as_str()).await?.ok_or_else(AppError::not_found)
}

pub(super) async fn logout(call: Call<DoLogout>) -> AppResult<Answer<()>> {
    let token = call.headers.get("cookie").and_then(|it| it.to_str().ok()).and_then(super::endpoint::session_token);
    if let Some(token) = token {
        call.app.run(users::delete_session(&session_id(&token))).await?;
    }
    Ok(Answer::with_cookie((), format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")))
}

pub(super) async fn list_users(call: Call<ListUsers>) -> AppResult<Vec<UserRow>> {
    Ok(users::list(&call.app).await?)
}

pub(super) async fn create_user(call: Call<CreateUser>) -> AppResult<UserRow> {
    let app = &call.app;
    let body = &call.body;
    let mut wrong = Vec::new();
    if body.name.trim().is_empty() {
        wrong.push(("name", "required"));
    }
    if body.password.chars().count() < MIN_PASSWORD {
        wrong.push(("password", "password_short"));
    }
    let email = EmailAddress::parse(body.email.trim());
    if email.is_err() {
        wrong.push(("email", "address"));
    }
    let email = match email {
        Ok(email) if wrong.is_empty() => email,
        _ => return Err(AppError::fields(wrong)),
    };
    let now = app.now();
    let (contact, user) = (app.new_id(), app.new_id());
    let password_hash = hash(app, &body.password)?;
    let me = call.me()?;
    let statements = vec![
        contacts::insert(&contact, body.name.trim(), true, now),
        contacts::insert_email(&contact, &email, 0),
        users::insert(
            &users::NewUser {
                id: &user,
                contact: &contact,
                email: &email,
                password_hash: &password_hash,
                role: body.role,
                language: &me.language,
            },
            now,
        ),
    ];
    match app.db.batch(statements).await {
        Ok(_) => {}
        Err(DbError::Unique(_)) => return Err(AppError::field("email", "taken")),
        Err(error) => return Err(error.into()),
    }
    let created = users::list(app).await?.into_iter().find(|it| it.user.as_str() == user);
    created.ok_or_else(AppError::not_found)
}

/// Where records live must be known to whoever asks for them; one of a hidden type is not there.
pub(super) async fn must_exist(
    app: &App,
    record: &str,
    caller: &Caller,
) -> AppResult<mailroom_shared::api::records::RecordView> {
    let found = records::read(app, record, &caller.me).await?;
    found.filter(|it| caller.sight.sees(it.r#type.as_str())).ok_or_else(AppError::not_found)
}
