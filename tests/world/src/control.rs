//! `/control/…`: what tests and the page's buttons use to steer the world and to read what happened.
//!
//! ```text
//! GET  /control/sims                         every SIM with its live prompt
//! GET  /control/sims/{msisdn}/certificate     PEM of what the SIM holds now
//! POST /control/sims/{msisdn}/accept|decline the holder presses a button
//! POST /control/sims/{msisdn}/behaviour      {"behaviour": "drop_ack" | {outcome, quirk}, "times"?: n}
//! POST /control/sims/{msisdn}/swap           the SIM is replaced: new key, new certificate
//! POST /control/mode                         {"accept_after_ms": n | null}   null: every SIM waits for the buttons
//! GET  /control/mssp/log[?after=seq]         what the MSSP was asked
//! GET|POST /control/fault                    {"service": "tsa", "fault": "down" | {"slow": {"ms": 50}} | null, "times"?: n}
//! POST /control/revoke                       {"msisdn" | "certificate_pem": …, "reason"?: 1, "undo"?: true}
//! GET  /control/mail[/{seq}]                  what the mail server took (src/mail/http.rs)
//! GET|POST /control/clock                    {"offset_seconds": 600}
//! ```

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    World,
    faults::{Fault, Service},
    keys,
    mssp::{
        Prompt,
        behaviour::{Behaviour, Outcome},
    },
};

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/control/sims", get(sims))
        .route("/control/sims/{msisdn}/certificate", get(certificate))
        .route("/control/sims/{msisdn}/accept", post(accept))
        .route("/control/sims/{msisdn}/decline", post(decline))
        .route("/control/sims/{msisdn}/behaviour", post(behaviour))
        .route("/control/sims/{msisdn}/swap", post(swap))
        .route("/control/mode", post(mode))
        .route("/control/mssp/log", get(log))
        .route("/control/fault", get(faults).post(set_fault))
        .route("/control/revoke", post(revoke))
        .route("/control/clock", get(clock).post(set_clock))
}

#[derive(Serialize)]
struct SimView {
    msisdn: String,
    name: String,
    behaviour: Behaviour,
    prompt: Option<Prompt>,
}

async fn sims(State(world): State<Arc<World>>) -> Response {
    let now = world.clock.now();
    let list: Vec<SimView> = world
        .mssp
        .sims()
        .map(|sim| SimView {
            msisdn: sim.msisdn.clone(),
            name: sim.name.clone(),
            behaviour: sim.behaviour(),
            prompt: world.mssp.prompt(&sim.msisdn, now),
        })
        .collect();
    Json(list).into_response()
}

async fn certificate(State(world): State<Arc<World>>, Path(msisdn): Path<String>) -> Response {
    match world.mssp.sim(&msisdn) {
        Some(sim) => keys::pem("CERTIFICATE", &sim.holder().certificate).into_response(),
        None => trouble(StatusCode::NOT_FOUND, "no such number"),
    }
}

async fn accept(State(world): State<Arc<World>>, Path(msisdn): Path<String>) -> Response {
    press(&world, &msisdn, true)
}

async fn decline(State(world): State<Arc<World>>, Path(msisdn): Path<String>) -> Response {
    press(&world, &msisdn, false)
}

