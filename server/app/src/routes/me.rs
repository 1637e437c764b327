//! `GET /v1/me`: who I am.

use trinhky_protos::session::PersonView;

use crate::auth::caller::Caller;
use crate::wire;

/// Who I am.
#[utoipa::path(get, path = "/v1/me", tag = "session", responses((status = 200, body = PersonView)))]
pub(super) async fn me(caller: Caller) -> axum::Json<PersonView> {
    axum::Json(wire::person(&caller.person))
}
