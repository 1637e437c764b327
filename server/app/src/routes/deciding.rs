//! What every act on an attempt has in common: whose it is, what an enrolled device of theirs signed, which claim differs,
//! and the answer that shows the attempt as the act left it, kept in the act's own transaction.

use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;
use trinhky_domain::ids::AttemptId;
use trinhky_domain::people::Actor;
use trinhky_domain::signing::{Attempt, Purpose};
use trinhky_domain::{Document, Refused};
use trinhky_protos::device::PublicJwk;
use trinhky_protos::problem::Code;
use trinhky_store::{Device, Tx};

use super::prepare::active_device;
use crate::error::{ApiError, ApiResult};
use crate::jws::{self, Verified};
use crate::once::Once;
use crate::views;

/// A phone's clock may be this much ahead.
pub(super) const CLOCK_SKEW_SECONDS: i64 = 300;

/// An attempt of the actor; anybody else's does not exist.
pub(super) async fn own(tx: &mut Tx, actor: &Actor, id: AttemptId) -> ApiResult<Attempt> {
    let attempt = tx.attempt(id).await?;
    if attempt.person == actor.person { Ok(attempt) } else { Err(Code::NotFound.into()) }
}

/// The document that an attempt is for.
pub(super) async fn document_of(tx: &mut Tx, attempt: &Attempt) -> ApiResult<Document> {
    match attempt.purpose {
        Purpose::Document { document, .. } => Ok(tx.document(document).await?),
        Purpose::Enrolment { .. } => Err(Refused::WrongAttempt.into()),
    }
}

/// The claims, signed by an enrolled device of the actor.
///
/// # Errors
/// [`Code::DecisionInvalid`], [`Code::DeviceUnknown`].
pub(super) async fn signed<C: DeserializeOwned>(
    tx: &mut Tx,
    actor: &Actor,
    text: &str,
    typ: &'static str,
) -> ApiResult<(Device, C)> {
    let unsigned = jws::kid_of(text).ok_or_else(|| invalid("jws"))?;
    let device = active_device(tx, actor, unsigned.parse().map_err(|_| invalid("kid"))?).await?;
    let claims = signed_by(&device, text, typ)?.into_claims();
    Ok((device, claims))
}

/// What this device signed.
///
/// # Errors
/// [`Code::DecisionInvalid`].
pub(super) fn signed_by<C: DeserializeOwned>(
    device: &Device,
    text: &str,
    typ: &'static str,
) -> ApiResult<Verified<C>> {
    let key: PublicJwk = serde_json::from_str(&device.jwk).map_err(ApiError::internal)?;
    jws::verify(text, &key, typ).map_err(|error| ApiError::new(Code::DecisionInvalid).with(error.to_string()))
}

/// A claim that is not what an honest device would have signed.
pub(super) fn invalid(member: &str) -> ApiError {
    ApiError::new(Code::DecisionInvalid).with(member)
}

/// Returns with the name of the first of the claims that differs from what is expected.
macro_rules! same {
    ($claims:ident, $expected:ident: $($member:ident),+ $(,)?) => {$(
        if $claims.$member != $expected.$member {
            return Err($crate::routes::deciding::invalid(stringify!($member)));
        }
    )+};
}
pub(super) use same;

/// Commits the act with its answer: the attempt as it stands now.
///
/// # Errors
/// What the store says; then nothing was done.
pub(super) async fn finish(mut tx: Tx, once: Once, status: StatusCode, id: AttemptId) -> ApiResult<Response> {
    let attempt = tx.attempt(id).await?;
    let view = views::attempt(&mut tx, &attempt).await?;
    let answer = once.keep(&mut tx, status, &view).await?;
    tx.commit().await?;
    Ok(answer)
}
