//! `GET /v1/documents` and `GET /v1/inbox`: pages of documents, urgent ones first, then the oldest.

use axum::extract::State;
use serde::Deserialize;
use trinhky_domain::Document;
use trinhky_domain::document::StateName;
use trinhky_protos::document::DocumentsView;
use trinhky_protos::problem::Code;
use trinhky_store::{Cursor, Page, Tx};
use utoipa::IntoParams;

use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::extract::Query;

/// Which page of what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// States, comma-separated; all when absent.
    state: Option<String>,
    /// As the page before gave it.
    cursor: Option<String>,
}

/// What waits for me.
#[utoipa::path(get, path = "/v1/inbox", tag = "document", params(Wanted), responses((status = 200, body = DocumentsView)))]
pub(super) async fn inbox(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> ApiResult<axum::Json<DocumentsView>> {
    let mut tx = app.store.read().await?;
    let cursor = cursor(&wanted)?;
    let page = tx.inbox(caller.actor.person, cursor.as_ref(), app.config.limits.page_rows).await?;
    views(&mut tx, page).await
}

/// Every document I have a part in.
#[utoipa::path(get, path = "/v1/documents", tag = "document", params(Wanted), responses((status = 200, body = DocumentsView)))]
pub(super) async fn list_documents(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> ApiResult<axum::Json<DocumentsView>> {
    let states = match wanted.state.as_deref() {
        None => Vec::new(),
        Some(words) => words
            .split(',')
            .map(|word| word.parse().map_err(|_| ApiError::new(Code::Malformed).with("state")))
            .collect::<ApiResult<Vec<StateName>>>()?,
    };
    let mut tx = app.store.read().await?;
    let cursor = cursor(&wanted)?;
    let rows = app.config.limits.page_rows;
    let page = tx.documents_of(caller.actor.person, &states, cursor.as_ref(), rows).await?;
    views(&mut tx, page).await
}

fn cursor(wanted: &Wanted) -> ApiResult<Option<Cursor>> {
    wanted
        .cursor
        .as_deref()
        .map(|text| text.parse().map_err(|_| ApiError::new(Code::Malformed).with("cursor")))
        .transpose()
}

async fn views(tx: &mut Tx, page: Page<Document>) -> ApiResult<axum::Json<DocumentsView>> {
    let mut documents = Vec::with_capacity(page.items.len());
    for document in &page.items {
        documents.push(show::view(tx, document).await?);
    }
    Ok(axum::Json(DocumentsView { documents, next: page.next.map(|cursor| cursor.to_string()) }))
}
