//! `DELETE /v1/sessions/current`: signing out.

use axum::extract::State;
use axum::http::StatusCode;
use trinhky_domain::audit::{Entry, Event};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;

/// Sign out: the token is worth nothing from now on.
#[utoipa::path(delete, path = "/v1/sessions/current", tag = "session", responses((status = 204)))]
pub(super) async fn delete_session(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    let entry = Entry::new(Event::SignedOut, &caller.actor, app.clock.now()).with("session", caller.session);
    let mut tx = app.store.begin().await?;
    tx.close_session(caller.session).await?;
    tx.record(&entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
