//! JSON over [`Transport`]: the session's token, idempotency keys, problem details, limits. No rule about documents.
//!
//! Requests that act carry an `Idempotency-Key` and, when no answer came, are sent again with the same key: the
//! server then gives the first answer again instead of acting twice (architecture, section 7).

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use trinhky_protos::problem::Problem;

use crate::error::Error;
use crate::platform::{Chance, Method, Request, Response, Transport, TransportError};

/// The server as one signed-in person (or nobody yet) reaches it.
#[derive(Clone)]
pub struct Server {
    transport: Arc<dyn Transport>,
    chance: Arc<dyn Chance>,
    token: Option<Arc<str>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("signed_in", &self.token.is_some()).finish_non_exhaustive()
    }
}

impl Server {
    /// The server before anyone has signed in.
    pub fn new(transport: Arc<dyn Transport>, chance: Arc<dyn Chance>) -> Self {
        Self { transport, chance, token: None }
    }

    /// The same server with a session's token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// `GET path`, parsed.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Refused`], [`Error::Unreadable`].
    pub async fn get<A: DeserializeOwned>(&self, asked: &'static str, path: String) -> Result<A, Error> {
        self.get_within(asked, path, TIMEOUT_SECONDS).await
    }

    /// As [`Self::get`], with more time: for long polls.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_within<A: DeserializeOwned>(
        &self,
        asked: &'static str,
        path: String,
        timeout_seconds: u32,
    ) -> Result<A, Error> {
        let mut request = self.request(Method::Get, path, JSON_LIMIT);
        request.timeout_seconds = timeout_seconds;
        parse(asked, &accept(asked, self.transport.send(request).await?)?)
    }

    /// `POST path` with a JSON body, once: sent again with the same idempotency key if no answer came.
    ///
    /// # Errors
    /// As [`Self::get`], and [`Error::Chance`] if no key could be made.
    pub async fn act<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        asked: &'static str,
        path: String,
        body: &Q,
    ) -> Result<A, Error> {
        parse(asked, &self.act_bare(asked, path, body).await?)
    }

    /// As [`Self::act`], for answers without a body.
    ///
    /// # Errors
    /// As [`Self::act`].
    pub async fn act_bare<Q: Serialize + Sync>(
        &self,
        asked: &'static str,
        path: String,
        body: &Q,
    ) -> Result<Response, Error> {
        let mut request = self.request(Method::Post, path, JSON_LIMIT);
        request.body = serde_json::to_vec(body).map_err(|e| unreadable(asked, &e))?;
        request.headers.push(("content-type".into(), "application/json".into()));
        request.headers.push(("idempotency-key".into(), self.idempotency_key()?));
        let mut tries_left = TRIES;
        loop {
            tries_left -= 1;
            match self.transport.send(request.clone()).await {
                Ok(response) => return accept(asked, response),
                Err(TransportError::Unreached(_) | TransportError::TimedOut) if tries_left > 0 => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// `DELETE path`.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Refused`].
    pub async fn delete(&self, asked: &'static str, path: String) -> Result<(), Error> {
        let request = self.request(Method::Delete, path, JSON_LIMIT);
        accept(asked, self.transport.send(request).await?).map(drop)
    }

    /// Bytes `at ..= last` of a file named by its digest, so no condition on its version is needed. The status is for
    /// the caller to read: 206, or 200 from a server or proxy that sends all `whole` bytes.
    ///
    /// # Errors
    /// [`Error::Transport`], [`Error::Refused`].
    pub(crate) async fn range(
        &self,
        asked: &'static str,
        path: String,
        (at, last): (u64, u64),
        whole: u64,
    ) -> Result<Response, Error> {
        let mut request = self.request(Method::Get, path, whole);
        request.timeout_seconds = FILE_TIMEOUT_SECONDS;
        request.headers.push(("range".into(), format!("bytes={at}-{last}")));
        accept(asked, self.transport.send(request).await?)
    }

    fn request(&self, method: Method, path: String, answer_limit: u64) -> Request {
        let mut headers = vec![("accept".to_owned(), "application/json, application/pdf".to_owned())];
        if let Some(token) = &self.token {
            headers.push(("authorization".into(), format!("Bearer {token}")));
        }
        Request { method, path, headers, body: Vec::new(), timeout_seconds: TIMEOUT_SECONDS, answer_limit }
    }

    fn idempotency_key(&self) -> Result<String, Error> {
        let mut bytes = [0; 16];
        self.chance.fill(&mut bytes)?;
        Ok(bytes.iter().fold(String::with_capacity(32), |key, byte| key + &format!("{byte:02x}")))
    }
}

/// Any 2xx passes; the rest is a problem, in the server's words if it gave them.
fn accept(asked: &'static str, response: Response) -> Result<Response, Error> {
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    match serde_json::from_slice::<Problem>(&response.body) {
        Ok(problem) => Err(Error::Refused(Box::new(problem))),
        Err(_) => Err(Error::Unreadable {
            asked,
            why: format!("status {} without problem details", response.status),
        }),
    }
}

fn parse<A: DeserializeOwned>(asked: &'static str, response: &Response) -> Result<A, Error> {
    serde_json::from_slice(&response.body).map_err(|e| unreadable(asked, &e))
}

fn unreadable(asked: &'static str, error: &serde_json::Error) -> Error {
    Error::Unreadable { asked, why: error.to_string() }
}

/// How often an acting request is sent when nobody answers.
const TRIES: u32 = 3;
const TIMEOUT_SECONDS: u32 = 30;
const FILE_TIMEOUT_SECONDS: u32 = 120;
/// JSON answers carry a tail at most (16 MB of appearance in base64); the rest is small.
const JSON_LIMIT: u64 = 32 << 20;
