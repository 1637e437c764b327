//! Whom we believe, and whether a certificate stands *now*: chain to a configured anchor, validity, and what OCSP or the
//! CRL says about every certificate of the chain. Deciding is `trinhky-pades`'s; fetching is here.
//!
//! The answer about a leaf is asked for anew every time; answers about CAs are used again for a minute.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use time::{Duration, OffsetDateTime};
use trinhky_pades::crl::Crl;
use trinhky_pades::crypto::{Provider, aws_lc};
use trinhky_pades::ocsp::{OcspRequest, OcspResponse};
use trinhky_pades::x509::path::{
    PathFailure, PathInputs, PathProblem, Purpose, RevocationData, RevocationMode, validate,
};
use trinhky_pades::x509::{Certificate, TrustAnchors, certificates_from_pem};
use trinhky_protos::problem::Code;

use crate::app::App;
use crate::config;
use crate::error::ApiError;
use crate::gateways::GatewayError;

/// Anchors, intermediates, and what was heard about CAs.
pub struct Trust {
    /// The trust anchors.
    pub anchors: TrustAnchors,
    /// Certificates to build chains from, besides those in the signature.
    pub intermediates: Vec<Certificate>,
    heard: Mutex<HashMap<trinhky_pades::Digest, (OffsetDateTime, Answer)>>,
}

/// A certificate that stands, and everything that says so.
#[derive(Debug, Clone)]
pub struct Standing {
    /// From the leaf to the anchor.
    pub chain: Vec<Certificate>,
    /// What was said about each of them.
    pub revocation: RevocationData,
}

/// A certificate that does not stand, or of which that cannot be told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Untrusted {
    /// No chain to an anchor, or one that breaks a rule.
    #[error("the certificate is not trusted: {0}")]
    Invalid(String),
    /// Outside its validity.
    #[error("the certificate is outside its validity: {0}")]
    Expired(String),
    /// Revoked.
    #[error("the certificate is revoked: {0}")]
    Revoked(String),
    /// Neither OCSP nor CRL answered: ask again later.
    #[error("revocation cannot be told: {0}")]
    Unavailable(String),
}

#[derive(Clone)]
enum Answer {
    Ocsp(OcspResponse),
    Crl(Crl),
}

const CA_ANSWER_REUSED: Duration = Duration::minutes(1);

impl Trust {
    /// Reads the PEM files.
    ///
    /// # Errors
    /// When one cannot be read or holds no certificate.
    pub fn read(config: &config::Trust) -> anyhow::Result<Self> {
        let read = |paths: &[PathBuf]| -> anyhow::Result<Vec<Certificate>> {
            let mut found = Vec::new();
            for path in paths {
                let said = || format!("[trust] {}", path.display());
                let pem = std::fs::read_to_string(path).with_context(said)?;
                found.extend(certificates_from_pem(&pem).with_context(said)?);
            }
            Ok(found)
        };
        Ok(Self {
            anchors: TrustAnchors::new(read(&config.roots)?),
            intermediates: read(&config.intermediates)?,
            heard: Mutex::default(),
        })
    }

    /// Who checks signatures.
    pub fn provider() -> &'static dyn Provider {
        aws_lc()
    }

    /// The chain of a certificate at `now`, revocation not looked at.
    ///
    /// # Errors
    /// [`Untrusted::Invalid`], [`Untrusted::Expired`].
    pub fn chain(
        &self,
        leaf: &Certificate,
        with: &[Certificate],
        purpose: Purpose,
        now: OffsetDateTime,
    ) -> Result<Vec<Certificate>, Untrusted> {
        let none = RevocationData::none();
        self.path(leaf, with, purpose, RevocationMode::Off, &none, now)
    }

    fn path(
        &self,
        leaf: &Certificate,
        with: &[Certificate],
        purpose: Purpose,
        mode: RevocationMode,
        revocation: &RevocationData,
        now: OffsetDateTime,
    ) -> Result<Vec<Certificate>, Untrusted> {
        let candidates: Vec<Certificate> = self.intermediates.iter().chain(with).cloned().collect();
        let inputs = PathInputs {
            candidates: &candidates,
            revocation,
            mode,
            purpose,
            ..PathInputs::new(&self.anchors, now)
        };
        let path = validate(leaf, &inputs, Self::provider()).map_err(|failure| Untrusted::from(&failure))?;
        Ok(path.certificates)
    }

    fn heard(&self, about: &Certificate, now: OffsetDateTime) -> Option<Answer> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = heard.get(&about.sha256())?;
        (now - *at < CA_ANSWER_REUSED && *at <= now).then(|| answer.clone())
    }

    /// Keeps what was said about a CA; an answer about a leaf is used once.
    fn hear(&self, about: &Certificate, answer: Answer, now: OffsetDateTime) -> Answer {
        if !about.is_ca() {
            return answer;
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.retain(|_, (at, _)| now - *at < CA_ANSWER_REUSED);
        heard.insert(about.sha256(), (now, answer.clone()));
        answer
    }
}

