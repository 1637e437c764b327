//! A server that lies: it stands between phone and server, passes everything on, and changes what was asked or answered.
//!
//! What a compromised server could send, without a line of ours compromised: the phone behind it is the real core.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use serde_json::Value;
use tokio::task::JoinHandle;

/// Changes a JSON body that goes along a path; leaves the others as they are.
pub type Lie = Box<dyn Fn(&str, &mut Value) + Send + Sync>;

/// A running liar; it ends with this value.
pub struct Liar {
    /// Where it listens.
    pub url: String,
    task: JoinHandle<()>,
}

struct Between {
    server: String,
    client: reqwest::Client,
    asked: Lie,
    answered: Lie,
}

impl Liar {
    /// Stands before `server` and answers differently.
    ///
    /// # Errors
    /// No port is free.
    pub async fn answering(
        server: &str,
        answered: impl Fn(&str, &mut Value) + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::start(server, Box::new(|_, _| {}), Box::new(answered)).await
    }

    /// Stands before `server` and passes on something else than it was told.
    ///
    /// # Errors
    /// No port is free.
    pub async fn asking(
        server: &str,
        asked: impl Fn(&str, &mut Value) + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::start(server, Box::new(asked), Box::new(|_, _| {})).await
    }

    async fn start(server: &str, asked: Lie, answered: Lie) -> Result<Self> {
        let client = reqwest::Client::builder().timeout(std::time::Duration::from_mins(2)).build()?;
        let between = Arc::new(Between { server: server.to_owned(), client, asked, answered });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(pass).with_state(between);
        let task = tokio::spawn(async move {
            // A listener that fails is seen by whoever asks it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, task })
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(between): State<Arc<Between>>, request: Request) -> Response<Body> {
    between.exchange(request).await.unwrap_or_else(|error| {
        let mut response = Response::new(Body::from(format!("{error:#}")));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    })
}

impl Between {
    async fn exchange(&self, request: Request) -> Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().context("a path")?.as_str().to_owned();
        let body = told(&self.asked, &path, to_bytes(body, LONGEST).await?);
        let answer = self
            .client
            .request(parts.method, format!("{}{path}", self.server))
            .headers(end_to_end(&parts.headers))
            .body(body)
            .send()
            .await?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = end_to_end(answer.headers());
        *response.body_mut() = Body::from(told(&self.answered, &path, answer.bytes().await?));
        Ok(response)
    }
}

/// A JSON body with the lie told about it; anything else as it came.
fn told(lie: &Lie, path: &str, body: Bytes) -> Bytes {
    let Ok(honest) = serde_json::from_slice::<Value>(&body) else { return body };
    let mut value = honest.clone();
    lie(path, &mut value);
    if value == honest { body } else { value.to_string().into() }
}

/// Without what belongs to one connection or one length.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
        headers.remove(name);
    }
    headers
}

const LONGEST: usize = 64 << 20;
