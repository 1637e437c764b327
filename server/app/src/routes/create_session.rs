//! `POST /v1/sessions`: signing in with password and TOTP.
//!
//! Whatever is wrong, the answer is the same and comes as late: which names exist, and which half was wrong, is nobody's
//! to learn.

use axum::extract::State;
use axum::http::StatusCode;
use time::Duration;
use trinhky_domain::Digest;
use trinhky_domain::audit::{By, Entry, Event};
use trinhky_domain::ids::SessionId;
use trinhky_domain::people::{Client, Person};
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::session::{SignInRequest, SignInResponse};
use trinhky_store::Session;

use crate::app::App;
use crate::auth::{password, second_factor, token, totp};
use crate::blocking;
use crate::error::{ApiError, ApiResult};
use crate::extract::Json;
use crate::wire;

/// Sign in.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "session",
    security(()),
    request_body = SignInRequest,
    responses(
        (status = 201, body = SignInResponse),
        (status = 401, description = "`bad_credentials`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
    )
)]
pub(super) async fn create_session(
    State(app): State<App>,
    Json(request): Json<SignInRequest>,
) -> ApiResult<(StatusCode, axum::Json<SignInResponse>)> {
    let now = app.clock.now();
    let name = request.username.trim().to_lowercase();
    app.sign_in_tries
        .begin(&name, app.config.limits.sign_in_tries, now)
        .map_err(|seconds| ApiError::new(Code::RateLimited).retry_after(seconds))?;
    let checked =
        check(&app, &name, request).await.inspect_err(|_| app.sign_in_tries.not_made(&name, now))?;
    let Some(person) = checked else { return Err(Code::BadCredentials.into()) };
    app.sign_in_tries.succeeded(&name);
    open(&app, &person).await
}

/// The person, when everything is right; the TOTP step is used up then.
async fn check(app: &App, name: &str, request: SignInRequest) -> ApiResult<Option<Person>> {
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let person = found(tx.person_by_login(name).await)?.filter(|person| person.active);
    let account = match &person {
        Some(person) => found(tx.account(person.id).await)?,
        None => None,
    };
    drop(tx);
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let slot = app.password_slots.acquire().await.map_err(ApiError::internal)?;
    let right = blocking(move || password::verify(&request.password, stored.as_deref())).await?;
    drop(slot);
    let (Some(person), Some(account)) = (person, account) else { return Ok(None) };
    let sealed = account.totp_secret.as_deref().unwrap_or_default();
    let secret = match second_factor::open(&app.keys.at_rest, person.id, sealed) {
        Ok(secret) => secret,
        Err(error) => {
            tracing::error!(%error, person = %person.id, "nobody can sign in here; run: trinhky migrate");
            return Ok(None);
        }
    };
    let last = u64::try_from(account.last_totp_step).ok();
    let Some(step) = totp::step(&secret, request.totp.trim(), now, last).filter(|_| right) else {
        return Ok(None);
    };
    let mut tx = app.store.begin().await?;
    match tx.use_totp_step(person.id, i64::try_from(step).unwrap_or(i64::MAX)).await {
        // Somebody used the same code a moment ago.
        Err(trinhky_store::Error::Conflict(_)) => return Ok(None),
        other => other?,
    }
    tx.commit().await?;
    Ok(Some(person))
}

async fn open(app: &App, person: &Person) -> ApiResult<(StatusCode, axum::Json<SignInResponse>)> {
    let now = app.clock.now();
    let (token, digest) = token::make(&*app.random);
    let expires = now + Duration::hours(app.config.server.session_hours.into());
    let session = Session {
        id: SessionId::at(now, app.random.chance()),
        token_sha256: Digest(digest),
        person: person.id,
        client: Client::Web,
        device: None,
        created: now,
        expires,
    };
    let by = By::Person { person: person.id, device: None, client: session.client };
    let mut tx = app.store.begin().await?;
    tx.open_session(&session).await?;
    tx.record(&Entry::new(Event::SignedIn, by, now).with("session", session.id)).await?;
    tx.commit().await?;
    let response = SignInResponse { token, expires_at: expires, person: wire::person(person) };
    Ok((StatusCode::CREATED, axum::Json(response)))
}

/// Not found is an answer here.
fn found<T>(result: Result<T, trinhky_store::Error>) -> ApiResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(trinhky_store::Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
