//! The platform of phones and desks: reqwest over rustls, the system's clock and random source.
//!
//! The only place of the core that owns a socket or an ambient input. TLS trusts the roots given, or the platform's
//! own when none are; redirects are not followed, so a token never travels to another host.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::platform::{Chance, ChanceError, Clock, Method, Request, Response, Transport, TransportError};

/// HTTP by reqwest. Its futures need a tokio reactor around them; the bindings bring one.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    server: String,
}

/// The server's address or roots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not `https://…`, nor `http://` to this very machine.
    #[error("{0:?} is not an https address (http is for loopback only)")]
    Address(String),
    /// The roots are not PEM certificates.
    #[error("the roots are not PEM certificates: {0}")]
    Roots(String),
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(String),
}

impl Http {
    /// A transport to the server at `url`, trusting the certificates of `roots_pem` alone; empty for the platform's.
    ///
    /// # Errors
    /// [`HttpError`].
    pub fn new(url: &str, roots_pem: &[u8]) -> Result<Self, HttpError> {
        let server = url.trim_end_matches('/').to_owned();
        let parsed = reqwest::Url::parse(&server).map_err(|_| HttpError::Address(server.clone()))?;
        let loopback = matches!(parsed.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        if !(parsed.scheme() == "https" || (parsed.scheme() == "http" && loopback)) {
            return Err(HttpError::Address(server));
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("trinhky-core/", env!("CARGO_PKG_VERSION")));
        if loopback {
            builder = builder.no_proxy();
        }
        // reqwest finds no provider by itself (`rustls-no-provider`); one that is already installed is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        if !roots_pem.is_empty() {
            let roots = reqwest::Certificate::from_pem_bundle(roots_pem)
                .map_err(|error| HttpError::Roots(error.to_string()))?;
            builder = builder.tls_certs_only(roots);
        }
        let client = builder.build().map_err(|error| HttpError::Tls(error.to_string()))?;
        Ok(Self { client, server })
    }

    async fn exchange(&self, request: Request) -> Result<Response, reqwest::Error> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sending = self
            .client
            .request(method, format!("{}{}", self.server, request.path))
            .timeout(Duration::from_secs(request.timeout_seconds.into()))
            .body(request.body);
        for (name, value) in request.headers {
            sending = sending.header(name, value);
        }
        let mut answer = sending.send().await?;
        let status = answer.status().as_u16();
        let text =
            |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            body.extend_from_slice(&piece);
            // One piece beyond the limit is read and no more; the caller tells by the length.
            if body.len() as u64 > request.answer_limit {
                break;
            }
        }
        Ok(Response { status, headers, body })
    }
}

#[async_trait]
impl Transport for Http {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let limit = request.answer_limit;
        match self.exchange(request).await {
            Ok(response) if response.body.len() as u64 > limit => Err(TransportError::TooLong { limit }),
            Ok(response) => Ok(response),
            Err(error) if error.is_timeout() => Err(TransportError::TimedOut),
            Err(error) => Err(TransportError::Unreached(causes(&error.without_url()))),
        }
    }
}

/// The whole chain of causes in one line: reqwest's own text stops at "error sending request".
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everything else is passed")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// The system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    #[expect(clippy::disallowed_methods, reason = "this is the Chance that everything else is passed")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), ChanceError> {
        getrandom::fill(bytes).map_err(|error| ChanceError(error.to_string()))
    }
}

/// The transport, ready to be shared.
///
/// # Errors
/// As [`Http::new`].
pub fn transport(url: &str, roots_pem: &[u8]) -> Result<Arc<dyn Transport>, HttpError> {
    Ok(Arc::new(Http::new(url, roots_pem)?))
}
