//! OCSP responders (RFC 6960 Appendix A) and CRL distribution points.
//!
//! Their addresses come out of certificates, so they are asked only when the operator listed the host: otherwise whoever
//! makes a certificate could make this server call any address inside the agency.

use std::time::Duration;

use reqwest::{Client, Url, header};

use super::{GatewayError, outgoing};
use crate::config;

const LONGEST_OCSP: usize = 256 * 1024;
/// National CAs publish lists of some megabytes.
const LONGEST_CRL: usize = 32 * 1024 * 1024;

/// Whom we ask whether a certificate is revoked.
#[derive(Debug)]
pub struct Revocation {
    client: Client,
    /// `None`: a person at the command line asks, about certificates that lead to anchors of their own choice.
    allow: Option<Vec<String>>,
    timeout: Duration,
}

impl Revocation {
    /// Makes a client of its own; asks nobody yet.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn open(config: &config::Revocation) -> anyhow::Result<Self> {
        Ok(Self::new(outgoing::client()?, config))
    }

    pub(super) fn new(client: Client, config: &config::Revocation) -> Self {
        let allow = Some(config.allow.iter().map(|host| host.to_ascii_lowercase()).collect());
        Self { client, allow, timeout: Duration::from_secs(config.timeout_seconds) }
    }

    /// For the command line: asks whomever a trusted certificate names.
    pub(crate) fn unlisted() -> anyhow::Result<Self> {
        Ok(Self { client: outgoing::client()?, allow: None, timeout: Duration::from_secs(20) })
    }

    /// Sends an `OCSPRequest` to a responder that a certificate names.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn ocsp(&self, url: &str, request: Vec<u8>) -> Result<Vec<u8>, GatewayError> {
        let url = self.allowed(url)?;
        let request =
            self.client.post(url).header(header::CONTENT_TYPE, "application/ocsp-request").body(request);
        outgoing::fetch("the OCSP responder", request, self.timeout, LONGEST_OCSP).await
    }

    /// Fetches a list that a certificate names.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn crl(&self, url: &str) -> Result<Vec<u8>, GatewayError> {
        let request = self.client.get(self.allowed(url)?);
        outgoing::fetch("the CRL distribution point", request, self.timeout, LONGEST_CRL).await
    }

    /// The URL, when its parsed host (with its port, unless it is the scheme's own) is on the list.
    fn allowed(&self, url: &str) -> Result<Url, GatewayError> {
        let refused = || GatewayError::NotAllowed(url.chars().take(200).collect());
        let url: Url = url.parse().map_err(|_| refused())?;
        let host = url.host_str().ok_or_else(refused)?.to_ascii_lowercase();
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        let plain = url.username().is_empty() && url.password().is_none();
        let known_scheme = matches!(url.scheme(), "http" | "https");
        let listed = self.allow.as_ref().is_none_or(|allow| allow.contains(&host));
        if plain && known_scheme && listed { Ok(url) } else { Err(refused()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_are_asked() {
        let config = config::Revocation {
            allow: vec!["ocsp.ca.gov.vn".into(), "127.0.0.1:8088".into()],
            ..config::Revocation::default()
        };
        let revocation = Revocation::new(outgoing::client().expect("a client"), &config);
        for url in ["http://ocsp.ca.gov.vn/", "https://OCSP.ca.gov.vn/x", "http://127.0.0.1:8088/ocsp"] {
            assert!(revocation.allowed(url).is_ok(), "{url}");
        }
        for url in [
            "http://127.0.0.1/ocsp",
            "http://127.0.0.1:8089/",
            "http://ocsp.ca.gov.vn@10.0.0.1/",
            "http://user@ocsp.ca.gov.vn/",
            "http://ocsp.ca.gov.vn.evil.example/",
            "http://evil.example/ocsp.ca.gov.vn",
            "ldap://ocsp.ca.gov.vn/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(revocation.allowed(url).is_err(), "{url}");
        }
    }
}
