//! How plain requests leave: no redirects, no proxy, time limits, and a cap on what is read.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};

use super::GatewayError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes aws-lc-rs the process's TLS provider. Harmless to repeat.
pub fn install_crypto() {
    // An error means that it is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The client for authorities that the settings name.
pub(super) fn client() -> anyhow::Result<Client> {
    Ok(builder().build()?)
}

/// What every client of ours has in common.
pub(super) fn builder() -> reqwest::ClientBuilder {
    install_crypto();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        // Whom the settings name is asked, and nobody whom the environment names.
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(30))
        .user_agent(concat!("trinhky/", env!("CARGO_PKG_VERSION")))
}

/// Sends, and reads at most `most` bytes of a successful answer.
pub(super) async fn fetch(
    who: &'static str,
    request: RequestBuilder,
    timeout: Duration,
    most: usize,
) -> Result<Vec<u8>, GatewayError> {
    let unavailable = |what: String| GatewayError::Unavailable { who, what };
    // reqwest's error texts carry the whole URL; authorities' URLs are no secret.
    let mut response = request.timeout(timeout).send().await.map_err(|error| unavailable(chain(&error)))?;
    if !response.status().is_success() {
        return Err(unavailable(format!("answered {}", response.status())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unavailable(chain(&error)))? {
        if body.len() + chunk.len() > most {
            return Err(unavailable(format!("the answer is longer than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error with its causes: the last one usually says what happened.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
