//! API tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailroom_shared::api::tokens::CreateToken;
use mailroom_shared::api::tokens::CreatedToken;
use mailroom_shared::api::tokens::ListTokens;
use mailroom_shared::api::tokens::RevokeToken;
use mailroom_shared::api::tokens::TokenRow;
use mailroom_shared::time::Span;

use super::endpoint::Call;
use super::session::session_id;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::tokens;

const MAX_NAME: usize = 60;
/// Ten years.
const MAX_DAYS: u32 = 3_650;

pub(super) async fn list(call: Call<ListTokens>) -> AppResult<Vec<TokenRow>> {
    Ok(tokens::list(&call.app).await?)
}

/// The secret leaves once, here; what is kept is its hash.
pub(super) async fn create(call: Call<CreateToken>) -> AppResult<CreatedToken> {
    let (app, me, body) = (&call.app, call.me()?, &call.body);
    let name = body.name.trim();
    let mut scopes = body.scopes.clone();
    scopes.sort_unstable();
    scopes.dedup();
    let mut wrong = Vec::new();
    if name.is_empty() {
        wrong.push(("name", "required"));
    }
    if name.chars().count() > MAX_NAME {
        wrong.push(("name", "too_long"));
    }
    if scopes.is_empty() {
        wrong.push(("scopes", "required"));
    }
    if body.days.is_some_and(|it| it == 0 || it > MAX_DAYS) {
        wrong.push(("days", "one_of"));
    }
    if !wrong.is_empty() {
        return Err(AppError::fields(wrong));
    }
    let mut bytes = [0; 32];
    app.random.bytes(&mut bytes);
    // The beginning tells scanners of leaked secrets what it is.
    let secret = format!("mailroom_{}", URL_SAFE_NO_PAD.encode(bytes));
    let (id, user, contact) = (app.new_id(), app.new_id(), app.new_id());
    let now = app.now();
    let token = tokens::NewToken {
        id: &id,
        user: &user,
        contact: &contact,
        name,
        hash: &session_id(&secret),
        scopes: &scopes,
        by_name: &me.name,
        language: &me.language,
        expires: body.days.map(|it| now + Span::days(i64::from(it))),
    };
    app.db.batch(tokens::insert(&token, now)).await?;
    let row = tokens::list(app).await?.into_iter().find(|it| it.id == id).ok_or_else(AppError::not_found)?;
    Ok(CreatedToken { row, secret })
}

pub(super) async fn revoke(call: Call<RevokeToken>) -> AppResult<()> {
    if call.app.run(tokens::revoke(call.path(0), call.app.now())).await?.changes == 0 {
        return Err(AppError::not_found());
    }
    Ok(())
}