fn press(world: &World, msisdn: &str, accept: bool) -> Response {
    if world.mssp.press(msisdn, accept, world.clock.now()) {
        Json(json!({ "ok": true })).into_response()
    } else {
        trouble(StatusCode::CONFLICT, "no prompt is live on this number")
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Named(String),
    Spelled(Behaviour),
}

#[derive(Deserialize)]
struct SetBehaviour {
    behaviour: Wanted,
    times: Option<u64>,
}

async fn behaviour(
    State(world): State<Arc<World>>,
    Path(msisdn): Path<String>,
    Json(wish): Json<SetBehaviour>,
) -> Response {
    let Some(sim) = world.mssp.sim(&msisdn) else { return trouble(StatusCode::NOT_FOUND, "no such number") };
    let behaviour = match wish.behaviour {
        Wanted::Spelled(behaviour) => behaviour,
        Wanted::Named(name) => match Behaviour::named(&name) {
            Some(behaviour) => behaviour,
            None => return trouble(StatusCode::BAD_REQUEST, "no such behaviour"),
        },
    };
    sim.set_behaviour(behaviour, wish.times);
    Json(json!({ "behaviour": behaviour })).into_response()
}

async fn swap(State(world): State<Arc<World>>, Path(msisdn): Path<String>) -> Response {
    match world.mssp.swap(&msisdn) {
        Ok(()) => Json(json!({ "ok": true })).into_response(),
        Err(error) => trouble(StatusCode::NOT_FOUND, &error.to_string()),
    }
}

#[derive(Deserialize)]
struct Mode {
    accept_after_ms: Option<u64>,
}

async fn mode(State(world): State<Arc<World>>, Json(mode): Json<Mode>) -> Response {
    let magic: Vec<String> = crate::mssp::behaviour::magic().into_iter().map(|magic| magic.msisdn).collect();
    let usual = match mode.accept_after_ms {
        Some(ms) => {
            world.mssp.set_accept_after(Duration::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX)));
            Behaviour::ACCEPT
        }
        None => Behaviour { outcome: Outcome::Manual, quirk: None },
    };
    for sim in world.mssp.sims().filter(|sim| !magic.contains(&sim.msisdn)) {
        sim.set_behaviour(usual, None);
    }
    Json(json!({ "accept_after_ms": mode.accept_after_ms })).into_response()
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn log(State(world): State<Arc<World>>, Query(query): Query<After>) -> Response {
    Json(world.mssp.log(query.after)).into_response()
}

#[derive(Deserialize)]
struct SetFault {
    service: Service,
    fault: Option<Fault>,
    times: Option<u64>,
}

async fn set_fault(State(world): State<Arc<World>>, Json(wish): Json<SetFault>) -> Response {
    world.faults.set(wish.service, wish.fault, wish.times);
    faults(State(world)).await
}

async fn faults(State(world): State<Arc<World>>) -> Response {
    let list: Vec<Value> = world
        .faults
        .shown()
        .into_iter()
        .map(|(service, (fault, left))| json!({ "service": service, "fault": fault, "left": left }))
        .collect();
    Json(list).into_response()
}

#[derive(Deserialize)]
struct Revoke {
    msisdn: Option<String>,
    certificate_pem: Option<String>,
    reason: Option<u8>,
    #[serde(default)]
    undo: bool,
}

async fn revoke(State(world): State<Arc<World>>, Json(wish): Json<Revoke>) -> Response {
    let certificate = match (&wish.msisdn, &wish.certificate_pem) {
        (Some(msisdn), None) => world.mssp.sim(msisdn).map(|sim| sim.holder().certificate.clone()),
        (None, Some(pem)) => keys::from_pem(pem).ok(),
        _ => None,
    };
    let Some(certificate) = certificate else {
        return trouble(StatusCode::BAD_REQUEST, "name a known msisdn or give a certificate_pem");
    };
    let entry = (!wish.undo).then(|| (world.clock.now(), wish.reason.unwrap_or(1)));
    match world.pki.set_revoked(&certificate, entry) {
        Ok(true) => Json(json!({ "revoked": !wish.undo })).into_response(),
        Ok(false) => trouble(StatusCode::NOT_FOUND, "no authority here issued this certificate"),
        Err(error) => trouble(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

#[derive(Deserialize)]
struct SetClock {
    offset_seconds: f64,
}

async fn set_clock(State(world): State<Arc<World>>, Json(wish): Json<SetClock>) -> Response {
    match Duration::checked_seconds_f64(wish.offset_seconds) {
        Some(offset) => world.clock.set_offset(offset),
        None => return trouble(StatusCode::BAD_REQUEST, "offset_seconds is out of range"),
    }
    clock(State(world)).await
}

async fn clock(State(world): State<Arc<World>>) -> Response {
    let now: OffsetDateTime = world.clock.now();
    Json(json!({
        "offset_seconds": world.clock.offset_seconds(),
        "now": now.format(&Rfc3339).unwrap_or_default(),
        "now_us": i64::try_from(now.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX),
    }))
    .into_response()
}

fn trouble(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}
