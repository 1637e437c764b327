//! `POST /v1/devices`: a device key asks to be enrolled. The server makes the statement that the owner's SIM is to sign;
//! nothing is asked of the SIM yet, and the key counts for nothing.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trinhky_domain::Digest;
use trinhky_domain::ids::{AttemptId, DeviceId};
use trinhky_domain::people::Role;
use trinhky_domain::signing::{Attempt, NewAttempt};
use trinhky_protos::Base64Bytes;
use trinhky_protos::device::{BeginEnrolmentRequest, BeginEnrolmentResponse, EnrolmentStatement};
use trinhky_protos::problem::{Code, Problem};
use trinhky_store::{Device, DeviceState};

use super::prepare::{challenge, issuers, own_sim};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::dossier::{Dossier, GOOD_FOR, Work};
use crate::error::{ApiError, ApiResult};
use crate::extract::{IdempotencyKey, Json};
use crate::once::Once;
use crate::{jws, notices, pdfs, prompts, wire};

/// Begin to enrol a device.
#[utoipa::path(
    post,
    path = "/v1/devices",
    tag = "device",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = BeginEnrolmentRequest,
    responses(
        (status = 201, body = BeginEnrolmentResponse),
        (status = 403, description = "`not_yours`: only leaders sign", body = Problem),
        (status = 409, description = "`stale`: the key is known already", body = Problem),
        (status = 422, description = "`malformed`, `unknown_signer`, `certificate_invalid`, `certificate_expired`", body = Problem),
    )
)]
pub(super) async fn begin_enrolment(
    State(app): State<App>,
    caller: Caller,
    key: IdempotencyKey,
    Json(request): Json<BeginEnrolmentRequest>,
) -> ApiResult<Response> {
    let now = app.clock.now();
    let actor = &caller.actor;
    let once = Once::new(actor, "devices", &actor.person, key, &request)?;
    let malformed = |what: &str| ApiError::new(Code::Malformed).with(what);
    actor.must_be(Role::Leader)?;
    jws::point(&request.public_key).map_err(|error| malformed(&error.to_string()))?;
    let client = request.client.parse().map_err(|_| malformed("client"))?;
    let name = request.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(malformed("name"));
    }
    let mut tx = app.store.begin().await?;
    if let Some(answer) = once.seen(&mut tx, now).await? {
        return Ok(answer);
    }
    let sim = own_sim(&mut tx, actor).await?;
    let chain = issuers(&app, &sim.certificate)?;
    let device = DeviceId::at(now, app.random.chance());
    let thumbprint = jws::thumbprint(&request.public_key);
    let profile = app.profile_of(&tx.office(actor.office).await?)?;
    let code_kind = prompts::code_kind(&profile);
    let statement = EnrolmentStatement {
        version: 1,
        person: actor.person,
        full_name: caller.person.name.clone(),
        device,
        key_thumbprint: wire::hex(thumbprint),
        public_key: request.public_key.clone(),
        msisdn: sim.msisdn.digits().to_owned(),
        certificate: wire::hex(Digest::of(&sim.certificate)),
        code_kind: Some(code_kind),
        made_at: now,
    };
    let statement = serde_json::to_vec(&statement).map_err(ApiError::internal)?;
    let dossier = Dossier {
        challenge: challenge(&app),
        expires_at: now + GOOD_FOR,
        display_text: prompts::for_enrolment(&caller.person.name, code_kind)?.as_str().to_owned(),
        code_kind,
        certificate: Base64Bytes(sim.certificate.clone()),
        chain,
        work: Work::Enrolment { statement: Base64Bytes(statement.clone()) },
    };
    tx.add_device(&Device {
        id: device,
        person: actor.person,
        name,
        client,
        jwk: serde_json::to_string(&request.public_key).map_err(ApiError::internal)?,
        thumbprint: thumbprint.to_string(),
        state: DeviceState::Pending,
        statement: Some(statement.clone()),
        cms: None,
        created: now,
        enrolled: None,
        revoked: None,
    })
    .await?;
    let attempt = NewAttempt {
        id: AttemptId::at(now, app.random.chance()),
        msisdn: sim.msisdn,
        certificate: Digest::of(&sim.certificate),
        dtbs: pdfs::domain(dossier.attributes()?.dtbs_digest()),
    };
    let id = attempt.id;
    notices::apply(&mut tx, &Attempt::enrolment(actor, attempt, device, now), &*app.random, now).await?;
    dossier.keep(&mut tx, id).await?;
    let response = BeginEnrolmentResponse {
        device,
        attempt: id,
        statement: Base64Bytes(statement),
        certificate: dossier.certificate,
        chain: dossier.chain,
        challenge: dossier.challenge,
        display_text: dossier.display_text,
        code_kind,
        expires_at: dossier.expires_at,
    };
    let answer = once.keep(&mut tx, StatusCode::CREATED, &response).await?;
    tx.commit().await?;
    Ok(answer)
}

const LONGEST_NAME: usize = 100;
