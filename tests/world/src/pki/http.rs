//! OCSP, CRLs, issuer certificates and time stamps over plain HTTP, as public trust services offer them.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::Engine as _;

use super::{Tier, ocsp, tsa};
use crate::{
    World,
    faults::{Fault, Service},
    serve::{HangUp, error_page},
};

/// `/tsa`, `/ocsp`, `/ocsp/{base64}`, `/crl/NAME.crl`, `/aia/NAME.crt`.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/tsa", post(time_stamp))
        .route("/ocsp", post(status))
        .route("/ocsp/{*request}", get(status_by_get))
        .route("/crl/{name}", get(crl))
        .route("/aia/{name}", get(issuer))
}

async fn time_stamp(State(world): State<Arc<World>>, request: Bytes) -> Response {
    let fault = world.faults.hit(Service::Tsa).await;
    if let Some(response) = broken(fault) {
        return response;
    }
    der("application/timestamp-reply", tsa::answer(&world.pki, &request, world.clock.now(), fault))
}

async fn status(State(world): State<Arc<World>>, request: Bytes) -> Response {
    let fault = world.faults.hit(Service::Ocsp).await;
    if let Some(response) = broken(fault) {
        return response;
    }
    der("application/ocsp-response", ocsp::answer(&world.pki, &request, world.clock.now(), fault))
}

/// RFC 6960 A.1: the request in base64, percent-decoded by the router.
async fn status_by_get(state: State<Arc<World>>, Path(request): Path<String>) -> Response {
    match base64::engine::general_purpose::STANDARD.decode(request.trim_start_matches('/')) {
        Ok(request) => status(state, request.into()).await,
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn crl(State(world): State<Arc<World>>, Path(name): Path<String>) -> Response {
    let fault = world.faults.hit(Service::Crl).await;
    if let Some(response) = broken(fault) {
        return response;
    }
    let Some(tier) = tier(&name, ".crl") else { return StatusCode::NOT_FOUND.into_response() };
    let list = world.pki.crl(tier, world.clock.now(), fault == Some(Fault::Expired)).map(|mut list| {
        if fault == Some(Fault::BadSignature)
            && let Some(last) = list.last_mut()
        {
            *last ^= 1;
        }
        list
    });
    der("application/pkix-crl", list)
}

async fn issuer(State(world): State<Arc<World>>, Path(name): Path<String>) -> Response {
    let fault = world.faults.hit(Service::Crl).await;
    if let Some(response) = broken(fault) {
        return response;
    }
    match tier(&name, ".crt") {
        Some(tier) => der("application/pkix-cert", Ok(world.pki.authority(tier).certificate.clone())),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn tier(name: &str, suffix: &str) -> Option<Tier> {
    let slug = name.strip_suffix(suffix)?;
    Tier::ALL.into_iter().find(|tier| tier.slug() == slug)
}

/// Faults below the protocol.
fn broken(fault: Option<Fault>) -> Option<Response> {
    match fault? {
        Fault::Down => Some(StatusCode::SERVICE_UNAVAILABLE.into_response()),
        Fault::Close => Some(HangUp::response()),
        Fault::ErrorPage => Some(error_page()),
        _ => None,
    }
}

fn der(kind: &'static str, body: anyhow::Result<Vec<u8>>) -> Response {
    match body {
        Ok(body) => ([(header::CONTENT_TYPE, kind)], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
