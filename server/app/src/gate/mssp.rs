//! The socket to the mobile signature service: SOAP over mutual TLS, one connection per request, nothing followed.
//!
//! What was said is written and read by `trinhky-simpki`; here it is only carried. The one thing decided here is
//! whether a failure came **before TLS was up** (then no byte of the request has left) or after; it rests on the
//! connector having failed, which is why connections are never reused, redirects never followed and nothing retried.
//! Neither the password nor a number reaches a log: errors name the port and the kind of failure, never a body.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Client, Url};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use time::OffsetDateTime;
use trinhky_simpki::attempt::FailedAt;
use trinhky_simpki::ids::{ApPassword, MsspUri};
use trinhky_simpki::reply::Reply;
use trinhky_simpki::request::{CertificateQuery, Request};
use trinhky_simpki::ts102204::{read, write};

use crate::config;

/// The service, and who we are there.
#[derive(Debug)]
pub(super) struct Mssp {
    client: Client,
    base: Url,
    ap: write::Ap,
    timeout: Duration,
}

/// A request that brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no answer from the mobile signature service ({at:?}): {what}")]
pub(super) struct NoAnswer {
    /// Whether anything may have left.
    pub(super) at: FailedAt,
    /// What the libraries said, without address and body.
    pub(super) what: String,
}

impl Mssp {
    /// Reads certificates, key and password; asks nobody yet.
    ///
    /// # Errors
    /// When a file cannot be read or does not hold what it should, or the address is not `https`.
    pub(super) fn open(settings: &config::Gate) -> anyhow::Result<Self> {
        let mut base = Url::parse(&settings.mssp_url).context("gate.mssp_url")?;
        ensure!(base.scheme() == "https", "gate.mssp_url: the service is reached over https only");
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls(settings)?)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        let ap = write::Ap {
            id: settings.ap_id.parse().context("gate.ap_id")?,
            password: password(&settings.ap_password_file)?,
            mssp: mssp_uri()?,
            profile: write::Profile::default(),
        };
        Ok(Self { client, base, ap, timeout: Duration::from_secs(settings.timeout_seconds.into()) })
    }

    /// Carries what an attempt handed out, once, and brings back whatever was answered.
    ///
    /// # Errors
    /// [`NoAnswer`], which says whether the request may have arrived.
    pub(super) async fn ask(&self, request: &Request, now: OffsetDateTime) -> Result<Reply, NoAnswer> {
        self.carry(&write::request(&self.ap, request, now)).await
    }

    /// Asks for the certificates on a SIM.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub(super) async fn certificates(
        &self,
        query: &CertificateQuery,
        now: OffsetDateTime,
    ) -> Result<Reply, NoAnswer> {
        self.carry(&write::registration(&self.ap, query, now)).await
    }

    async fn carry(&self, message: &write::Message) -> Result<Reply, NoAnswer> {
        let port = message.port().path();
        let url = self
            .base
            .join(port)
            .map_err(|error| NoAnswer { at: FailedAt::BeforeTls, what: format!("{port}: {error}") })?;
        let sent = self
            .client
            .post(url)
            .header(http::header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")
            .timeout(self.timeout)
            .body(message.expose_body().to_owned())
            .send()
            .await;
        let mut response = sent.map_err(|error| lost(port, error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(port, error))? {
            // One byte beyond the limit is enough for the reader to refuse the body by its name.
            let room = (read::MAX_BODY + 1).saturating_sub(body.len());
            body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
            if body.len() > read::MAX_BODY {
                break;
            }
        }
        Ok(read::reply(status, &body))
    }
}

fn lost(port: &str, error: reqwest::Error) -> NoAnswer {
    let at = if error.is_connect() { FailedAt::BeforeTls } else { FailedAt::AfterSend };
    let error = error.without_url();
    NoAnswer { at, what: read::redact(&format!("{port}: {}", crate::gateways::chain(&error))) }
}

/// The service's own root and no other, our certificate, TLS 1.2 or 1.3.
fn tls(settings: &config::Gate) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for root in certificates(&settings.mssp_ca).context("gate.mssp_ca")? {
        roots.add(root).context("gate.mssp_ca")?;
    }
    let own = certificates(&settings.ap_cert).context("gate.ap_cert")?;
    let key = PrivateKeyDer::from_pem_file(&settings.ap_key).context("gate.ap_key")?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(own, key)
        .context("gate.ap_cert and gate.ap_key do not belong together")
}

fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)?.collect();
    let read = read?;
    ensure!(!read.is_empty(), "{} holds no certificate", path.display());
    Ok(read)
}

fn password(path: &Path) -> anyhow::Result<ApPassword> {
    let text = std::fs::read_to_string(path).context("gate.ap_password_file")?;
    text.trim_end_matches(['\r', '\n']).parse().context("gate.ap_password_file")
}

/// The name of the government's service in its own messages, whatever host it is reached at.
fn mssp_uri() -> anyhow::Result<MsspUri> {
    "http://hmssp.mobile-id.vn".parse().context("the service's name")
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
