//! `POST /v1/documents/{id}/prepare`: the signature revision that would be appended, for the phone to check. Nothing is
//! asked of the SIM, and nothing is held.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trinhky_domain::document::Awaiting;
use trinhky_domain::ids::{AttemptId, DeviceId, DocumentId};
use trinhky_domain::people::Actor;
use trinhky_domain::signing::NewAttempt;
use trinhky_domain::{Digest, Edge};
use trinhky_pades::look::PreparedImage;
use trinhky_pades::prepare::{Prepared, SignRequest, prepare as append};
use trinhky_pades::x509::Certificate;
use trinhky_pades::x509::path::Purpose;
use trinhky_protos::Base64Bytes;
use trinhky_protos::document::FileRefView;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::{PrepareRequest, PrepareResponse};
use trinhky_store::{DeviceState, Sim, Tx};

use super::show;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::dossier::{Dossier, GOOD_FOR, Work};
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, Json, Path};
use crate::once::Once;
use crate::stop::stop_at;
use crate::{blocking, notices, pdfs, prompts, wire};

/// Prepare my signature.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/prepare",
    tag = "signing",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PrepareRequest,
    responses(
        (status = 201, body = PrepareResponse),
        (status = 403, description = "`not_yours`, `device_unknown`", body = Problem),
        (status = 409, description = "`wrong_state`, `head_moved`, `already_deciding`", body = Problem),
        (status = 422, description = "`certificate_invalid`, `certificate_expired`", body = Problem),
    )
)]
pub(super) async fn prepare(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    key: IdempotencyKey,
    Json(request): Json<PrepareRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let once = Once::new(&caller.actor, "prepare", &id, key, &request)?;
    let mut tx = app.store.read().await?;
    let document = show::mine(&mut tx, id, &caller.actor).await?;
    if document.head.sha256 != wire::digest(request.head) {
        return Err(Code::HeadMoved.into());
    }
    let awaiting = document.awaiting(&caller.actor)?;
    active_device(&mut tx, &caller.actor, request.device).await?;
    let sim = own_sim(&mut tx, &caller.actor).await?;
    let made = make(&app, &mut tx, &awaiting, &caller, &sim, request.device).await?;
    drop(tx);
    stop_at(Edge::TailWritten);

    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    // Asked again: the head may have moved while the tail was made.
    let document = show::mine(&mut tx, id, &caller.actor).await?;
    if document.head.sha256 != wire::digest(request.head) {
        return Err(Code::HeadMoved.into());
    }
    let attempt = NewAttempt {
        id: AttemptId::at(now, app.random.chance()),
        msisdn: sim.msisdn.clone(),
        certificate: Digest::of(&sim.certificate),
        dtbs: pdfs::domain(made.dossier.attributes()?.dtbs_digest()),
    };
    let attempt_id = attempt.id;
    let change = document.awaiting(&caller.actor)?.prepare(&caller.actor, attempt, now)?;
    notices::apply(&mut tx, &change, &*app.random, now).await?;
    made.dossier.keep(&mut tx, attempt_id).await?;
    let answer = once.keep(&mut tx, StatusCode::CREATED, &made.view(attempt_id)).await?;
    tx.commit().await?;
    stop_at(Edge::PreparedCommitted);
    Ok(answer)
}

/// The caller's own enrolled device; anything else is unknown.
pub(super) async fn active_device(
    tx: &mut Tx,
    actor: &Actor,
    id: DeviceId,
) -> ApiResult<trinhky_store::Device> {
    match tx.device(id).await {
        Ok(device) if device.person == actor.person && device.state == DeviceState::Enrolled => Ok(device),
        Ok(_) | Err(trinhky_store::Error::NotFound(_)) => Err(Code::DeviceUnknown.into()),
        Err(other) => Err(other.into()),
    }
}

/// The SIM that an administrator registered for the caller.
pub(super) async fn own_sim(tx: &mut Tx, actor: &Actor) -> ApiResult<Sim> {
    match tx.sim(actor.person).await {
        Ok(sim) => Ok(sim),
        Err(trinhky_store::Error::NotFound(_)) => {
            Err(ApiError::new(Code::UnknownSigner).with("no SIM is registered"))
        }
        Err(other) => Err(other.into()),
    }
}

