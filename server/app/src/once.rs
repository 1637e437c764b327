//! `Idempotency-Key`: an action asked for twice is done once, and answered alike.
//!
//! The key is scoped to actor and route; request digest and answer are kept in the action's own transaction, so either
//! both the action and its answer exist or neither does. The same key with another request is refused.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use time::OffsetDateTime;
use trinhky_domain::Digest;
use trinhky_domain::people::Actor;
use trinhky_protos::problem::Code;
use trinhky_store::{Kept, Seen, Tx};

use crate::error::{ApiError, ApiResult};
use crate::extract::IdempotencyKey;

/// One action, asked for once or more often.
#[derive(Debug)]
pub struct Once {
    key: Option<String>,
    scope: String,
    request: Digest,
}

impl Once {
    /// The action `route` on `subject`, as `actor` asked for it with `request`.
    ///
    /// # Errors
    /// [`Code::Internal`] when the request cannot be written as JSON again.
    pub fn new(
        actor: &Actor,
        route: &str,
        subject: &impl std::fmt::Display,
        key: IdempotencyKey,
        request: &impl Serialize,
    ) -> ApiResult<Self> {
        let request = serde_json::to_vec(request).map_err(ApiError::internal)?;
        let scope = format!("{} {route} {subject}", actor.person);
        Ok(Self { key: key.0, scope, request: Digest::of(&request) })
    }

    /// The answer given before, if the action was done already.
    ///
    /// # Errors
    /// [`Code::IdempotencyMismatch`] when the key was used with another request.
    pub async fn seen(&self, tx: &mut Tx, now: OffsetDateTime) -> ApiResult<Option<Response>> {
        let Some(key) = &self.key else { return Ok(None) };
        match tx.seen(&self.scope, key, self.request, now).await? {
            Seen::New => Ok(None),
            Seen::Replay(kept) => Ok(Some(answer(kept.status, kept.body))),
            Seen::InFlight => Err(ApiError::new(Code::InFlight).retry_after(1)),
            Seen::OtherBody => Err(Code::IdempotencyMismatch.into()),
        }
    }

    /// The same by a look that claims nothing and takes no writer, for acts that work long before they begin: one that was
    /// done is answered before it is refused for what it has changed itself.
    ///
    /// # Errors
    /// [`Code::IdempotencyMismatch`] when the key was used with another request.
    pub async fn kept(&self, tx: &mut Tx) -> ApiResult<Option<Response>> {
        let Some(key) = &self.key else { return Ok(None) };
        match tx.kept(&self.scope, key, self.request).await? {
            // In flight: the act itself waits for the other one.
            Seen::New | Seen::InFlight => Ok(None),
            Seen::Replay(kept) => Ok(Some(answer(kept.status, kept.body))),
            Seen::OtherBody => Err(Code::IdempotencyMismatch.into()),
        }
    }

    /// Keeps the answer beside what was done, and gives it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keep(self, tx: &mut Tx, status: StatusCode, view: &impl Serialize) -> ApiResult<Response> {
        let body = serde_json::to_string(view).map_err(ApiError::internal)?;
        if let Some(key) = &self.key {
            let kept = Kept { status: status.as_u16(), body: body.clone() };
            tx.keep(&self.scope, key, &kept).await?;
        }
        Ok(answer(status.as_u16(), body))
    }
}

fn answer(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], body).into_response()
}
