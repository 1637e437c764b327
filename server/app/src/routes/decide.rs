//! `POST /v1/attempts/{id}/decision`: the leader decided, and the device key signed what was shown. The server recomputes
//! every claim and refuses any difference; only then the attempt may be sent to the SIM, by the gate, which checks again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use time::OffsetDateTime;
use trinhky_domain::document::{Bundle, BundleFile, Document, Terms};
use trinhky_domain::ids::AttemptId;
use trinhky_domain::people::{Actor, appointed};
use trinhky_domain::policy::Numbering;
use trinhky_domain::signing::{Attempt, AttemptState, Decision, DecisionKind, Purpose};
use trinhky_domain::{Digest, Edge, Refused};
use trinhky_pades::x509::Certificate;
use trinhky_pades::x509::path::Purpose as KeyPurpose;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::{
    AttemptView, DECISION_TYP, DecisionClaims, DecisionRequest, bundle_digest_input,
};
use trinhky_store::{Device, Tx};

use super::deciding::{self, CLOCK_SKEW_SECONDS, document_of, invalid, same};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::dossier::{Dossier, Work};
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, Json, Path};
use crate::once::Once;
use crate::stop::stop_at;
use crate::{notices, trust, wire};

/// Decide: from here on the SIM may be asked.
#[utoipa::path(
    post,
    path = "/v1/attempts/{id}/decision",
    tag = "signing",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = DecisionRequest,
    responses(
        (status = 202, body = AttemptView),
        (status = 403, description = "`device_unknown`, `not_yours`", body = Problem),
        (status = 409, description = "`already_deciding`, `head_moved`, `decision_replayed`, `decision_expired`, `wrong_state`", body = Problem),
        (status = 422, description = "`decision_invalid`, `certificate_revoked`, `certificate_expired`, `certificate_invalid`", body = Problem),
        (status = 503, description = "`revocation_unavailable`: the SIM was not asked", body = Problem),
    )
)]
pub(super) async fn decide(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AttemptId>,
    key: IdempotencyKey,
    Json(request): Json<DecisionRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "decision", &id, key, &request)?;
    let mut tx = app.store.read().await?;
    let (device, claims) = read(&mut tx, &caller, id, &request.jws).await?;
    let dossier = Dossier::of(&mut tx, id).await?;
    let is_taken = tx.decision(claims.jti).await?.is_some();
    drop(tx);
    // Asked before the prompt, so that nobody enters a PIN for a certificate that no longer stands. A decision that was
    // taken already, whose answer was lost, is answered as it was then.
    if !is_taken {
        let certificate = Certificate::from_der(&dossier.certificate.0).map_err(ApiError::internal)?;
        trust::standing(&app, &certificate, &[], KeyPurpose::DocumentSigning).await?;
    }

    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    if tx.decision(claims.jti).await?.is_some() {
        return Err(Code::DecisionReplayed.into());
    }
    let attempt = tx.attempt(id).await?;
    let document = document_of(&mut tx, &attempt).await?;
    let awaiting = document.clone().awaiting(&caller.actor)?;
    if attempt.state != AttemptState::Prepared {
        return Err(Refused::WrongAttemptState { state: attempt.state.name() }.into());
    }
    in_time(&claims, &dossier, now)?;
    compare(&claims, &expected(&claims, &document, &attempt, &dossier, &device)?)?;

    let office = tx.office(document.office).await?;
    let terms = terms(&claims)?;
    let appointments = tx.appointments_of(office.id).await?;
    let today = trinhky_domain::calendar::day(now);
    let actor = Actor { device: Some(device.id), client: device.client, ..caller.actor.clone() };
    let appointed = appointed(&appointments, actor.person, office.id, terms.capacity, today)?;
    let decision = Decision {
        id: claims.jti,
        kind: DecisionKind::Approve,
        attempt: id,
        person: actor.person,
        device: device.id,
        client: device.client,
        jws: request.jws,
        expires: OffsetDateTime::from_unix_timestamp(claims.exp).map_err(|_| invalid("exp"))?,
        at: now,
    };
    let profile = app.profile_of(&office)?;
    let change = awaiting.approve(&actor, appointed, &terms, attempt, decision, &profile)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    let answer = deciding::finish(tx, once, StatusCode::ACCEPTED, id).await?;
    stop_at(Edge::ApprovedCommitted);
    Ok(answer)
}

/// The claims, signed by an enrolled device of the caller.
async fn read(
    tx: &mut Tx,
    caller: &Caller,
    id: AttemptId,
    text: &str,
) -> ApiResult<(Device, DecisionClaims)> {
    deciding::own(tx, &caller.actor, id).await?;
    deciding::signed(tx, &caller.actor, text, DECISION_TYP).await
}

