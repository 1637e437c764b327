//! What the device brings: network, key store, memory, clock and chance, each behind a small trait.
//!
//! The core has none of its own, so the same code runs on a phone, on a desk, in a browser and in a test. The key
//! never leaves the platform's key store (Android Keystore, Secure Enclave, `WebCrypto`): the core sees its public
//! half and asks for signatures, which the platform may guard with a fingerprint or face.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use time::OffsetDateTime;
use trinhky_protos::device::PublicJwk;

/// Everything the core needs from the device it runs on.
#[derive(Clone)]
pub struct Platform {
    /// The way to the server.
    pub transport: Arc<dyn Transport>,
    /// The device key.
    pub key: Arc<dyn DeviceKey>,
    /// A small private place that survives a restart.
    pub keep: Arc<dyn Keep>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes fit for keys.
    pub chance: Arc<dyn Chance>,
    /// `native` or `web`; every decision records it.
    pub client: &'static str,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("client", &self.client).finish_non_exhaustive()
    }
}

/// One HTTP exchange with the server. Redirects are not followed; certificates are checked.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request` and returns the whole answer.
    ///
    /// # Errors
    /// [`TransportError`] if no complete answer of at most `request.answer_limit` bytes came in time.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

/// The methods the core uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

impl Method {
    /// As it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What to send.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query below the server's URL, beginning with `/`.
    pub path: String,
    /// Header fields, names in lower case. They hold the session's token: never log them.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How long the answer may take, in seconds.
    pub timeout_seconds: u32,
    /// The longest body that may be read, in bytes.
    pub answer_limit: u64,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method.as_str(), self.path, self.body.len())
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header field of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// No answer, or only a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The server was not reached, or the connection broke.
    #[error("the server was not reached: {0}")]
    Unreached(String),
    /// It took too long.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The answer is longer than the core allows.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: u64,
    },
}

/// The device's P-256 key, in the platform's key store.
#[async_trait]
pub trait DeviceKey: Send + Sync {
    /// The public half. The key is made on first use.
    ///
    /// # Errors
    /// [`DeviceKeyError`] if the key store cannot be used.
    async fn public_jwk(&self) -> Result<PublicJwk, DeviceKeyError>;

    /// Signs `message` with ECDSA over its SHA-256; 64 bytes, `r` then `s` (RFC 7518 section 3.4).
    ///
    /// # Errors
    /// [`DeviceKeyError`] if the person did not allow it or the key store failed.
    async fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError>;
}

/// The device key could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyError {
    /// The person turned the prompt away.
    #[error("the person did not allow the use of the device key")]
    NotAllowed,
    /// The key store failed, or the key is gone.
    #[error("the key store failed: {0}")]
    Failed(String),
}

/// One text that survives a restart, private to the app. It holds no secret, but who changes it can make the core
/// refuse to sign, so it belongs where other apps cannot write.
pub trait Keep: Send + Sync {
    /// What was saved last, if anything ever was.
    ///
    /// # Errors
    /// [`KeepError`] if it cannot be read. "Nothing there" is not an error.
    fn load(&self) -> Result<Option<String>, KeepError>;

    /// Replaces what was saved: all of it or, if the device dies meanwhile, nothing.
    ///
    /// # Errors
    /// [`KeepError`] if it may not have been saved.
    fn save(&self, text: String) -> Result<(), KeepError>;
}

/// The device's storage failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the device's storage failed: {0}")]
pub struct KeepError(pub String);

/// The time as the device has it.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// A random source fit for keys.
pub trait Chance: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`ChanceError`] if the system has no randomness to give.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), ChanceError>;
}

/// No randomness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes: {0}")]
pub struct ChanceError(pub String);
