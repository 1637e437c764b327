//! `GET /v1/registers` and `GET /v1/registers/{id}/numbers`: the books of outgoing numbers of my office.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use trinhky_domain::ids::RegisterId;
use trinhky_domain::register::Serial;
use trinhky_protos::problem::{Code, Problem};
use trinhky_protos::seal::RegisterLineView;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::extract::{Path, Query};

/// A register: one office, one series, one year.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegisterView {
    /// The register.
    #[schema(value_type = String)]
    id: RegisterId,
    /// Which series, for instance `administrative`.
    series: String,
    /// Which year.
    year: i32,
    /// The last serial taken.
    last: u32,
    /// Serials up to this were given before the book was kept here, on paper; they have no lines.
    given_before: u32,
}

/// Where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// The last serial already seen.
    #[serde(default)]
    after: u32,
}

/// The registers of my office.
#[utoipa::path(get, path = "/v1/registers", tag = "register", responses((status = 200, body = Vec<RegisterView>)))]
pub(super) async fn list_registers(
    State(app): State<App>,
    caller: Caller,
) -> ApiResult<axum::Json<Vec<RegisterView>>> {
    let registers = app.store.read().await?.registers_of(caller.actor.office).await?;
    let views = registers.into_iter().map(|register| RegisterView {
        id: register.id,
        series: register.series.to_string(),
        year: register.year,
        last: register.last,
        given_before: register.given_before,
    });
    Ok(axum::Json(views.collect()))
}

/// Lines of a register, in order; void numbers stay in the book with their reason.
#[utoipa::path(
    get,
    path = "/v1/registers/{id}/numbers",
    tag = "register",
    params(("id" = String, Path), After),
    responses((status = 200, body = Vec<RegisterLineView>), (status = 404, description = "`not_found`", body = Problem))
)]
pub(super) async fn list_numbers(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RegisterId>,
    Query(after): Query<After>,
) -> ApiResult<axum::Json<Vec<RegisterLineView>>> {
    let mut tx = app.store.read().await?;
    let own = tx.registers_of(caller.actor.office).await?.iter().any(|register| register.id == id);
    if !own {
        return Err(Code::NotFound.into());
    }
    let lines = tx.book(id, Serial(after.after), LINES).await?;
    let views = lines.into_iter().map(|line| RegisterLineView {
        serial: line.serial.0.into(),
        number: line.number,
        date: line.date.to_string(),
        document: line.document,
        void_reason: line.void.map(|(reason, _)| reason),
    });
    Ok(axum::Json(views.collect()))
}

const LINES: u32 = 500;