fn in_time(claims: &DecisionClaims, dossier: &Dossier, now: OffsetDateTime) -> ApiResult<()> {
    let now = now.unix_timestamp();
    if dossier.expires_at.unix_timestamp() <= now || claims.exp <= now {
        return Err(Code::DecisionExpired.into());
    }
    // A phone's clock may be a little ahead.
    if claims.exp > dossier.expires_at.unix_timestamp() || claims.iat > now + CLOCK_SKEW_SECONDS {
        return Err(invalid("exp"));
    }
    Ok(())
}

/// Whether what was decided is, claim for claim, what the document and its preparation are now.
pub(super) fn still_fits(
    claims: &DecisionClaims,
    document: &Document,
    attempt: &Attempt,
    dossier: &Dossier,
    device: &Device,
) -> ApiResult<()> {
    compare(claims, &expected(claims, document, attempt, dossier, device)?)
}

/// What an honest device would have signed. Its own id, time and name of the decision are its to choose.
fn expected(
    claims: &DecisionClaims,
    document: &Document,
    attempt: &Attempt,
    dossier: &Dossier,
    device: &Device,
) -> ApiResult<DecisionClaims> {
    let Work::Document { tail, previous, checkpoint, .. } = &dossier.work else {
        return Err(Refused::WrongAttempt.into());
    };
    let Purpose::Document { signer, .. } = attempt.purpose else { return Err(Refused::WrongAttempt.into()) };
    let place = document.chain.signers.get(usize::from(signer)).ok_or(Refused::WrongAttempt)?;
    let files: Vec<_> = document.bundle.0.iter().map(wire::bundle_file).collect();
    Ok(DecisionClaims {
        jti: claims.jti,
        iss: device.id,
        sub: attempt.person,
        iat: claims.iat,
        exp: claims.exp,
        attempt: attempt.id,
        challenge: dossier.challenge.clone(),
        document: document.id,
        bundle: wire::hex(Digest::of(bundle_digest_input(&files).as_bytes())),
        files,
        recipients: document.particulars.recipients.iter().map(wire::recipient).collect(),
        urgency: wire::urgency(document.particulars.urgency).to_owned(),
        capacity: wire::capacity(place.capacity).to_owned(),
        numbering: document.numbering.as_str().to_owned(),
        number: document.number_in_base().map(ToString::to_string),
        manifest: wire::hex(document.manifest),
        head: wire::hex(document.head.sha256),
        tail: wire::hex(*tail),
        dtbs: wire::hex(attempt.dtbs),
        certificate: wire::hex(attempt.certificate),
        display_text: dossier.display_text.clone(),
        client: device.client.as_str().to_owned(),
        previous: previous.map(wire::hex),
        checkpoint: checkpoint.clone(),
    })
}

/// Refuses the first claim that differs, by its name.
fn compare(claims: &DecisionClaims, expected: &DecisionClaims) -> ApiResult<()> {
    if claims.head != expected.head {
        return Err(Code::HeadMoved.into());
    }
    same!(claims, expected: iss, sub, attempt, challenge, document, bundle, files, recipients, urgency, capacity);
    same!(claims, expected: numbering, number, manifest, tail, dtbs, certificate, display_text, client);
    same!(claims, expected: previous, checkpoint);
    // A claim that a later version adds must be named above too.
    if claims == expected { Ok(()) } else { Err(invalid("claims")) }
}

/// The terms as the claims name them; the rules compare them with the document's own.
fn terms(claims: &DecisionClaims) -> ApiResult<Terms> {
    let files = claims.files.iter().map(|file| {
        Ok(BundleFile {
            role: wire::read_file_role(&file.role)?,
            name: file.name.clone(),
            sha256: wire::digest(file.sha256),
            length: file.length,
        })
    });
    let recipients = claims.recipients.iter().cloned().map(wire::read_recipient);
    let numbering = Numbering::ALL.iter().copied().find(|rule| rule.as_str() == claims.numbering);
    Ok(Terms {
        bundle: Bundle(files.collect::<ApiResult<_>>()?).digest(),
        head: wire::digest(claims.head),
        manifest: wire::digest(claims.manifest),
        recipients: recipients.collect::<ApiResult<_>>()?,
        urgency: wire::read_urgency(&claims.urgency)?,
        capacity: wire::read_capacity(&claims.capacity)?,
        numbering: numbering.ok_or_else(|| invalid("numbering"))?,
        number: claims.number.clone(),
    })
}
