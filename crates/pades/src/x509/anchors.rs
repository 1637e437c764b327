//! What is trusted without being proved: root certificates, usually from PEM files.

use der::pem::Decoder;
use thiserror::Error;

use super::{Certificate, CertificateError, Name};

/// Root certificates. Trust covers name and key (RFC 5280 6.1.1 d); the root's own constraints are not applied to it,
/// but its validity is checked by [`super::path`] unless told otherwise.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors(Vec<Certificate>);

/// Why a PEM file gave no certificates.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AnchorsError {
    /// Not PEM, or a block that does not decode.
    #[error("the PEM text cannot be read")]
    Pem,
    /// A block is no certificate.
    #[error("certificate {nth} of the file: {cause}")]
    Certificate {
        /// Counted from 1.
        nth: usize,
        /// What is wrong with it.
        cause: CertificateError,
    },
    /// The file holds none.
    #[error("the file holds no certificate")]
    None,
}

impl TrustAnchors {
    /// These certificates.
    pub fn new(certificates: impl IntoIterator<Item = Certificate>) -> Self {
        Self(certificates.into_iter().collect())
    }

    /// All `CERTIFICATE` blocks of a PEM text.
    ///
    /// # Errors
    /// [`AnchorsError`] if one block is damaged or there is none: half a trust store is worse than none.
    pub fn from_pem(pem: &str) -> Result<Self, AnchorsError> {
        let found = certificates_from_pem(pem)?;
        if found.is_empty() { Err(AnchorsError::None) } else { Ok(Self(found)) }
    }

    /// Adds one.
    pub fn push(&mut self, certificate: Certificate) {
        self.0.push(certificate);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Certificate> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether exactly this certificate is an anchor.
    pub fn contains(&self, certificate: &Certificate) -> bool {
        self.0.contains(certificate)
    }

    pub(crate) fn named<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Certificate> {
        self.0.iter().filter(move |anchor| anchor.subject() == name)
    }
}

/// All certificates of a PEM text, other blocks (keys, CRLs) skipped.
///
/// # Errors
/// [`AnchorsError`] if a block is damaged.
pub fn certificates_from_pem(pem: &str) -> Result<Vec<Certificate>, AnchorsError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut found = Vec::new();
    let mut rest = pem;
    while let Some(begin) = rest.find(BEGIN) {
        let block = rest.get(begin..).unwrap_or_default();
        let end = block.find(END).ok_or(AnchorsError::Pem)? + END.len();
        let (block, after) = block.split_at_checked(end).ok_or(AnchorsError::Pem)?;
        let der = decode_block(block)?;
        let nth = found.len() + 1;
        found.push(Certificate::from_der(&der).map_err(|cause| AnchorsError::Certificate { nth, cause })?);
        rest = after;
    }
    Ok(found)
}

fn decode_block(block: &str) -> Result<Vec<u8>, AnchorsError> {
    // Files in the wild wrap at any width; the decoder wants 64 columns.
    let mut lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
    let (begin, end) = (lines.next().ok_or(AnchorsError::Pem)?, lines.next_back().ok_or(AnchorsError::Pem)?);
    let body: String = lines.collect();
    let mut text = format!("{begin}\n");
    for chunk in body.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(chunk).map_err(|_| AnchorsError::Pem)?);
        text.push('\n');
    }
    text.push_str(end);
    text.push('\n');
    let mut decoder = Decoder::new(text.as_bytes()).map_err(|_| AnchorsError::Pem)?;
    let mut der = Vec::new();
    decoder.decode_to_end(&mut der).map_err(|_| AnchorsError::Pem)?;
    Ok(der)
}
