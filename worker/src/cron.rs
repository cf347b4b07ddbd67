//! Every minute: the scheduled actions that are due (`jobs::actions`).

use crate::app::SharedApp;
use crate::jobs;

/// The minute's work.
pub async fn tick(app: &SharedApp) {
    jobs::actions::run_due(app).await;
}
