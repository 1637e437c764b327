//! `GET /v1/held-signatures` and `GET /v1/attempts/{id}/held`: signatures of mine that came after their wish was withdrawn,
//! and everything to decide about one; what both decisions about it ([`adopt`](super::adopt), [`void`](super::void)) have in
//! common. The value itself is not told: it lies sealed until it is adopted or destroyed.

use axum::extract::State;
use serde::Deserialize;
use time::OffsetDateTime;
use trinhky_domain::document::Held;
use trinhky_domain::ids::{AttemptId, DeviceId};
use trinhky_domain::people::Actor;
use trinhky_domain::signing::{Attempt, AttemptState, Decision, DecisionKind, Purpose};
use trinhky_domain::{Digest, Refused};
use trinhky_protos::Base64Bytes;
use trinhky_protos::document::FileRefView;
use trinhky_protos::held::{HELD_TYP, HeldClaims, HeldSignatureView, HeldSignaturesView, HeldTaskView};
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::signing::{DECISION_SECONDS, PrepareResponse};
use trinhky_store::{Device, Tx};
use utoipa::IntoParams;

use super::deciding::{self, CLOCK_SKEW_SECONDS, document_of, invalid, own, same};
use super::prepare::{active_device, blob};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::dossier::{Dossier, GOOD_FOR, Work};
use crate::error::{ApiError, ApiResult};
use crate::extract::{Path, Query};
use crate::wire;

/// Who will decide.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct On {
    /// The device.
    #[param(value_type = String)]
    device: DeviceId,
}

/// Late signatures of mine that wait for my decision.
#[utoipa::path(
    get,
    path = "/v1/held-signatures",
    tag = "signing",
    responses((status = 200, body = HeldSignaturesView))
)]
pub(super) async fn list_held(
    State(app): State<App>,
    caller: Caller,
) -> ApiResult<axum::Json<HeldSignaturesView>> {
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let mut held = Vec::new();
    for attempt in tx.held_of(caller.actor.person).await? {
        let document = document_of(&mut tx, &attempt).await?;
        let view = wire::document(&document, &[], None);
        let (id, version, held_at) = (attempt.id, attempt.version.0.into(), attempt.changed);
        let adoptable = document.held(&caller.actor, attempt)?.adoptable(now).is_ok();
        held.push(HeldSignatureView {
            attempt: id,
            version,
            document: view.id,
            subject: view.subject,
            state: view.state,
            held_at,
            adoptable,
        });
    }
    Ok(axum::Json(HeldSignaturesView { held }))
}

/// One of them, with what was signed while it can still be adopted.
#[utoipa::path(
    get,
    path = "/v1/attempts/{id}/held",
    tag = "signing",
    params(("id" = String, Path), On),
    responses(
        (status = 200, body = HeldTaskView),
        (status = 403, description = "`device_unknown`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`attempt_ended`, `wrong_state`: it is not held", body = Problem),
    )
)]
pub(super) async fn get_held(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<AttemptId>,
    Query(on): Query<On>,
) -> ApiResult<axum::Json<HeldTaskView>> {
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let attempt = own(&mut tx, &caller.actor, id).await?;
    active_device(&mut tx, &caller.actor, on.device).await?;
    let document = document_of(&mut tx, &attempt).await?;
    let dossier = Dossier::of(&mut tx, id).await?;
    let first = first_decision(&mut tx, id).await?;
    let previous = previous(&mut tx, on.device).await?;
    let checkpoint = tx.checkpoint().await?.map(|(_, text)| text);
    let held = document.held(&caller.actor, attempt)?;
    let prepared = match held.adoptable(now) {
        Ok(()) => Some(prepared(&app, &held, &dossier, previous, checkpoint.clone(), now).await?),
        Err(_) => None,
    };
    Ok(axum::Json(HeldTaskView {
        attempt: id,
        version: held.attempt().version.0.into(),
        document: held.document().id,
        decision: first.jws,
        dtbs: wire::hex(held.attempt().dtbs),
        previous_decision: previous.map(wire::hex),
        checkpoint,
        prepared,
    }))
}

async fn prepared(
    app: &App,
    held: &Held,
    dossier: &Dossier,
    previous: Option<Digest>,
    checkpoint: Option<String>,
    now: OffsetDateTime,
) -> ApiResult<PrepareResponse> {
    let Work::Document { prepared, .. } = &dossier.work else { return Err(Refused::WrongAttempt.into()) };
    let document = held.document();
    Ok(PrepareResponse {
        attempt: held.attempt().id,
        base: FileRefView { sha256: wire::hex(document.head.sha256), length: document.head.length },
        tail: Base64Bytes(prepared.tail.clone()),
        field: held.field().to_owned(),
        certificate: dossier.certificate.clone(),
        chain: dossier.chain.clone(),
        manifest: Base64Bytes(blob(app, document.manifest).await?),
        display_text: dossier.display_text.clone(),
        code_kind: dossier.code_kind,
        challenge: dossier.challenge.clone(),
        previous_decision: previous.map(wire::hex),
        checkpoint,
        expires_at: now + GOOD_FOR,
    })
}

