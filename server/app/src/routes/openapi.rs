//! `GET /v1/openapi.json`: this interface, described by itself.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;

/// Made once: it never changes while a process lives.
static TEXT: LazyLock<String> = LazyLock::new(text);

/// The document, indented, as committed.
pub fn text() -> String {
    // Plain strings, numbers and maps: there is nothing in it that could fail to become JSON.
    super::description().to_pretty_json().map_or_else(|_| String::new(), |text| text + "\n")
}

/// This interface, described by itself.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    tag = "operations",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))
)]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}
