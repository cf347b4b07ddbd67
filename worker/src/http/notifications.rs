//! What one was told in Mailroom.

use mailroom_shared::api::Page;
use mailroom_shared::api::notifications::ChangeNotifications;
use mailroom_shared::api::notifications::ListNotifications;
use mailroom_shared::api::notifications::NotificationRow;
use mailroom_shared::api::tag;

use super::endpoint::Call;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::notifications;

/// As many as a list shows at once.
const MOST: usize = 200;

pub(super) async fn list(call: Call<ListNotifications>) -> AppResult<Page<NotificationRow>> {
    Ok(notifications::list(&call.app, &call.query, call.me()?.user.as_str(), call.sight()?).await?)
}

pub(super) async fn change(call: Call<ChangeNotifications>) -> AppResult<()> {
    let body = &call.body;
    if body.messages.len() > MOST {
        return Err(AppError::field("messages", "too_many"));
    }
    // All of them can be read, and nothing else be done with all.
    if body.messages.is_empty() && (body.starred.is_some() || body.read == Some(false)) {
        return Err(AppError::field("messages", "required"));
    }
    let statements = notifications::mark(body, call.me()?.user.as_str(), call.app.now());
    if !statements.is_empty() {
        call.app.db.batch(statements).await?;
        call.stale(vec![tag::SHELL.to_owned()]);
    }
    Ok(())
}
