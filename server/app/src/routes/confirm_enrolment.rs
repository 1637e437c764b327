//! `POST /v1/devices/{id}/confirm`: the new key signs for its own enrolment (proof of possession); from here on the SIM
//! may be asked, once, to sign the statement.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use time::OffsetDateTime;
use trinhky_domain::Refused;
use trinhky_domain::ids::{DecisionId, DeviceId};
use trinhky_domain::signing::{Attempt, AttemptState, Decision, DecisionKind, Purpose};
use trinhky_pades::x509::Certificate;
use trinhky_pades::x509::path::Purpose as KeyPurpose;
use trinhky_protos::device::{ConfirmEnrolmentRequest, ENROLMENT_TYP, EnrolmentClaims};
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::AttemptView;
use trinhky_store::Tx;

use super::deciding::{self, invalid};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::dossier::Dossier;
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, Json, Path};
use crate::once::Once;
use crate::{notices, pdfs, trust, wire};

/// Confirm the enrolment: from here on the SIM may be asked.
#[utoipa::path(
    post,
    path = "/v1/devices/{id}/confirm",
    tag = "device",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ConfirmEnrolmentRequest,
    responses(
        (status = 202, body = AttemptView),
        (status = 409, description = "`decision_expired`, `wrong_state`", body = Problem),
        (status = 422, description = "`decision_invalid`, `certificate_revoked`, `certificate_expired`, `certificate_invalid`", body = Problem),
        (status = 503, description = "`revocation_unavailable`: the SIM was not asked", body = Problem),
    )
)]
pub(super) async fn confirm_enrolment(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(request): Json<ConfirmEnrolmentRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "confirm", &id, key, &request)?;
    let mut tx = app.store.read().await?;
    let claims = read(&mut tx, &caller, id, &request.jws).await?;
    let attempt = attempt_of(&mut tx, &claims, id).await?;
    let dossier = Dossier::of(&mut tx, attempt.id).await?;
    drop(tx);
    compare(&claims, &caller, id, &attempt, &dossier)?;
    if dossier.expires_at <= now || claims.exp <= now.unix_timestamp() {
        return Err(Code::DecisionExpired.into());
    }
    let certificate = Certificate::from_der(&dossier.certificate.0).map_err(ApiError::internal)?;
    trust::standing(&app, &certificate, &[], KeyPurpose::DocumentSigning).await?;

    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    let attempt = tx.attempt(attempt.id).await?;
    if attempt.state != AttemptState::Prepared {
        return Err(Refused::WrongAttemptState { state: attempt.state.name() }.into());
    }
    let attempt_id = attempt.id;
    let device = tx.device(id).await?;
    let profile = app.profile_of(&tx.office(caller.actor.office).await?)?;
    let decision = Decision {
        id: DecisionId::at(now, app.random.chance()),
        kind: DecisionKind::Approve,
        attempt: attempt_id,
        person: caller.actor.person,
        device: id,
        client: device.client,
        jws: request.jws,
        expires: OffsetDateTime::from_unix_timestamp(claims.exp).map_err(|_| invalid("exp"))?,
        at: now,
    };
    let change = attempt.approve_enrolment(&caller.actor, decision, now + profile.approval_window)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    deciding::finish(tx, once, StatusCode::ACCEPTED, attempt_id).await
}

async fn read(tx: &mut Tx, caller: &Caller, id: DeviceId, text: &str) -> ApiResult<EnrolmentClaims> {
    let device = tx.device(id).await?;
    if device.person != caller.actor.person {
        return Err(Code::NotFound.into());
    }
    let verified = deciding::signed_by::<EnrolmentClaims>(&device, text, ENROLMENT_TYP)?;
    if verified.kid() != id.to_string() {
        return Err(invalid("kid"));
    }
    Ok(verified.into_claims())
}

async fn attempt_of(tx: &mut Tx, claims: &EnrolmentClaims, device: DeviceId) -> ApiResult<Attempt> {
    let attempt = tx.attempt(claims.attempt).await?;
    if attempt.purpose == (Purpose::Enrolment { device }) { Ok(attempt) } else { Err(invalid("attempt")) }
}

fn compare(
    claims: &EnrolmentClaims,
    caller: &Caller,
    device: DeviceId,
    attempt: &Attempt,
    dossier: &Dossier,
) -> ApiResult<()> {
    let expected = EnrolmentClaims {
        iss: device,
        sub: caller.actor.person,
        iat: claims.iat,
        exp: claims.exp,
        attempt: attempt.id,
        challenge: dossier.challenge.clone(),
        statement: wire::hex(pdfs::domain(dossier.content())),
        dtbs: wire::hex(attempt.dtbs),
        certificate: wire::hex(attempt.certificate),
        display_text: dossier.display_text.clone(),
    };
    let within = claims.exp <= dossier.expires_at.unix_timestamp();
    if *claims == expected && within { Ok(()) } else { Err(invalid("claims")) }
}
