//! The page at `/`: every virtual phone with its prompt, the buttons of its holder, and the log.

use std::sync::Arc;

use axum::{Router, response::Html, routing::get};

use crate::World;

/// The page; it lives from the control calls.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/", get(|| async { Html(include_str!("page.html")) }))
}
