//! `GET /v1/attempts/{id}?after=V&wait=S`: an attempt, as long poll. Whoever asks is noted as watching, so that the
//! server leaves the CMS to the device for a while (architecture, step 10).

use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::signing::Attempt;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::AttemptView;
use utoipa::IntoParams;

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{Path, Query};
use crate::views;

/// What to wait for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The version already seen.
    #[serde(default)]
    after: u64,
    /// How many seconds to wait for a later one; at most 60.
    #[serde(default)]
    wait: u64,
}

/// An attempt; waits for its next change when asked to.
#[utoipa::path(
    get,
    path = "/v1/attempts/{id}",
    tag = "signing",
    params(("id" = String, Path), Wanted),
    responses((status = 200, body = AttemptView), (status = 404, description = "`not_found`", body = Problem))
)]
pub(super) async fn get_attempt(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AttemptId>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<axum::Json<AttemptView>> {
    let patience = Duration::from_secs(wanted.wait.min(LONGEST_WAIT_SECONDS));
    let changed = async {
        let mut beat = tokio::time::interval(BEAT);
        let mut beats = 0_u32;
        loop {
            beat.tick().await;
            if beats.is_multiple_of(BEATS_PER_WATCH) && wanted.wait > 0 {
                note_watching(&app, &caller, id).await?;
            }
            beats = beats.wrapping_add(1);
            let attempt = mine(&app, &caller, id).await?;
            if u64::from(attempt.version.0) > wanted.after {
                return ApiResult::Ok(attempt);
            }
        }
    };
    let attempt = match tokio::time::timeout(patience, changed).await {
        Ok(attempt) => attempt?,
        Err(_) => mine(&app, &caller, id).await?,
    };
    let mut tx = app.store.read().await?;
    Ok(axum::Json(views::attempt(&mut tx, &attempt).await?))
}

/// An attempt is its person's alone.
async fn mine(app: &App, caller: &Caller, id: AttemptId) -> ApiResult<Attempt> {
    let attempt = app.store.read().await?.attempt(id).await?;
    if attempt.person == caller.actor.person { Ok(attempt) } else { Err(Code::NotFound.into()) }
}

async fn note_watching(app: &App, caller: &Caller, id: AttemptId) -> ApiResult<()> {
    mine(app, caller, id).await?;
    let mut tx = app.store.begin().await?;
    tx.watch(id, app.clock.now()).await?;
    Ok(tx.commit().await?)
}

const LONGEST_WAIT_SECONDS: u64 = 60;
/// Between two looks at the row.
const BEAT: Duration = Duration::from_millis(150);
/// A watcher is noted every five seconds: well within the time it counts as present.
const BEATS_PER_WATCH: u32 = 33;
