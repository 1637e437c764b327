//! What the security store still lacks: for every certificate that has to be believed, the chain and a status from after
//! the time that is proven.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::UpgradeRefused;
use crate::{
    crl::Crl,
    crypto::{Effort, Provider},
    digest::Digest,
    dss::DssContent,
    ocsp::OcspRequest,
    verify::{
        VerifyPolicy,
        evaluate::Examined,
        level::Proofs,
        material::Material,
        trust::{Held, Subject},
    },
    x509::{
        Certificate,
        path::{self, Evidence, PathInputs, RevocationMode, ValidPath},
    },
};

/// Something to ask about a certificate.
#[derive(Debug, Clone)]
pub(super) enum Question {
    /// Its responder.
    Ocsp { certificate: Certificate, issuer: Certificate, url: String },
    /// The list of its issuer.
    Crl { certificate: Certificate, url: String },
}

/// Everybody who has to be believed, and what was heard about them.
pub(super) struct Collection {
    subjects: Vec<Subject>,
    material: Material,
    proofs: Proofs,
    /// Whom we asked, by certificate and address, and what went wrong with the answer.
    asked: BTreeMap<(Digest, String), Option<String>>,
    /// The lists among the answers.
    lists: Vec<Vec<u8>>,
    /// The OCSP responses among them.
    responses: Vec<Vec<u8>>,
    /// What one round may cost, and what the rounds before found out.
    effort: Effort,
}

/// A certificate below its issuer, and what its status rests on.
struct Link<'p> {
    certificate: &'p Certificate,
    issuer: &'p Certificate,
    evidence: &'p Evidence,
}

impl Collection {
    pub(super) fn of(examined: Examined) -> Self {
        let Examined { subjects, material, proofs, .. } = examined;
        let (asked, lists, responses, effort) = Default::default();
        Self { subjects, material, proofs, asked, lists, responses, effort }
    }

    /// The next question; `None` when all is known, or as much as will ever be.
    pub(super) fn question(
        &self,
        policy: &VerifyPolicy<'_>,
        now: OffsetDateTime,
    ) -> Result<Option<Question>, UpgradeRefused> {
        self.effort.renew();
        for subject in &self.subjects {
            let path = self.path(subject, policy, now)?;
            for link in links(&path) {
                if !is_settled(&link, subject, now)
                    && let Some(question) = self.open(link.certificate, link.issuer)
                {
                    return Ok(Some(question));
                }
                // A delegated responder that its issuer did not exempt has a status of its own.
                if let Evidence::Ocsp(status) = link.evidence
                    && status.responder != *link.issuer
                    && !status.responder.extensions().ocsp_no_check
                    && let Some(question) = self.open(&status.responder, link.issuer)
                {
                    return Ok(Some(question));
                }
            }
        }
        Ok(None)
    }

    /// What goes into the store.
    ///
    /// # Errors
    /// [`UpgradeRefused::RevocationUnknown`] if a status is missing after everybody was asked.
    pub(super) fn content(
        &self,
        policy: &VerifyPolicy<'_>,
        now: OffsetDateTime,
    ) -> Result<DssContent, UpgradeRefused> {
        self.effort.renew();
        let mut content = DssContent::default();
        for subject in &self.subjects {
            let path = self.path(subject, policy, now)?;
            for link in links(&path) {
                match link.evidence {
                    Evidence::Ocsp(status) => content.ocsps.push(status.response.as_der().to_vec()),
                    Evidence::Crls(lists) => {
                        content.crls.extend(lists.iter().map(|list| list.as_der().to_vec()));
                        content.certs.extend(lists.iter().flat_map(|list| self.issuers_of(list)));
                    }
                    Evidence::NotChecked | Evidence::Missing => return Err(self.unknown(link.certificate)),
                }
            }
            content.certs.extend(path.certificates.iter().map(|one| one.as_der().to_vec()));
        }
        // The status of a delegated responder is no link's evidence, and still somebody will ask for it.
        content.crls.extend(self.lists.iter().cloned());
        content.ocsps.extend(self.responses.iter().cloned());
        for kept in [&mut content.certs, &mut content.crls, &mut content.ocsps] {
            kept.sort();
            kept.dedup();
        }
        Ok(content)
    }

