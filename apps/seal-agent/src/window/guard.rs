//! Who may talk to the window: a page under its own host and origin that holds its key.
//!
//! Loopback is shared by every program and every web page on the machine. Against pages elsewhere: the `Host` must be the
//! very address (DNS rebinding), the `Origin` its own, the key travels in a header that no foreign page may set. Against
//! other users of the machine: the secret in the address works once and for ten minutes, so that the address alone,
//! seen in a list of processes or a history, opens nothing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use trinhky_mobile_core::Chance as _;
use trinhky_mobile_core::native::SystemChance;
use trinhky_protos::HexDigest;

use super::answer::refusal;
use crate::error::Error;

/// The window's address, and the digests of its secrets: only digests are compared, so time tells nothing.
pub(super) struct Guard {
    host: String,
    origin: String,
    opening: Mutex<Option<([u8; 32], Instant)>>,
    key: String,
    key_digest: [u8; 32],
}

impl Guard {
    /// A guard with fresh secrets, and the one that opens the window.
    ///
    /// # Errors
    /// [`Error::Config`] if the system gives no chance.
    pub(super) fn new(address: SocketAddr) -> Result<(Self, String), Error> {
        let (secret, key) = (fresh()?, fresh()?);
        let guard = Self {
            host: address.to_string(),
            origin: format!("http://{address}"),
            opening: Mutex::new(Some((digest(secret.as_bytes()), Instant::now()))),
            key_digest: digest(key.as_bytes()),
            key,
        };
        Ok((guard, secret))
    }

    fn is_own(&self, method: &Method, headers: &HeaderMap) -> bool {
        let one = |name: HeaderName| {
            let mut values = headers.get_all(name).iter();
            (values.next().and_then(|value| value.to_str().ok()), values.next().is_none())
        };
        let (host, single) = one(header::HOST);
        let (origin, _) = one(header::ORIGIN);
        let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
        host == Some(self.host.as_str())
            && single
            && origin.map_or(method == Method::GET, |origin| origin == self.origin)
            && matches!(site, None | Some("same-origin" | "none"))
    }
}

/// Every request: own host, own origin; every answer: nothing from elsewhere, nothing kept.
pub(super) async fn own_host_and_origin(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if guard.is_own(request.method(), request.headers()) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// `POST /open`: the address's secret for the window's key, once.
pub(super) async fn open(State(guard): State<Arc<Guard>>, secret: String) -> Response {
    let Ok(mut opening) = guard.opening.lock() else { return StatusCode::FORBIDDEN.into_response() };
    match *opening {
        Some((expected, since)) if digest(secret.as_bytes()) == expected && since.elapsed() < OPENS_FOR => {
            *opening = None;
            guard.key.clone().into_response()
        }
        _ => refusal(StatusCode::FORBIDDEN, "window_used", USED, ""),
    }
}

/// Everything about documents: only for who holds the key.
pub(super) async fn holds_the_key(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(KEY_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    if digest(given) == guard.key_digest {
        next.run(request).await
    } else {
        refusal(StatusCode::FORBIDDEN, "window_used", USED, "")
    }
}

/// 256 bits as text.
fn fresh() -> Result<String, Error> {
    let mut bytes = [0; 32];
    let failed = |error: trinhky_mobile_core::ChanceError| Error::Config {
        file: "the system's random source".into(),
        why: error.to_string(),
    };
    SystemChance.fill(&mut bytes).map_err(failed)?;
    Ok(HexDigest(bytes).to_string())
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

const KEY_HEADER: &str = "x-trinhky-window";
const OPENS_FOR: Duration = Duration::from_mins(10);
const USED: &str =
    "Địa chỉ này đã dùng hoặc đã hết hạn. Hãy chạy lại chương trình đóng dấu để mở cửa sổ mới.";
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> (Guard, String) {
        Guard::new("127.0.0.1:4711".parse().unwrap()).unwrap()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_its_own_page_reaches_the_window() {
        let (guard, _) = guard();
        let own =
            |method: Method, pairs: &[(&'static str, &'static str)]| guard.is_own(&method, &headers(pairs));
        let (host, origin) = (("host", "127.0.0.1:4711"), ("origin", "http://127.0.0.1:4711"));
        assert!(own(Method::GET, &[host]) && own(Method::POST, &[host, origin]));
        assert!(own(Method::POST, &[host, origin, ("sec-fetch-site", "same-origin")]));
        assert!(!own(Method::POST, &[host]), "an act without an origin");
        assert!(!own(Method::POST, &[host, ("origin", "http://127.0.0.1:4712")]));
        assert!(!own(Method::GET, &[host, ("origin", "null")]));
        assert!(!own(Method::GET, &[("host", "evil.example:4711")]), "DNS rebinding");
        assert!(!own(Method::GET, &[("host", "localhost:4711")]));
        assert!(!own(Method::GET, &[]));
        assert!(!own(Method::GET, &[host, ("sec-fetch-site", "cross-site")]));
    }

    #[tokio::test]
    async fn the_address_opens_once() {
        let (guard, secret) = guard();
        let guard = Arc::new(guard);
        assert_eq!(open(State(Arc::clone(&guard)), "guess".to_owned()).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(open(State(Arc::clone(&guard)), secret.clone()).await.status(), StatusCode::OK);
        assert_eq!(open(State(guard), secret).await.status(), StatusCode::FORBIDDEN);
    }
}
