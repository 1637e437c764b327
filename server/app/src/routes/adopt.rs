//! `POST /v1/attempts/{id}/adopt`: the leader decides that a signature which came after its wish was withdrawn shall count.
//! Only what still fits is adopted: the document as it was decided on, the certificate as it stands now. The value is opened,
//! verified over our own digest and put into its CMS here; time stamp and embedding follow by the worker, as after every
//! signature.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::Refused;
use trinhky_domain::document::Adopted;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::people::appointed;
use trinhky_domain::signing::DecisionKind;
use trinhky_pades::x509::Certificate;
use trinhky_pades::x509::path::Purpose as KeyPurpose;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::{AttemptView, DECISION_TYP, DecisionClaims, DecisionRequest};

use super::{decide, deciding, held};
use crate::app::App;
use crate::assembling::assemble;
use crate::auth::caller::Caller;
use crate::dossier::Dossier;
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, Json, Path};
use crate::once::Once;
use crate::{blocking, notices, trust};

/// Adopt a late signature of mine.
#[utoipa::path(
    post,
    path = "/v1/attempts/{id}/adopt",
    tag = "signing",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = DecisionRequest,
    responses(
        (status = 202, body = AttemptView),
        (status = 403, description = "`device_unknown`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`attempt_ended`, `wrong_state`, `head_moved`, `stale`, `decision_replayed`, `decision_expired`", body = Problem),
        (status = 422, description = "`decision_invalid`, `signature_invalid`, `certificate_revoked`, `certificate_expired`, `certificate_invalid`", body = Problem),
        (status = 503, description = "`revocation_unavailable`", body = Problem),
    )
)]
pub(super) async fn adopt(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AttemptId>,
    key: IdempotencyKey,
    Json(request): Json<DecisionRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "adopt", &id, key, &request)?;
    let mut tx = app.store.read().await?;
    let attempt = deciding::own(&mut tx, &caller.actor, id).await?;
    let said = held::read(&mut tx, &caller.actor, &request.jws).await?;
    let dossier = Dossier::of(&mut tx, id).await?;
    drop(tx);
    // Opened, verified and asked about before anything is locked. What was adopted already, and whose answer was lost, is
    // answered as it was then.
    let opened = match held::sealed(&attempt) {
        None => None,
        Some(sealed) => {
            let signature = crate::held::open(&app, id, sealed)?;
            let certificate = Certificate::from_der(&dossier.certificate.0).map_err(ApiError::internal)?;
            trust::standing(&app, &certificate, &[], KeyPurpose::DocumentSigning).await?;
            let assembling = dossier.clone();
            let value = signature.clone();
            let cms = blocking(move || assemble(&assembling, &value)).await?;
            let cms = cms.map_err(|error| ApiError::new(Code::SignatureInvalid).with(error.to_string()))?;
            Some(Adopted { signature, cms })
        }
    };

    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    let attempt = deciding::own(&mut tx, &caller.actor, id).await?;
    let document = deciding::document_of(&mut tx, &attempt).await?;
    let (name, actor) = (attempt.state.name(), said.actor(&caller));
    let held = document.held(&actor, attempt)?;
    let opened = opened.ok_or(Refused::WrongAttemptState { state: name })?;
    held.adoptable(now)?;
    let decision = said.decides(&mut tx, DecisionKind::Adopt, &held, &dossier, now).await?;

    // Claim for claim what the leader saw then: recipients, urgency, number, files.
    let first = held::first_decision(&mut tx, id).await?;
    let device = tx.device(first.device).await?;
    let decided = deciding::signed_by::<DecisionClaims>(&device, &first.jws, DECISION_TYP)?;
    decide::still_fits(decided.claims(), held.document(), held.attempt(), &dossier, &device)?;

    let office = tx.office(held.document().office).await?;
    let appointments = tx.appointments_of(office.id).await?;
    let today = trinhky_domain::calendar::day(now);
    let appointed = appointed(&appointments, actor.person, office.id, held.capacity()?, today)?;
    let change = held.adopt(&actor, appointed, opened, decision, &app.profile_of(&office)?)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    deciding::finish(tx, once, StatusCode::ACCEPTED, id).await
}
