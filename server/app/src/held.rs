//! Late signatures: sealed, so that a copy of the database alone yields none, and bound to their attempts, so that one
//! can never pass for another's.

use trinhky_domain::ids::AttemptId;

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// Seals a signature value.
///
/// # Errors
/// When it cannot be sealed.
pub fn seal(app: &App, attempt: AttemptId, signature: &[u8]) -> ApiResult<Vec<u8>> {
    app.keys.at_rest.seal(&bound(attempt), signature, &*app.random).map_err(ApiError::internal)
}

/// Opens it again, for the leader's decision to adopt it.
///
/// # Errors
/// When it was sealed under another key or for another attempt.
pub fn open(app: &App, attempt: AttemptId, sealed: &[u8]) -> ApiResult<Vec<u8>> {
    app.keys.at_rest.open(&bound(attempt), sealed).map_err(ApiError::internal)
}

fn bound(attempt: AttemptId) -> String {
    format!("held signature of {attempt}")
}
