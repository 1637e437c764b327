//! `GET /v1/attempts/{id}?after=V&wait=S`: an attempt, as long poll. Whoever asks is noted as watching, so that the
//! server leaves the CMS to the device for a while (architecture, step 10).

use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::signing::{Attempt, Purpose};
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::AttemptView;
use utoipa::IntoParams;

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{Path, Query};
use crate::views;
use crate::watching::Seat;

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
    let mut attempt = readable(&app, &caller, id).await?;
    if wanted.wait > 0 {
        let seat = Seat::take(&app, id, is_own(&attempt, &caller));
        if u64::from(attempt.version.0) <= wanted.after {
            let patience = Duration::from_secs(wanted.wait.min(LONGEST_WAIT_SECONDS));
            // Whether it has moved or the time is over: the row says where it is.
            drop(tokio::time::timeout(patience, seat.beyond(wanted.after)).await);
            attempt = readable(&app, &caller, id).await?;
        }
    }
    let mut tx = app.store.read().await?;
    let view = views::attempt(&mut tx, &attempt).await?;
    // The value itself is for the signer's device.
    let signature = view.signature.filter(|_| is_own(&attempt, &caller));
    Ok(axum::Json(AttemptView { signature, ..view }))
}

/// An attempt is its signer's; where it stands is seen by everybody who has a part in the document.
async fn readable(app: &App, caller: &Caller, id: AttemptId) -> ApiResult<Attempt> {
    let mut tx = app.store.read().await?;
    let attempt = tx.attempt(id).await?;
    let part = match attempt.purpose {
        Purpose::Document { document, .. } => tx.has_part(caller.actor.person, document).await?,
        Purpose::Enrolment { .. } => false,
    };
    if part || is_own(&attempt, caller) { Ok(attempt) } else { Err(Code::NotFound.into()) }
}

fn is_own(attempt: &Attempt, caller: &Caller) -> bool {
    attempt.person == caller.actor.person
}

const LONGEST_WAIT_SECONDS: u64 = 60;