/// The sealed value, while the attempt is held.
pub(super) fn sealed(attempt: &Attempt) -> Option<&[u8]> {
    match &attempt.state {
        AttemptState::SignedHeld { sealed } => Some(sealed),
        _ => None,
    }
}

/// The decision that the SIM was asked on.
pub(super) async fn first_decision(tx: &mut Tx, id: AttemptId) -> ApiResult<Decision> {
    Ok(tx.decision_of(id).await?.ok_or(trinhky_store::Error::NotFound("decision"))?)
}

async fn previous(tx: &mut Tx, device: DeviceId) -> ApiResult<Option<Digest>> {
    let last = tx.last_decision_of(device).await?;
    Ok(last.map(|decision| Digest::of(decision.jws.as_bytes())))
}

/// What the leader said about a late signature, by an enrolled device of theirs.
pub(super) struct Said {
    pub(super) device: Device,
    pub(super) claims: HeldClaims,
    jws: String,
}

/// Reads it; what it says is compared by [`Said::decides`].
pub(super) async fn read(tx: &mut Tx, actor: &Actor, text: &str) -> ApiResult<Said> {
    let (device, claims) = deciding::signed(tx, actor, text, HELD_TYP).await?;
    Ok(Said { device, claims, jws: text.to_owned() })
}

impl Said {
    /// The actor, as this device of theirs.
    pub(super) fn actor(&self, caller: &Caller) -> Actor {
        Actor { device: Some(self.device.id), client: self.device.client, ..caller.actor.clone() }
    }

    /// The decision it makes, once every claim is what an honest device would have signed.
    ///
    /// # Errors
    /// [`Code::DecisionReplayed`], [`Code::DecisionExpired`], [`Code::Stale`] when the attempt has moved since it was shown,
    /// [`Code::HeadMoved`], [`Code::DecisionInvalid`] with the first claim that differs.
    pub(super) async fn decides(
        &self,
        tx: &mut Tx,
        kind: DecisionKind,
        held: &Held,
        dossier: &Dossier,
        now: OffsetDateTime,
    ) -> ApiResult<Decision> {
        let claims = &self.claims;
        if tx.decision(claims.jti).await?.is_some() {
            return Err(Code::DecisionReplayed.into());
        }
        let seconds = now.unix_timestamp();
        if claims.exp <= seconds {
            return Err(Code::DecisionExpired.into());
        }
        if claims.iat > seconds + CLOCK_SKEW_SECONDS
            || claims.exp.saturating_sub(claims.iat) > DECISION_SECONDS
        {
            return Err(invalid("exp"));
        }
        let version = u64::from(held.attempt().version.0);
        if claims.version != version {
            return Err(ApiError::new(Code::Stale).with(version.to_string()));
        }
        let expected = self.expected(tx, kind, held, dossier).await?;
        if claims.head != expected.head {
            return Err(Code::HeadMoved.into());
        }
        same!(claims, expected: iss, sub, act, attempt, document, decision, dtbs, tail, client, previous);
        if kind == DecisionKind::Adopt && claims.reason.is_some() {
            return Err(invalid("reason"));
        }
        Ok(Decision {
            id: claims.jti,
            kind,
            attempt: held.attempt().id,
            person: held.attempt().person,
            device: self.device.id,
            client: self.device.client,
            jws: self.jws.clone(),
            expires: OffsetDateTime::from_unix_timestamp(claims.exp).map_err(|_| invalid("exp"))?,
            at: now,
        })
    }

    /// Its own id and times, its words and the checkpoint it has seen are the device's to say.
    async fn expected(
        &self,
        tx: &mut Tx,
        kind: DecisionKind,
        held: &Held,
        dossier: &Dossier,
    ) -> ApiResult<HeldClaims> {
        let attempt = held.attempt();
        let (Purpose::Document { head, .. }, Work::Document { tail, .. }) = (attempt.purpose, &dossier.work)
        else {
            return Err(Refused::WrongAttempt.into());
        };
        let first = first_decision(tx, attempt.id).await?;
        let adopts = kind == DecisionKind::Adopt;
        Ok(HeldClaims {
            iss: self.device.id,
            sub: attempt.person,
            act: kind.as_str().to_owned(),
            attempt: attempt.id,
            version: attempt.version.0.into(),
            document: held.document().id,
            decision: wire::hex(Digest::of(first.jws.as_bytes())),
            dtbs: wire::hex(attempt.dtbs),
            head: adopts.then(|| wire::hex(head)),
            tail: adopts.then(|| wire::hex(*tail)),
            client: self.device.client.as_str().to_owned(),
            previous: previous(tx, self.device.id).await?.map(wire::hex),
            ..self.claims.clone()
        })
    }
}
