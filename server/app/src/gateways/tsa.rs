//! The time-stamp authority, by HTTP (RFC 3161 section 3.4). Request and answer are DER made and checked elsewhere.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Url, header};

use super::{GatewayError, outgoing};
use crate::config;

/// A token with a long chain is some 10 kB.
const LONGEST_ANSWER: usize = 256 * 1024;

/// Where time stamps come from.
#[derive(Debug)]
pub struct Tsa {
    client: Client,
    url: Url,
    timeout: Duration,
}

impl Tsa {
    pub(super) fn new(client: Client, config: &config::Tsa) -> anyhow::Result<Self> {
        let url = config.url.parse().with_context(|| format!("[tsa] url {:?}", config.url))?;
        Ok(Self { client, url, timeout: Duration::from_secs(config.timeout_seconds) })
    }

    /// An authority that somebody named on the command line.
    pub(crate) fn at(url: &str) -> anyhow::Result<Self> {
        let url = url.parse().with_context(|| format!("the time-stamp authority {url:?}"))?;
        Ok(Self { client: outgoing::client()?, url, timeout: Duration::from_secs(20) })
    }

    /// Sends a `TimeStampReq` and gives back what should be a `TimeStampResp`.
    ///
    /// # Errors
    /// [`GatewayError::Unavailable`] when nothing usable came in time.
    pub async fn ask(&self, request: Vec<u8>) -> Result<Vec<u8>, GatewayError> {
        let request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/timestamp-query")
            .body(request);
        outgoing::fetch("the time-stamp authority", request, self.timeout, LONGEST_ANSWER).await
    }
}
