//! What time alone makes due: approvals that nobody sent in time, preparations nobody decided on, numbers of a year that has
//! ended, sessions and idempotency keys past their days, files that no row names.
//!
//! Each is looked at by itself: one that cannot be dealt with is logged and stops none of the others.

use std::time::{Duration, SystemTime};

use time::{Date, Month};
use trinhky_domain::calendar::day;
use trinhky_domain::ids::DocumentId;
use trinhky_domain::signing::{Attempt, AttemptStateName, Failure};
use trinhky_protos::problem::Code;

use super::finish_signature::end_of;
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::{dossier, notices, numbering};

/// A file without a row is no mistake until its request has surely ended.
const UNREFERENCED_AFTER: Duration = Duration::from_hours(1);
const KEYS_KEPT: time::Duration = time::Duration::hours(24);
/// Documents that get a new number in one round; the next round goes on.
const RENUMBERED_AT_ONCE: u32 = 200;

/// One round.
///
/// # Errors
/// What the store or the disk says of what could not be done; the rest was done, and the next round tries again.
pub(super) async fn run(app: &App) -> ApiResult<()> {
    let done = [lapses(app).await, forgotten(app).await, turn_of_the_year(app).await, past(app).await];
    unreferenced(app).await?;
    done.into_iter().collect()
}

async fn past(app: &App) -> ApiResult<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    tx.purge_sessions(now).await?;
    tx.purge_keys(now - KEYS_KEPT).await?;
    Ok(tx.commit().await?)
}

async fn unreferenced(app: &App) -> ApiResult<()> {
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

/// Approvals past their time are never sent: the leader is asked again.
async fn lapses(app: &App) -> ApiResult<()> {
    let approved = app.store.read().await?.attempts_in(&[AttemptStateName::Approved]).await?;
    for attempt in approved {
        let id = attempt.id;
        set_aside("an approval past its time", &id, lapse(app, attempt).await);
    }
    Ok(())
}

async fn lapse(app: &App, attempt: Attempt) -> ApiResult<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let office = tx.person(attempt.person).await?.office;
    let profile = app.profile_of(&tx.office(office).await?)?;
    if attempt.lapses_at(profile.send_window).is_none_or(|lapse| lapse > now) {
        return Ok(());
    }
    let change = end_of(&mut tx, attempt, Failure::Lapsed, now).await?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    Ok(tx.commit().await?)
}

/// Preparations nobody decided on are dropped; they held nothing.
async fn forgotten(app: &App) -> ApiResult<()> {
    let now = app.clock.now();
    let prepared = app.store.read().await?.attempts_in(&[AttemptStateName::Prepared]).await?;
    for attempt in prepared.into_iter().filter(|attempt| attempt.created + dossier::GOOD_FOR * 2 < now) {
        let id = attempt.id;
        set_aside("a preparation", &id, forget(app, attempt).await);
    }
    Ok(())
}

async fn forget(app: &App, attempt: Attempt) -> ApiResult<()> {
    let change = attempt.forget(app.clock.now())?;
    let mut tx = app.store.begin().await?;
    tx.apply(&change).await?;
    Ok(tx.commit().await?)
}

/// A number taken before signing whose year has ended is void; the next one is taken, and the base made anew.
async fn turn_of_the_year(app: &App) -> ApiResult<()> {
    let year = day(app.clock.now()).year();
    let first = Date::from_calendar_date(year, Month::January, 1).map_err(ApiError::internal)?;
    let numbered = app.store.read().await?.documents_numbered_before(first, RENUMBERED_AT_ONCE).await?;
    for id in numbered {
        set_aside("a number of last year", &id, renumber(app, id).await);
    }
    Ok(())
}

async fn renumber(app: &App, id: DocumentId) -> ApiResult<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let document = tx.document(id).await?;
    // Somebody was faster.
    if document.must_renumber(None, now).is_err() {
        return Ok(());
    }
    numbering::renumber(app, &mut tx, document, None, now).await?;
    tx.commit().await?;
    tracing::info!(document = %id, "its number of last year is void; the next one is taken");
    Ok(())
}

/// One that could not be dealt with stops none of the others; it is looked at again in the next round. A row that another
/// process has moved meanwhile needs nothing more. A page with the old year printed waits for its drafter, who hears so
/// from whatever is tried with it (`number_of_another_year`, `printed_differs`); no operator can help.
fn set_aside(what: &str, id: &impl std::fmt::Display, done: ApiResult<()>) {
    match done {
        Ok(()) => {}
        Err(error) if matches!(error.code(), Code::Stale | Code::PrintedDiffers) => {}
        Err(error) => tracing::error!(?error, what, %id, "set aside; somebody must look at it"),
    }
}

/// Files carry the machine's time, whatever clock a test tells.
fn wall_clock(app: &App) -> SystemTime {
    if app.clock.is_adjustable() { SystemTime::UNIX_EPOCH } else { app.clock.now().into() }
}
