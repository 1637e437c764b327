//! What the page asks for, one function each. Nothing here decides: `seal::review` examines, `seal::make` signs.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use trinhky_protos::document::{DocumentView, ReasonRequest};
use trinhky_protos::ids::DocumentId;
use zeroize::{Zeroize as _, Zeroizing};

use super::answer::{DeskView, QueueRow, ReviewView, TokenView};
use super::desk::Desk;
use crate::error::Error;
use crate::render;
use crate::seal::{self, told};

/// Token, queue, count.
pub(super) async fn desk(State(desk): State<Arc<Desk>>) -> Result<Json<DeskView>, Error> {
    desk.page_was_seen();
    let (mut queue, more) = desk.server.documents_in("sealing", LONGEST_QUEUE).await.map_err(told)?;
    // Urgent ones first, then in the order of their coming.
    queue.sort_by_key(|document| (Reverse(rank(&document.urgency)), document.created_at));
    let own = Arc::clone(&desk);
    let token = blocking(move || Ok(own.token())).await?;
    Ok(Json(DeskView {
        token: TokenView::of(&token, desk.logged_in()),
        queue: queue.iter().map(QueueRow::of).collect(),
        more,
        sealed: desk.sealed(),
    }))
}

/// Fetches and examines; what holds is kept for showing and sealing.
pub(super) async fn examine(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<DocumentId>,
) -> Result<Json<ReviewView>, Error> {
    let fetched = seal::fetch(&desk.server, id).await?;
    let own = Arc::clone(&desk);
    blocking(move || {
        let document = fetched.document.clone();
        let mut trail = seal::plan(&fetched);
        let view = match seal::review(&own.config, fetched, &mut trail) {
            Ok(reviewed) => {
                let kept = own.keep(reviewed);
                ReviewView::of(&own.config, &document, trail.rows(), Ok(&kept.reviewed))
            }
            Err(error) => {
                own.forget(id);
                ReviewView::of(&own.config, &document, trail.rows(), Err(&error))
            }
        };
        Ok(Json(view))
    })
    .await
}

/// One page of what was examined, as it will look.
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Path((id, number)): Path<(DocumentId, u32)>,
) -> Result<Response, Error> {
    let examined = desk.examined(id).ok_or_else(not_examined)?;
    let png = render::page(Arc::clone(&examined.shown), number).await?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
}

/// Seals what was examined. The body is the PIN, or empty while the token is logged in.
pub(super) async fn seal(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<DocumentId>,
    body: Body,
) -> Result<Json<DocumentView>, Error> {
    let pin = pin(body).await?;
    let examined = desk.examined(id).ok_or_else(not_examined)?;
    let (own, kept) = (Arc::clone(&desk), Arc::clone(&examined));
    let request =
        blocking(move || own.with_key(pin, |key| seal::make(&own.config, &kept.reviewed.sealable, key)))
            .await?;
    let sealed = seal::hand_in(&desk.server, &examined.reviewed.sealable, &request).await?;
    desk.count_sealed();
    desk.forget(id);
    Ok(Json(sealed))
}

/// Back to the drafting unit.
pub(super) async fn give_back(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<DocumentId>,
    Json(reason): Json<ReasonRequest>,
) -> Result<Json<DocumentView>, Error> {
    let path = format!("/v1/documents/{id}/return");
    let returned = desk.server.act("giving back", path, &reason).await.map_err(told)?;
    desk.forget(id);
    Ok(Json(returned))
}

/// Closes the token and ends the agent.
pub(super) async fn close(State(desk): State<Arc<Desk>>) -> StatusCode {
    desk.close();
    StatusCode::NO_CONTENT
}

/// The PIN out of a request's body; the buffer it came in is wiped. (What the kernel's sockets held is out of reach.)
async fn pin(body: Body) -> Result<Option<Zeroizing<String>>, Error> {
    let bytes = to_bytes(body, LONGEST_PIN).await.map_err(|_| Error::PinMissing)?;
    let pin = std::str::from_utf8(&bytes).map(|pin| Zeroizing::new(pin.to_owned())).ok();
    if let Ok(mut buffer) = bytes.try_into_mut() {
        buffer.as_mut().zeroize();
    }
    pin.map(|pin| Some(pin).filter(|pin| !pin.is_empty())).ok_or(Error::PinMissing)
}

/// Verifying and signing are work: they must not hold up the page.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Error::Document(error.to_string())))
}

fn rank(urgency: &str) -> u8 {
    match urgency {
        "immediate" => 3,
        "very_urgent" => 2,
        "urgent" => 1,
        _ => 0,
    }
}

fn not_examined() -> Error {
    Error::Document("it is not the one on the screen any more; open it again".into())
}

const LONGEST_PIN: usize = 256;
/// More than a clerk seals in a week; the rest comes when these are done.
const LONGEST_QUEUE: usize = 1_000;
