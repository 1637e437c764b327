//! What tests and the page read of the mailboxes.
//!
//! ```text
//! GET /control/mail[?after=seq]   everything taken, as its receiver reads it
//! GET /control/mail/{seq}         the message as it travelled
//! ```

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;

use crate::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/control/mail", get(messages)).route("/control/mail/{seq}", get(raw))
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn messages(State(world): State<Arc<World>>, Query(query): Query<After>) -> Response {
    Json(world.mail.messages(query.after)).into_response()
}

async fn raw(State(world): State<Arc<World>>, Path(seq): Path<u64>) -> Response {
    match world.mail.raw(seq) {
        Some(raw) => ([(header::CONTENT_TYPE, "message/rfc822")], raw).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
