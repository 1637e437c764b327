//! What a verification may lean on besides the trust anchors: certificates, CRLs and OCSP responses from the caller,
//! the signatures themselves and the document's security store.

use std::collections::HashSet;

use super::VerifyPolicy;
use crate::{
    pdf::{File, Object, PdfError},
    x509::{Certificate, path::RevocationData},
};

/// Most streams taken from one array of a security store.
const MOST: usize = 1024;
/// Most bytes taken from a security store.
const BYTES: usize = 64 << 20;

/// Certificates and revocation data, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Material {
    /// Certificates.
    pub(super) certificates: Vec<Certificate>,
    /// CRLs and OCSP responses.
    pub(super) revocation: RevocationData,
    /// Their DER, so that each is read once.
    known: HashSet<Vec<u8>>,
    /// The oldest revision whose security store holds anything.
    pub(super) store_since: Option<usize>,
}

impl Material {
    /// What the caller gave.
    pub(super) fn given(policy: &VerifyPolicy<'_>) -> Self {
        let mut material = Self { certificates: policy.certificates.to_vec(), ..Self::default() };
        material.add(&[], policy.crls.to_vec(), policy.ocsp_responses.to_vec());
        material
    }

    /// Adds what a signature carries.
    pub(super) fn add(&mut self, certificates: &[Certificate], crls: Vec<Vec<u8>>, responses: Vec<Vec<u8>>) {
        for certificate in certificates {
            if !self.certificates.contains(certificate) {
                self.certificates.push(certificate.clone());
            }
        }
        // What cannot be read proves nothing, good or bad: it is as if it were not there.
        for crl in crls {
            if !self.known.contains(&crl) && self.revocation.add_crl_der(&crl).is_ok() {
                self.known.insert(crl);
            }
        }
        for response in responses {
            if !self.known.contains(&response) && self.revocation.add_ocsp_der(&response).is_ok() {
                self.known.insert(response);
            }
        }
    }

    /// Adds the document's security store. What cannot be read is left out: it can only be missing then.
    pub(super) fn add_store(&mut self, file: &File<'_>) {
        let mut left = BYTES;
        let certificates = stored(file, "Certs", &mut left).unwrap_or_default();
        let certificates: Vec<Certificate> =
            certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
        let crls = stored(file, "CRLs", &mut left).unwrap_or_default();
        let responses = stored(file, "OCSPs", &mut left).unwrap_or_default();
        if !(certificates.is_empty() && crls.is_empty() && responses.is_empty()) {
            let has_store = |index: &usize| file.at(*index).root().is_ok_and(|root| root.contains("DSS"));
            self.store_since = (0..file.revisions().len()).find(has_store);
        }
        self.add(&certificates, crls, responses);
    }
}

fn stored(file: &File<'_>, key: &str, left: &mut usize) -> Result<Vec<Vec<u8>>, PdfError> {
    let view = file.latest();
    let store = view.dict(&view.root()?, "DSS")?;
    let mut found = Vec::new();
    for item in view.array(&store, key)?.iter().take(MOST) {
        let Ok(Object::Stream(stream)) = view.resolve(item) else { continue };
        let Ok(decoded) = view.decode(&stream) else { continue };
        let Some(rest) = left.checked_sub(decoded.data.len()) else { break };
        *left = rest;
        found.push(decoded.data);
    }
    Ok(found)
}