/// Whether `leaf` stands now, asking for revocation where its chain says.
///
/// # Errors
/// [`Untrusted`].
pub async fn standing(
    app: &App,
    leaf: &Certificate,
    with: &[Certificate],
    purpose: Purpose,
) -> Result<Standing, Untrusted> {
    let now = app.clock.now();
    let chain = app.trust.chain(leaf, with, purpose, now)?;
    let mut revocation = RevocationData::default();
    for pair in chain.windows(2) {
        let [certificate, issuer] = pair else { continue };
        let answer = match app.trust.heard(certificate, now) {
            Some(answer) => answer,
            None => app.trust.hear(certificate, ask(app, certificate, issuer, now).await?, now),
        };
        answer.add_to(&mut revocation);
    }
    let chain = app.trust.path(leaf, with, purpose, RevocationMode::Require, &revocation, now)?;
    Ok(Standing { chain, revocation })
}

/// Asks the responder, and without a usable answer fetches the list.
async fn ask(
    app: &App,
    certificate: &Certificate,
    issuer: &Certificate,
    now: OffsetDateTime,
) -> Result<Answer, Untrusted> {
    let mut why = Vec::new();
    if let Some(url) = certificate.ocsp_url() {
        match ocsp(app, url, certificate, issuer, now).await {
            Ok(response) => return Ok(Answer::Ocsp(response)),
            Err(error) => why.push(error),
        }
    }
    if let Some(url) = certificate.crl_url() {
        match app.gateways.revocation.crl(url).await.map(|der| Crl::from_der(&der)) {
            Ok(Ok(crl)) => return Ok(Answer::Crl(crl)),
            Ok(Err(error)) => why.push(error.to_string()),
            Err(error) => why.push(error.to_string()),
        }
    }
    if why.is_empty() {
        why.push("the certificate names neither OCSP responder nor CRL".to_owned());
    }
    Err(Untrusted::Unavailable(why.join("; ")))
}

async fn ocsp(
    app: &App,
    url: &str,
    certificate: &Certificate,
    issuer: &Certificate,
    now: OffsetDateTime,
) -> Result<OcspResponse, String> {
    let request =
        OcspRequest::new(certificate, issuer, Some(app.random.bytes())).map_err(|error| error.to_string())?;
    let response = app
        .gateways
        .revocation
        .ocsp(url, request.as_der().to_vec())
        .await
        .map_err(|error: GatewayError| error.to_string())?;
    let status = request.accept(&response, now, Trust::provider()).map_err(|error| error.to_string())?;
    Ok(status.response)
}

impl Answer {
    fn add_to(self, data: &mut RevocationData) {
        match self {
            Self::Ocsp(response) => data.ocsps.push(response),
            Self::Crl(crl) => data.crls.push(crl),
        }
    }
}

impl From<&PathFailure> for Untrusted {
    fn from(failure: &PathFailure) -> Self {
        let said = failure.to_string();
        match failure.problem {
            PathProblem::Expired(_) | PathProblem::NotYetValid(_) => Self::Expired(said),
            PathProblem::Revoked(_) => Self::Revoked(said),
            PathProblem::RevocationUnknown | PathProblem::RevocationWeak(_) => Self::Unavailable(said),
            PathProblem::NoChain | PathProblem::TooManyPaths | PathProblem::Constraint(_) => {
                Self::Invalid(said)
            }
        }
    }
}

impl From<Untrusted> for ApiError {
    fn from(untrusted: Untrusted) -> Self {
        let code = match untrusted {
            Untrusted::Invalid(_) => Code::CertificateInvalid,
            Untrusted::Expired(_) => Code::CertificateExpired,
            Untrusted::Revoked(_) => Code::CertificateRevoked,
            Untrusted::Unavailable(_) => {
                return Self::new(Code::RevocationUnavailable).retry_after(30).because(untrusted);
            }
        };
        Self::new(code).with(untrusted.to_string())
    }
}
