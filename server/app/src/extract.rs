//! What handlers take from a request, each refusing with a problem of ours instead of the framework's plain text.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use trinhky_protos::problem::Code;

use crate::error::ApiError;

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        use axum::extract::rejection::JsonRejection;
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::BytesRejection(rejection)) if rejection.status() == 413 => {
                Err(ApiError::new(Code::TooLarge))
            }
            Err(rejection) => Err(ApiError::new(Code::Malformed).with(rejection.body_text())),
        }
    }
}

/// Identifiers in the path. One that cannot be read names nothing, so it is not found.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| ApiError::new(Code::NotFound))
    }
}

/// The query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| ApiError::new(Code::Malformed).with(rejection.body_text()))
    }
}

/// `If-Match` with the version the caller has seen, when it was sent: `"7"`.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<u64>);

impl IfMatch {
    /// Refuses when a version was given and it is not `version`.
    ///
    /// # Errors
    /// [`Code::Stale`].
    pub fn check(self, version: u64) -> Result<(), ApiError> {
        match self.0 {
            Some(seen) if seen != version => Err(ApiError::new(Code::Stale).with(format!("{version}"))),
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(text) = text(&parts.headers, &header::IF_MATCH)? else { return Ok(Self(None)) };
        if text == "*" {
            return Ok(Self(None));
        }
        text.strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"')?.parse().ok())
            .map(|version| Self(Some(version)))
            .ok_or_else(|| ApiError::new(Code::Malformed).with("If-Match: give the version in quotes"))
    }
}

/// `Idempotency-Key`, at most 200 visible characters, when it was sent.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let name = header::HeaderName::from_static("idempotency-key");
        let Some(text) = text(&parts.headers, &name)? else { return Ok(Self(None)) };
        if text.is_empty() || text.len() > 200 {
            return Err(ApiError::new(Code::Malformed).with("Idempotency-Key: 1 to 200 characters"));
        }
        Ok(Self(Some(text.to_owned())))
    }
}

/// The bearer token, as sent.
///
/// # Errors
/// [`Code::Unauthenticated`] when there is none.
pub fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "))
        .ok_or(ApiError::new(Code::Unauthenticated))
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Result<Option<&'a str>, ApiError> {
    headers
        .get(name)
        .map(|value| {
            value
                .to_str()
                .map_err(|_| ApiError::new(Code::Malformed).with(format!("{name}: visible ASCII only")))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn if_match(value: &str) -> Result<Option<u64>, Code> {
        let request = Request::builder().header(header::IF_MATCH, value).body(()).expect("a request");
        let (mut parts, ()) = request.into_parts();
        IfMatch::from_request_parts(&mut parts, &()).await.map(|found| found.0).map_err(|error| error.code())
    }

    #[tokio::test]
    async fn if_match_is_a_quoted_version_or_refused() {
        assert_eq!(if_match("\"7\"").await, Ok(Some(7)));
        assert_eq!(if_match("*").await, Ok(None));
        for wrong in ["7", "\"7", "W/\"7\"", "\"x\"", "\"-1\""] {
            assert_eq!(if_match(wrong).await, Err(Code::Malformed), "{wrong}");
        }
        assert!(IfMatch(Some(3)).check(4).is_err_and(|error| error.code() == Code::Stale));
        assert!(IfMatch(None).check(4).is_ok());
    }
}
