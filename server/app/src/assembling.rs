//! From a raw signature value to a checked CMS: verified over our own digest with the pinned certificate, assembled as the
//! phone assembles it, and read back strictly before anybody relies on it.

use trinhky_pades::cms::{self, CheckedCms, ID_ENROLMENT, SignatureValue};
use trinhky_pades::x509::Certificate;

use crate::dossier::{Dossier, Work};
use crate::trust::Trust;

/// The value is not the pinned certificate's signature over what was prepared.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the signature does not fit: {0}")]
pub struct DoesNotFit(String);

/// Verifies the raw value and makes the CMS.
///
/// # Errors
/// [`DoesNotFit`].
pub fn assemble(dossier: &Dossier, raw: &[u8]) -> Result<Vec<u8>, DoesNotFit> {
    let wrong = |error: &dyn std::fmt::Display| DoesNotFit(error.to_string());
    let certificate = &dossier.certificate.0;
    let attributes = dossier.attributes().map_err(|error| DoesNotFit(format!("{error:?}")))?;
    let signer = Certificate::from_der(certificate).map_err(|error| wrong(&error))?;
    let value = SignatureValue::from_raw(raw, certificate).map_err(|error| wrong(&error))?;
    Trust::provider()
        .verify(value.algorithm(), signer.spki(), attributes.as_der(), value.as_bytes())
        .map_err(|error| wrong(&error))?;
    let chain: Vec<&[u8]> = dossier.chain.iter().map(|issuer| issuer.0.as_slice()).collect();
    let cms = cms::assemble(&attributes, &value, certificate, &chain).map_err(|error| wrong(&error))?;
    check(dossier, &cms)?;
    Ok(cms)
}

/// Reads a CMS back, as strictly as any reader of ours.
///
/// # Errors
/// [`DoesNotFit`].
pub fn check(dossier: &Dossier, cms: &[u8]) -> Result<Option<CheckedCms>, DoesNotFit> {
    let (content, certificate) = (dossier.content(), &dossier.certificate.0);
    match dossier.work {
        Work::Document { .. } => cms::check(cms, &content, certificate, Trust::provider())
            .map(Some)
            .map_err(|error| DoesNotFit(error.to_string())),
        Work::Enrolment { .. } => {
            cms::check_statement(cms, &content, certificate, ID_ENROLMENT, Trust::provider())
                .map(|_| None)
                .map_err(|error| DoesNotFit(error.to_string()))
        }
    }
}
