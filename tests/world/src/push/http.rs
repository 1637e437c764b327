//! The push endpoint and its control calls.
//!
//! ```text
//! POST /push/{id}                      a push (RFC 8030)
//! POST /control/push/subscribe         {"application_server_key"?: base64url} → {id, endpoint, p256dh, auth}
//! POST /control/push/{id}/unsubscribe  later pushes get 410
//! GET  /control/push/messages[?after]  everything accepted, decrypted
//! POST /control/push/{id}/collect      the phone comes online and takes what waits
//! ```

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{Incoming, Refused, crypto::from_base64url, vapid};
use crate::{
    World,
    faults::{Fault, Service},
    serve::{HangUp, error_page},
};

/// The largest body that services take.
const LIMIT: usize = 4096;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/push/{id}", post(push).layer(DefaultBodyLimit::max(1 << 20)))
        .route("/control/push/subscribe", post(subscribe))
        .route("/control/push/messages", get(messages))
        .route("/control/push/{id}/unsubscribe", post(unsubscribe))
        .route("/control/push/{id}/collect", post(collect))
}

async fn push(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = world.faults.hit(Service::Push).await;
    match fault {
        Some(Fault::Down) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Fault::Close) => return HangUp::response(),
        Some(Fault::ErrorPage) => return error_page(),
        Some(Fault::NotFound) => return refusal(&Refused::new(404, "no such subscription")),
        Some(Fault::Gone) => return refusal(&Refused::new(410, "the subscription has ended")),
        Some(Fault::TooLarge) => return refusal(&Refused::new(413, "payload too large")),
        Some(Fault::TooMany { retry_after }) => {
            let after = [(header::RETRY_AFTER, retry_after.to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, after).into_response();
        }
        _ => {}
    }
    let now = world.clock.now();
    let taken = read(&world, &headers, &body).and_then(|incoming| {
        let ttl = incoming.ttl;
        let message = world.push.accept(&id, incoming, now, fault == Some(Fault::AcceptAndDrop))?;
        Ok((ttl, message))
    });
    match taken {
        Ok((ttl, message)) => {
            let location = format!("{}/push/message/{message}", world.base);
            (StatusCode::CREATED, [("location", location), ("ttl", ttl.to_string())]).into_response()
        }
        Err(refused) => refusal(&refused),
    }
}

fn read(world: &World, headers: &HeaderMap, body: &Bytes) -> Result<Incoming, Refused> {
    let get = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let authorization = get("authorization").ok_or_else(|| Refused::new(401, "no Authorization"))?;
    // Push services live in real time, whatever the world's clock says.
    let sender = vapid::verify(authorization, &world.base, crate::clock::real())?;
    let ttl = get("ttl")
        .and_then(|ttl| ttl.parse().ok())
        .ok_or_else(|| Refused::new(400, "TTL is required, in seconds"))?;
    let urgency = get("urgency").unwrap_or("normal").to_owned();
    if !["very-low", "low", "normal", "high"].contains(&urgency.as_str()) {
        return Err(Refused::new(400, "Urgency is very-low, low, normal or high"));
    }
    let topic = get("topic").map(str::to_owned);
    let is_topic = |text: &String| {
        (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if topic.as_ref().is_some_and(|topic| !is_topic(topic)) {
        return Err(Refused::new(400, "Topic is at most 32 characters of base64url"));
    }
    if body.len() > LIMIT {
        return Err(Refused::new(413, "more than 4096 bytes"));
    }
    if !body.is_empty() && get("content-encoding") != Some("aes128gcm") {
        return Err(Refused::new(400, "Content-Encoding is aes128gcm"));
    }
    Ok(Incoming { ttl, urgency, topic, sender, body: body.to_vec() })
}

fn refusal(refused: &Refused) -> Response {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(json!({ "code": refused.status, "message": refused.reason }))).into_response()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Subscribe {
    application_server_key: Option<String>,
}

async fn subscribe(State(world): State<Arc<World>>, Json(wish): Json<Subscribe>) -> Response {
    let key = match wish.application_server_key.as_deref().map(from_base64url).transpose() {
        Ok(key) => key,
        Err(error) => return refusal(&Refused::new(400, error.to_string())),
    };
    match world.push.subscribe(&world.base, key) {
        Ok(subscribed) => (StatusCode::CREATED, Json(subscribed)).into_response(),
        Err(error) => refusal(&Refused::new(500, error.to_string())),
    }
}

async fn unsubscribe(State(world): State<Arc<World>>, Path(id): Path<String>) -> StatusCode {
    if world.push.unsubscribe(&id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn messages(State(world): State<Arc<World>>, Query(query): Query<After>) -> Response {
    Json(world.push.messages(query.after)).into_response()
}

async fn collect(State(world): State<Arc<World>>, Path(id): Path<String>) -> Response {
    Json(world.push.collect(&id, world.clock.now())).into_response()
}
