//! Verifying whole files with the server's own anchors: at the door, before the seal, before release, and on request.

use std::sync::Arc;

use time::OffsetDateTime;
use trinhky_domain::Digest;
use trinhky_domain::seal::SignatureCheck;
use trinhky_pades::cms;
use trinhky_pades::source::Source;
use trinhky_pades::tsp::{CheckedToken, Token};
use trinhky_pades::verify::{Indication, Report, Revocation, Verdict, VerifyPolicy, verify};
use trinhky_pades::x509::Certificate;
use trinhky_pades::x509::path::{Purpose, RevocationData};
use trinhky_protos::problem::Code;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::trust::{self, Standing, Trust, Untrusted};

/// Anchors and a moment; to be used in blocking tasks.
#[derive(Clone)]
pub struct Verifier {
    trust: Arc<Trust>,
    now: OffsetDateTime,
}

/// Everything known about the certificates behind the signatures of a file.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// Chains.
    pub certificates: Vec<Certificate>,
    /// OCSP responses and CRLs.
    pub revocation: RevocationData,
}

impl Verifier {
    /// With the application's anchors, now.
    pub fn of(app: &App) -> Self {
        Self { trust: app.trust.clone(), now: app.clock.now() }
    }

    /// Verifies with what the file holds and `material`.
    ///
    /// # Errors
    /// [`Code::BrokenPdf`] when the file cannot be read.
    pub fn report(
        &self,
        source: &dyn Source,
        material: &Material,
        revocation: Revocation,
    ) -> ApiResult<Report> {
        let certificates: Vec<Certificate> =
            self.trust.intermediates.iter().chain(&material.certificates).cloned().collect();
        let ocsps: Vec<Vec<u8>> =
            material.revocation.ocsps.iter().map(|response| response.as_der().to_vec()).collect();
        let crls: Vec<Vec<u8>> = material.revocation.crls.iter().map(|crl| crl.as_der().to_vec()).collect();
        let policy = VerifyPolicy {
            certificates: &certificates,
            ocsp_responses: &ocsps,
            crls: &crls,
            revocation,
            ..VerifyPolicy::new(&self.trust.anchors, self.now, Trust::provider())
        };
        verify(source, &policy).map_err(|error| ApiError::new(Code::BrokenPdf).with(error.to_string()))
    }

    /// Refuses a file in which a signature is proven bad. One by an authority we do not know is not: it says nothing.
    ///
    /// # Errors
    /// [`Code::InvalidSignaturePresent`], [`Code::BrokenPdf`].
    pub fn every_signature_present_is_valid(&self, source: &dyn Source) -> ApiResult<()> {
        let report = self.report(source, &Material::default(), Revocation::IfAvailable)?;
        match report.verdict {
            Verdict::TotalFailed => Err(ApiError::new(Code::InvalidSignaturePresent).with(report.reason)),
            Verdict::TotalPassed | Verdict::Indeterminate | Verdict::NoSignature => Ok(()),
        }
    }

    /// What the rules are told of each signature: revocation must be known, a time stamp must be there.
    ///
    /// # Errors
    /// [`Code::BrokenPdf`].
    pub fn checks(&self, source: &dyn Source, material: &Material) -> ApiResult<Vec<SignatureCheck>> {
        let report = self.report(source, material, Revocation::Require)?;
        let checks = report.signatures.iter().map(|found| {
            let passed = found.indication == Indication::TotalPassed && found.checks.timestamp.ok;
            if !passed {
                tracing::warn!(field = found.field, checks = ?found.checks, "a signature did not pass");
            }
            SignatureCheck {
                field: found.field.clone(),
                certificate: found.signer.sha256.parse().unwrap_or(Digest([0; 32])),
                passed,
                stamped: found.timestamp_time,
            }
        });
        Ok(checks.collect())
    }
}

impl Material {
    /// Adds what says that a certificate stands.
    pub fn add(&mut self, standing: Standing) {
        for certificate in standing.chain {
            if !self.certificates.contains(&certificate) {
                self.certificates.push(certificate);
            }
        }
        self.revocation.ocsps.extend(standing.revocation.ocsps);
        self.revocation.crls.extend(standing.revocation.crls);
    }
}

/// Asks now about signer and time-stamp authority of each CMS.
///
/// # Errors
/// [`Untrusted`], of the first that does not stand.
pub async fn material_of(app: &App, messages: &[Vec<u8>]) -> Result<Material, Untrusted> {
    let mut material = Material::default();
    for message in messages {
        let unreadable = |error: &dyn std::fmt::Display| Untrusted::Invalid(error.to_string());
        let message = cms::parse(message).map_err(|error| unreadable(&error))?;
        for signer in &message.signers {
            if let Some(certificate) = message.certificate_of(signer) {
                let standing =
                    trust::standing(app, certificate, &message.certificates, Purpose::DocumentSigning)
                        .await?;
                material.add(standing);
            }
            for token in signer.timestamp_tokens() {
                let token = Token::parse(token).map_err(|error| unreadable(&error))?;
                material.add(authority(app, &token).await?);
            }
        }
    }
    Ok(material)
}

/// The chain of the authority behind a fresh time stamp. Its revocation is asked when the document is released: a stamp
/// is checked again then, with everything else.
///
/// # Errors
/// [`Untrusted`].
pub fn authority_chain(app: &App, token: &CheckedToken) -> Result<(), Untrusted> {
    let candidates = token.certificates();
    app.trust.chain(token.certificate(), candidates, Purpose::TimeStamping, app.clock.now()).map(drop)
}

/// Asks now about the authority behind a time stamp.
///
/// # Errors
/// [`Untrusted`].
pub async fn authority(app: &App, token: &Token) -> Result<Standing, Untrusted> {
    let message = token.message();
    let signer = message.signers.first().and_then(|signer| message.certificate_of(signer));
    let certificate =
        signer.ok_or_else(|| Untrusted::Invalid("the time stamp names no certificate".to_owned()))?;
    trust::standing(app, certificate, token.certificates(), Purpose::TimeStamping).await
}
