//! The refusal journal.

use mailroom_shared::api::Page;
use mailroom_shared::api::refusals::ListRefusals;
use mailroom_shared::api::refusals::RefusalRow;

use super::endpoint::Call;
use crate::error::AppResult;
use crate::store::refusals;

pub(super) async fn list(call: Call<ListRefusals>) -> AppResult<Page<RefusalRow>> {
    Ok(refusals::list(&call.app, &call.query, call.lang()?).await?)
}