    /// Takes the answer of a responder.
    pub(super) fn hear(
        &mut self,
        question: &Question,
        request: &OcspRequest,
        answer: &[u8],
        now: OffsetDateTime,
        provider: &dyn Provider,
    ) {
        match request.accept(answer, now, provider) {
            Ok(status) => {
                let response = status.response.as_der().to_vec();
                self.asked.insert(question.key(), None);
                self.material.add(&[], Vec::new(), vec![response.clone()], None);
                self.responses.push(response);
            }
            Err(refused) => self.note(question, &refused.to_string()),
        }
    }

    /// Takes a list.
    pub(super) fn take_list(&mut self, question: &Question, answer: &[u8]) {
        match Crl::from_der(answer) {
            Ok(_) => {
                self.asked.insert(question.key(), None);
                self.material.add(&[], vec![answer.to_vec()], Vec::new(), None);
                self.lists.push(answer.to_vec());
            }
            Err(error) => self.note(question, &error.to_string()),
        }
    }

    /// Nothing usable came.
    pub(super) fn note(&mut self, question: &Question, why: &str) {
        self.asked.insert(question.key(), Some(why.to_owned()));
    }

    fn path(
        &self,
        subject: &Subject,
        policy: &VerifyPolicy<'_>,
        now: OffsetDateTime,
    ) -> Result<ValidPath, UpgradeRefused> {
        let at = subject.proven.unwrap_or(now);
        let held = Held { material: &self.material, proofs: &self.proofs, effort: &self.effort };
        let inputs = PathInputs {
            candidates: &self.material.certificates,
            revocation: &self.material.revocation,
            existence: Some(&held),
            mode: RevocationMode::IfAvailable,
            now: now.max(at),
            purpose: subject.purpose,
            ..PathInputs::new(policy.anchors, at)
        };
        path::validate_within(&subject.certificate, &inputs, policy.provider, &self.effort).map_err(
            |failure| UpgradeRefused::Untrusted {
                subject: subject.certificate.subject().to_string(),
                why: failure.to_string(),
            },
        )
    }

    /// What was not asked yet: the responder first, then the list.
    fn open(&self, certificate: &Certificate, issuer: &Certificate) -> Option<Question> {
        let ocsp = certificate.ocsp_url().map(|url| Question::Ocsp {
            certificate: certificate.clone(),
            issuer: issuer.clone(),
            url: url.to_owned(),
        });
        let crl = certificate
            .crl_url()
            .map(|url| Question::Crl { certificate: certificate.clone(), url: url.to_owned() });
        ocsp.into_iter().chain(crl).find(|question| !self.asked.contains_key(&question.key()))
    }

    fn unknown(&self, certificate: &Certificate) -> UpgradeRefused {
        let about = certificate.sha256();
        let mut why: Vec<String> = self
            .asked
            .iter()
            .filter(|((asked, _), _)| *asked == about)
            .map(|((_, url), why)| format!("{url}: {}", why.as_deref().unwrap_or("the answer says nothing")))
            .collect();
        if why.is_empty() {
            why.push("its certificate names neither responder nor list".to_owned());
        }
        UpgradeRefused::RevocationUnknown { subject: certificate.subject().to_string(), why: why.join("; ") }
    }

    /// Certificates that may have signed this list.
    fn issuers_of(&self, list: &Crl) -> Vec<Vec<u8>> {
        let named = self.material.certificates.iter().filter(|one| one.subject() == list.issuer());
        named.map(|one| one.as_der().to_vec()).collect()
    }
}

impl Question {
    fn key(&self) -> (Digest, String) {
        match self {
            Self::Ocsp { certificate, url, .. } | Self::Crl { certificate, url } => {
                (certificate.sha256(), url.clone())
            }
        }
    }
}

fn links(path: &ValidPath) -> impl Iterator<Item = Link<'_>> {
    let issuers = path.certificates.iter().skip(1);
    let pairs = path.certificates.iter().zip(issuers).zip(&path.evidence);
    pairs.map(|((certificate, issuer), evidence)| Link { certificate, issuer, evidence })
}

/// Whether the status is from after the time that counts, or nothing newer can speak about the certificate.
fn is_settled(link: &Link<'_>, subject: &Subject, now: OffsetDateTime) -> bool {
    let dated = match link.evidence {
        Evidence::Ocsp(status) => Some(status.this_update),
        Evidence::Crls(lists) => lists.iter().map(Crl::this_update).min(),
        Evidence::NotChecked | Evidence::Missing => None,
    };
    // Statuses are dated in whole seconds, time stamps may not be.
    let after = subject.stated.or(subject.proven).unwrap_or(now).saturating_sub(Duration::SECOND);
    dated.is_some_and(|dated| dated >= after || link.certificate.not_after() < now)
}