/// The issuers of a SIM's certificate without the anchor, from the leaf's issuer on.
pub(super) fn issuers(app: &App, certificate: &[u8]) -> ApiResult<Vec<Base64Bytes>> {
    let leaf = Certificate::from_der(certificate)
        .map_err(|error| ApiError::new(Code::CertificateInvalid).with(error.to_string()))?;
    let chain = app.trust.chain(&leaf, &[], Purpose::DocumentSigning, app.clock.now())?;
    let between = chain.get(1..chain.len().saturating_sub(1)).unwrap_or_default();
    Ok(between.iter().map(|issuer| Base64Bytes(issuer.as_der().to_vec())).collect())
}

/// A challenge nobody can foretell.
pub(super) fn challenge(app: &App) -> String {
    URL_SAFE_NO_PAD.encode(app.random.bytes::<32>())
}

struct Made {
    dossier: Dossier,
    base: FileRefView,
    tail: Vec<u8>,
    field: String,
    manifest: Vec<u8>,
}

async fn make(
    app: &App,
    tx: &mut Tx,
    awaiting: &Awaiting,
    caller: &Caller,
    sim: &Sim,
    device: DeviceId,
) -> ApiResult<Made> {
    let now = app.clock.now();
    let document = awaiting.document();
    let opened = pdfs::open(app, tx, document.head.sha256).await?;
    let manifest = blob(app, document.manifest).await?;
    let picture = match sim.image {
        Some(image) => Some(blob(app, image).await?),
        None => None,
    };
    let chain = issuers(app, &sim.certificate)?;
    let last = tx.last_decision_of(device).await?;
    let checkpoint = tx.checkpoint().await?.map(|(_, text)| text);
    let profile = app.profile_of(&tx.office(document.office).await?)?;
    let code_kind = prompts::code_kind(&profile);
    let display_text = prompts::for_document(document, code_kind)?;

    let mut request =
        SignRequest::new(awaiting.field(), &sim.certificate, now.to_offset(HANOI), app.random.bytes());
    request.reserve = Some(reserve(&sim.certificate, &chain));
    request.name = Some(caller.person.name.clone());
    let blobs = app.blobs.clone();
    let (prepared, tail) = blocking(move || {
        request.image =
            picture.as_deref().map(PreparedImage::from_png).transpose().map_err(ApiError::internal)?;
        let prepared: Prepared = append(&opened.source, &opened.site.index, &opened.site.midstate, &request)
            .map_err(ApiError::internal)?;
        let tail = blobs.keep(&prepared.tail).map_err(ApiError::internal)?;
        Ok::<_, ApiError>((prepared, tail.sha256))
    })
    .await??;
    let base = FileRefView { sha256: wire::hex(document.head.sha256), length: document.head.length };
    Ok(Made {
        base,
        tail: prepared.tail.clone(),
        field: awaiting.field().to_owned(),
        manifest,
        dossier: Dossier {
            challenge: challenge(app),
            expires_at: now + GOOD_FOR,
            display_text: display_text.as_str().to_owned(),
            code_kind,
            certificate: Base64Bytes(sim.certificate.clone()),
            chain,
            work: Work::Document {
                prepared: Box::new(prepared),
                tail,
                previous: last.map(|decision| Digest::of(decision.jws.as_bytes())),
                checkpoint,
            },
        },
    })
}

impl Made {
    fn view(&self, attempt: AttemptId) -> PrepareResponse {
        let dossier = &self.dossier;
        let (previous, checkpoint) = match &dossier.work {
            Work::Document { previous, checkpoint, .. } => (*previous, checkpoint.clone()),
            Work::Enrolment { .. } => (None, None),
        };
        PrepareResponse {
            attempt,
            base: self.base,
            tail: Base64Bytes(self.tail.clone()),
            field: self.field.clone(),
            certificate: dossier.certificate.clone(),
            chain: dossier.chain.clone(),
            manifest: Base64Bytes(self.manifest.clone()),
            display_text: dossier.display_text.clone(),
            code_kind: dossier.code_kind,
            challenge: dossier.challenge.clone(),
            previous_decision: previous.map(wire::hex),
            checkpoint,
            expires_at: dossier.expires_at,
        }
    }
}

/// A small blob, whole.
pub(super) async fn blob(app: &App, sha256: Digest) -> ApiResult<Vec<u8>> {
    let blobs = app.blobs.clone();
    blocking(move || blobs.small(sha256, pdfs::LARGEST_PART)).await?.map_err(ApiError::internal)
}

/// Room for what will fill the gap.
pub(super) fn reserve(certificate: &[u8], chain: &[Base64Bytes]) -> u32 {
    SignRequest::room_for(chain.iter().map(|issuer| issuer.0.len()).chain([certificate.len()]))
}

/// Indochina time, all year.
pub(super) const HANOI: time::UtcOffset = time::macros::offset!(+7);
