//! What a verification may lean on besides the trust anchors: certificates, CRLs and OCSP responses from the caller,
//! the signatures themselves and the document's security store; for each list and response since when the file holds it.

use std::collections::{HashMap, HashSet};

use super::VerifyPolicy;
use crate::{
    digest::Digest,
    pdf::{File, Object, PdfError},
    x509::{Certificate, path::Evidence, path::RevocationData},
};

/// Most streams taken from one array of a security store.
const MOST: usize = 1024;
/// Most bytes taken from a security store.
const BYTES: usize = 64 << 20;

/// Certificates and revocation data, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Material {
    /// Certificates.
    pub(crate) certificates: Vec<Certificate>,
    /// CRLs and OCSP responses.
    pub(crate) revocation: RevocationData,
    /// Which certificates are there.
    known: HashSet<Certificate>,
    /// The lists and responses by their SHA-256, with the revision that brought each into the file; `None` for what only the
    /// caller has.
    since: HashMap<Digest, Option<usize>>,
    /// Whether the latest revision has a security store that holds anything.
    pub(super) has_store: bool,
}

impl Material {
    /// What the caller gave.
    pub(super) fn given(policy: &VerifyPolicy<'_>) -> Self {
        let mut material = Self::default();
        material.add(policy.certificates, policy.crls.to_vec(), policy.ocsp_responses.to_vec(), None);
        material
    }

    /// Adds what revision `since` brought, or what the caller has beside the file.
    pub(crate) fn add(
        &mut self,
        certificates: &[Certificate],
        crls: Vec<Vec<u8>>,
        responses: Vec<Vec<u8>>,
        since: Option<usize>,
    ) {
        for certificate in certificates {
            if self.known.insert(certificate.clone()) {
                self.certificates.push(certificate.clone());
            }
        }
        // What cannot be read proves nothing, good or bad: it is as if it were not there.
        for crl in crls {
            let digest = Digest::of(&crl);
            if self.is_new(digest, since) && self.revocation.add_crl_der(&crl).is_ok() {
                self.since.insert(digest, since);
            }
        }
        for response in responses {
            let digest = Digest::of(&response);
            if self.is_new(digest, since) && self.revocation.add_ocsp_der(&response).is_ok() {
                self.since.insert(digest, since);
            }
        }
    }

    /// Whether it was not there yet; what was, may have come earlier than was known.
    fn is_new(&mut self, digest: Digest, since: Option<usize>) -> bool {
        let Some(known) = self.since.get_mut(&digest) else { return true };
        *known = known.iter().copied().chain(since).min();
        false
    }

    /// The first revision by which the file holds all of `evidence`; `None` if it does not.
    pub(super) fn held_since(&self, evidence: &[Evidence]) -> Option<usize> {
        let mut latest = 0;
        for one in evidence {
            let parts: Vec<Digest> = match one {
                Evidence::Ocsp(status) => vec![status.response.sha256()],
                Evidence::Crls(lists) => lists.iter().map(crate::crl::Crl::sha256).collect(),
                Evidence::NotChecked | Evidence::Missing => return None,
            };
            for digest in parts {
                latest = latest.max(self.brought(&digest)?);
            }
        }
        Some(latest)
    }

    /// The revision that brought this answer or list into the file; `None` for what only the caller has.
    pub(super) fn brought(&self, sha256: &Digest) -> Option<usize> {
        self.since.get(sha256).copied().flatten()
    }

    /// Whether anything is not in the file.
    pub(super) fn has_foreign(&self) -> bool {
        self.since.values().any(Option::is_none)
    }

    /// The same with only the lists and responses that the file held at `revision`.
    pub(super) fn as_of(&self, revision: usize) -> Self {
        let held = |digest: Digest| self.brought(&digest).is_some_and(|since| since <= revision);
        let mut material = self.clone();
        material.revocation.ocsps.retain(|response| held(response.sha256()));
        material.revocation.crls.retain(|crl| held(crl.sha256()));
        material
    }

    /// Adds the document's security store. What cannot be read is left out: it can only be missing then.
    pub(super) fn add_store(&mut self, file: &File<'_>) {
        let mut left = BYTES;
        for (key, kind) in [("Certs", Kind::Certificate), ("CRLs", Kind::List), ("OCSPs", Kind::Response)] {
            for (der, since) in stored(file, key, &mut left).unwrap_or_default() {
                self.has_store = true;
                match kind {
                    Kind::Certificate => {
                        if let Ok(certificate) = Certificate::from_der(&der) {
                            self.add(&[certificate], Vec::new(), Vec::new(), Some(since));
                        }
                    }
                    Kind::List => self.add(&[], vec![der], Vec::new(), Some(since)),
                    Kind::Response => self.add(&[], Vec::new(), vec![der], Some(since)),
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Certificate,
    List,
    Response,
}

/// The streams of one array of the latest store, each with the revision that wrote it.
fn stored(file: &File<'_>, key: &str, left: &mut usize) -> Result<Vec<(Vec<u8>, usize)>, PdfError> {
    let view = file.latest();
    let store = view.dict(&view.root()?, "DSS")?;
    let mut found = Vec::new();
    for item in view.array(&store, key)?.iter().take(MOST) {
        let Ok(Object::Stream(stream)) = view.resolve(item) else { continue };
        let Ok(decoded) = view.decode(&stream) else { continue };
        let Some(rest) = left.checked_sub(decoded.data.len()) else { break };
        *left = rest;
        let writer = item.as_ref().and_then(|reference| view.located(reference.number));
        found.push((decoded.data, writer.map_or(view.revision(), |(_, revision)| revision)));
    }
    Ok(found)
}
