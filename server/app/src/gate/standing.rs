//! What OCSP and CRL say about a SIM's certificate, just before a prompt: a PIN is not asked for in vain.
//!
//! Every certificate of the chain below the gate's own root is asked about, by OCSP and, without a usable answer, by
//! CRL. What cannot be told now is a reason to wait, never one to ask the SIM anyway.

use time::OffsetDateTime;
use trinhky_pades::crl::Crl;
use trinhky_pades::crypto::Provider;
use trinhky_pades::ocsp::OcspRequest;
use trinhky_pades::x509::path::{PathInputs, PathProblem, RevocationMode, validate};
use trinhky_pades::x509::{Certificate, RevocationData, TrustAnchors};

use crate::ambient::Random;
use crate::gateways::revocation::Revocation;

/// Why no prompt may be raised on a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoStanding {
    /// It will not get better by waiting.
    #[error("the certificate is not good: {0}")]
    Bad(String),
    /// Nobody could be asked.
    #[error("revocation_unavailable: {0}")]
    Unknown(String),
}

/// Whom to ask, and whom to believe.
pub(super) struct Inquiry<'a> {
    pub(super) anchors: &'a TrustAnchors,
    pub(super) revocation: &'a Revocation,
    pub(super) provider: &'a dyn Provider,
    pub(super) random: &'a dyn Random,
}

impl Inquiry<'_> {
    /// Everything said about a certificate that stands now.
    ///
    /// # Errors
    /// [`NoStanding`] says whether to wait.
    pub(super) async fn about(
        &self,
        certificate: &[u8],
        chain: &[Vec<u8>],
        now: OffsetDateTime,
    ) -> Result<RevocationData, NoStanding> {
        let bad = |error: &dyn std::fmt::Display| NoStanding::Bad(error.to_string());
        let leaf = Certificate::from_der(certificate).map_err(|error| bad(&error))?;
        let issuers: Result<Vec<_>, _> = chain.iter().map(|der| Certificate::from_der(der)).collect();
        let issuers = issuers.map_err(|error| bad(&error))?;
        let none = RevocationData::none();
        let inputs = |revocation, mode| PathInputs {
            candidates: &issuers,
            revocation,
            mode,
            ..PathInputs::new(self.anchors, now)
        };
        let path = validate(&leaf, &inputs(&none, RevocationMode::Off), self.provider)
            .map_err(|error| bad(&error))?;
        let mut said = RevocationData::none();
        for pair in path.certificates.windows(2) {
            let [certificate, issuer] = pair else { continue };
            self.ask(certificate, issuer, &mut said, now).await?;
        }
        match validate(&leaf, &inputs(&said, RevocationMode::Require), self.provider) {
            Ok(_) => Ok(said),
            Err(failure) => match failure.problem {
                PathProblem::RevocationUnknown | PathProblem::RevocationWeak(_) => {
                    Err(NoStanding::Unknown(failure.to_string()))
                }
                _ => Err(bad(&failure)),
            },
        }
    }

    async fn ask(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        said: &mut RevocationData,
        now: OffsetDateTime,
    ) -> Result<(), NoStanding> {
        let mut why = Vec::new();
        if let Some(url) = certificate.ocsp_url() {
            match self.ocsp(url, certificate, issuer, said, now).await {
                Ok(()) => return Ok(()),
                Err(error) => why.push(error),
            }
        }
        if let Some(url) = certificate.crl_url() {
            match self.revocation.crl(url).await.map(|der| Crl::from_der(&der)) {
                Ok(Ok(crl)) => {
                    said.crls.push(crl);
                    return Ok(());
                }
                Ok(Err(error)) => why.push(error.to_string()),
                Err(error) => why.push(error.to_string()),
            }
        }
        Err(NoStanding::Unknown(why.join("; ")))
    }

    async fn ocsp(
        &self,
        url: &str,
        certificate: &Certificate,
        issuer: &Certificate,
        said: &mut RevocationData,
        now: OffsetDateTime,
    ) -> Result<(), String> {
        let request = OcspRequest::new(certificate, issuer, Some(self.random.bytes())).map_err(text)?;
        let answer = self.revocation.ocsp(url, request.as_der().to_vec()).await.map_err(text)?;
        let status = request.accept(&answer, now, self.provider).map_err(text)?;
        said.ocsps.push(status.response);
        Ok(())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
