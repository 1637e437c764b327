//! A document as it is answered, wherever it is answered.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use trinhky_domain::Document;
use trinhky_domain::document::State;
use trinhky_domain::ids::DocumentId;
use trinhky_domain::people::Actor;
use trinhky_protos::document::DocumentView;
use trinhky_protos::problem::Code;
use trinhky_store::Tx;

use crate::error::ApiResult;
use crate::seal_dossier::SealDossier;
use crate::wire;

/// The document, if the actor has a part in it. To everybody else it does not exist.
pub(super) async fn mine(tx: &mut Tx, id: DocumentId, actor: &Actor) -> ApiResult<Document> {
    let document = tx.document(id).await?;
    if document.concerns(actor.person) { Ok(document) } else { Err(Code::NotFound.into()) }
}

/// The document as its readers see it.
pub(crate) async fn view(tx: &mut Tx, document: &Document) -> ApiResult<DocumentView> {
    let mut people = Vec::with_capacity(document.chain.signers.len());
    for signer in &document.chain.signers {
        people.push(tx.person(signer.person).await?);
    }
    let waiting_for = match &document.state {
        State::Signing { attempt, .. } => tx.waiting_for(*attempt).await?,
        State::Sealing { .. } | State::Sealed => SealDossier::waiting_for(tx, document.id).await?,
        _ => None,
    };
    Ok(wire::document(document, &people, waiting_for))
}

/// With its version as `ETag`.
pub(super) fn tagged(view: DocumentView) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", view.version));
    let mut response = axum::Json(view).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
