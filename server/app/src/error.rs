//! What a request is answered when it is refused: one type, one conversion to RFC 9457, one place that logs.
//!
//! Everything below speaks its own errors; `From` impls here decide what is told. The cause of a 5xx is logged once, with
//! the request id, and never sent; a 4xx is nobody's fault here and is counted, not logged.

mod refused;
mod store;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use trinhky_protos::problem::{Code, Problem};

/// A refusal or failure on its way out.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    what: Option<String>,
    retry_after_seconds: Option<u32>,
    cause: Option<anyhow::Error>,
}

/// What every handler answers.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// The refusal `code`, with nothing particular to add.
    pub const fn new(code: Code) -> Self {
        Self { code, what: None, retry_after_seconds: None, cause: None }
    }

    /// The same, with what exactly is wrong here; never a secret.
    #[must_use]
    pub fn with(mut self, what: impl Into<String>) -> Self {
        self.what = Some(what.into());
        self
    }

    /// The same, with the time after which it makes sense to ask again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The same, with a cause for the log alone.
    #[must_use]
    pub fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// An error of ours.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::new(Code::Internal).because(cause)
    }

    /// The stable code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What exactly, if said.
    pub fn what(&self) -> Option<&str> {
        self.what.as_deref()
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { code, what, retry_after_seconds, cause } = self;
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match cause {
            Some(cause) if status.is_server_error() => {
                tracing::error!(code = code.as_str(), cause = format!("{cause:#}"), "request failed");
            }
            Some(cause) => {
                tracing::info!(code = code.as_str(), cause = format!("{cause:#}"), "request refused");
            }
            None => tracing::debug!(code = code.as_str(), "request refused"),
        }
        let problem = Problem { what, ..Problem::new(code) };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cause_is_never_sent() {
        let error = ApiError::internal(anyhow::anyhow!("password=hush")).retry_after(3);
        let response = error.into_response();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
        let text = String::from_utf8(body.to_vec()).expect("text");
        assert!(text.contains("urn:trinhky:problem:internal") && !text.contains("hush"), "{text}");
    }
}
