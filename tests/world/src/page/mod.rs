//! The page at `/`: every virtual phone with its prompt, the buttons of its holder, and the log.
//!
//! Three static files and no framework; the script lives from the control calls.

use std::sync::Arc;

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    let serve = |kind: &'static str, text: &'static str| get(move || async move { file(kind, text) });
    Router::new()
        .route("/", serve("text/html; charset=utf-8", include_str!("index.html")))
        .route("/page.css", serve("text/css; charset=utf-8", include_str!("page.css")))
        .route("/page.js", serve("text/javascript; charset=utf-8", include_str!("page.js")))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'",
        ),
    ];
    (headers, text).into_response()
}
