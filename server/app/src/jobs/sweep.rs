//! What time alone makes due: approvals that nobody sent in time, preparations nobody decided on, sessions and
//! idempotency keys past their days, files that no row names.

use std::time::{Duration, SystemTime};

use trinhky_domain::signing::{AttemptStateName, Failure};

use super::finish_signature::end_of;
use crate::app::App;
use crate::dossier;
use crate::error::{ApiError, ApiResult};
use crate::notices;

/// A file without a row is no mistake until its request has surely ended.
const UNREFERENCED_AFTER: Duration = Duration::from_hours(1);
const KEYS_KEPT: time::Duration = time::Duration::hours(24);
const JOURNAL_LINES: u32 = 1_000;

/// One round.
///
/// # Errors
/// What the store or the disk says; the next round tries again.
pub(super) async fn run(app: &App) -> ApiResult<()> {
    lapses(app).await?;
    forgotten(app).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    tx.purge_sessions(now).await?;
    tx.purge_keys(now - KEYS_KEPT).await?;
    tx.commit().await?;
    let swept = app
        .blobs
        .sweep(wall_clock(app), UNREFERENCED_AFTER, |sha256| async move {
            app.store.read().await?.referenced(sha256).await
        })
        .await
        .map_err(ApiError::internal)?;
    if swept > 0 {
        tracing::info!(swept, "files that no row names were taken away");
    }
    Ok(())
}

/// Gives the newest journal entries their place in the tree.
///
/// # Errors
/// What the store says.
pub(super) async fn sequence_journal(app: &App) -> ApiResult<()> {
    let mut tx = app.store.begin().await?;
    tx.sequence_journal(JOURNAL_LINES).await?;
    Ok(tx.commit().await?)
}

/// Approvals past their time are never sent: the leader is asked again.
async fn lapses(app: &App) -> ApiResult<()> {
    let now = app.clock.now();
    let approved = app.store.read().await?.attempts_in(&[AttemptStateName::Approved]).await?;
    for attempt in approved {
        let mut tx = app.store.begin().await?;
        let office = tx.person(attempt.person).await?.office;
        let profile = app.profile_of(&tx.office(office).await?)?;
        if attempt.lapses_at(profile.send_window).is_none_or(|lapse| lapse > now) {
            continue;
        }
        let change = end_of(&mut tx, attempt, Failure::Lapsed, now).await?;
        match notices::apply(&mut tx, &change, &*app.random, now).await {
            Ok(()) => tx.commit().await?,
            // The gate was faster.
            Err(error) if error.code() == trinhky_protos::problem::Code::Stale => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Preparations nobody decided on are dropped; they held nothing.
async fn forgotten(app: &App) -> ApiResult<()> {
    let now = app.clock.now();
    let prepared = app.store.read().await?.attempts_in(&[AttemptStateName::Prepared]).await?;
    for attempt in prepared.into_iter().filter(|attempt| attempt.created + dossier::GOOD_FOR * 2 < now) {
        let change = attempt.forget(now)?;
        let mut tx = app.store.begin().await?;
        match tx.apply(&change).await {
            Ok(()) => tx.commit().await?,
            Err(trinhky_store::Error::Conflict(_)) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// Files carry the machine's time, whatever clock a test tells.
fn wall_clock(app: &App) -> SystemTime {
    if app.clock.is_adjustable() { SystemTime::UNIX_EPOCH } else { app.clock.now().into() }
}
