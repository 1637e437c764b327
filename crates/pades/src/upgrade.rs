//! Raising a signed document to B-T, B-LT or B-LTA, and renewing its archive (ETSI EN 319 142-1, 5.4 and 6), whoever
//! signed it: a machine without I/O that says what it needs and takes the answers.
//!
//! ```text
//! begin ─▶ poll ─▶ Ask(Timestamp over D)          a signature has no proven time       + document time stamp   B-T
//!            │  ─▶ Ask(Ocsp of X), Ask(Crl at U)  what nobody in the file answers yet  + security store        B-LT
//!            │  ─▶ Ask(Timestamp over D)                                               + document time stamp   B-LTA
//!            └──▶ Done(Upgraded): verified again, with everything in the file
//! ```
//!
//! Signatures are never opened: an embedded one cannot take a time stamp without breaking those after it, so a document
//! time stamp proves its time. Status is asked after the time that is proven, so that it speaks about it. All goes into
//! one store, nothing is taken out, and there is no VRI. A document that is B-LTA already gets what its last stamp needs,
//! and another stamp.
//!
//! Locks and certification stay respected: security stores and document time stamps are the one thing that PAdES allows
//! even under DocMDP P=1 (ISO 32000-2, 12.8.2.2.2). Acrobat is reported to call a certified P=1 document changed by any
//! further byte, these included; whoever must please it raises such a document before it is certified.
//!
//! Only certificates that lead to the anchors are asked about, so an address in a made-up certificate is never called.

mod collect;
mod error;

use time::OffsetDateTime;

use self::collect::{Collection, Question};
pub use self::error::UpgradeRefused;
use crate::{
    complete::SignedTail,
    digest::{Digest, Midstate},
    document_timestamp::{PreparedTimestamp, prepare_timestamp},
    dss::prepare_dss,
    index::BaseIndex,
    intake::ingest,
    ocsp::OcspRequest,
    pdf::File,
    source::{Concat, Source},
    tsp::TimestampRequest,
    verify::{
        Indication, Kind, Level, Report, Revocation, SubIndication, VerifyPolicy,
        evaluate::{Examined, examine},
    },
    x509::{Certificate, path::Purpose},
};

/// How far a document is to be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Every signature has a proven time.
    T,
    /// And the file holds chains and status of all who have to be believed.
    Lt,
    /// And a document time stamp covers that.
    Lta,
}

/// What the machine asks for. Answer with [`Upgrade::answer`] or [`Upgrade::unanswered`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A time stamp (RFC 3161): post `request` as `application/timestamp-query`.
    Timestamp {
        /// What is stamped.
        digest: Digest,
        /// `TimeStampReq`, DER.
        request: Vec<u8>,
    },
    /// The status of a certificate (RFC 6960): post `request` as `application/ocsp-request`.
    Ocsp {
        /// Whose.
        certificate: Certificate,
        /// Where its issuer says to ask.
        url: String,
        /// `OCSPRequest`, DER.
        request: Vec<u8>,
    },
    /// A revocation list: get it.
    Crl {
        /// Where the issuer keeps it.
        url: String,
    },
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Get this first.
    Ask(Need),
    /// All there is to do is done.
    Done(Box<Upgraded>),
}

/// A raised document: base and tail together are the new file.
#[derive(Debug, Clone, PartialEq)]
pub struct Upgraded {
    /// What is appended to the base; empty if it was good enough already.
    pub tail: Vec<u8>,
    /// SHA-256 of the whole new file.
    pub sha256: Digest,
    /// The hash at its end.
    pub midstate: Midstate,
    /// What the next revision needs.
    pub index: BaseIndex,
    /// The verification of the new file.
    pub report: Report,
}

/// One document on its way up.
pub struct Upgrade<'a> {
    base: &'a dyn Source,
    policy: VerifyPolicy<'a>,
    target: Target,
    /// Randomness of the caller: nonces and file identities come from it.
    entropy: [u8; 16],
    nonces: u64,
    tail: Vec<u8>,
    index: BaseIndex,
    midstate: Midstate,
    stage: Stage,
}

/// Where the machine stands.
enum Stage {
    /// To be looked at.
    Looking,
    /// Waits for a document time stamp; whether it is the one over the store.
    Stamping { prepared: Box<PreparedTimestamp>, request: TimestampRequest, archive: bool },
    /// Gathers status; what was asked last.
    Collecting { collection: Box<Collection>, asked: Option<Asked> },
    /// All revisions are appended.
    Finishing,
}

/// A question that waits for its answer.
struct Asked {
    question: Question,
    /// What the answer is held against; a list speaks for itself.
    request: Option<OcspRequest>,
    need: Need,
}

impl<'a> Upgrade<'a> {
    /// Takes up a document. `entropy` is fresh randomness; of `policy`, time and revocation are set by the machine.
    ///
    /// # Errors
    /// [`UpgradeRefused::Intake`] for what cannot be signed either: encrypted, broken.
    pub fn begin(
        base: &'a dyn Source,
        policy: &VerifyPolicy<'a>,
        target: Target,
        entropy: [u8; 16],
    ) -> Result<Self, UpgradeRefused> {
        let taken = ingest(base, &policy.limits)?;
        Ok(Self {
            base,
            policy: VerifyPolicy { revocation: Revocation::IfAvailable, ..policy.clone() },
            target,
            entropy,
            nonces: 0,
            tail: Vec::new(),
            index: taken.index,
            midstate: taken.midstate,
            stage: Stage::Looking,
        })
    }

    /// Goes on as far as possible without an answer. Asking again before answering gives the same question.
    ///
    /// # Errors
    /// [`UpgradeRefused`]: nothing is to be written.
    pub fn poll(&mut self, now: OffsetDateTime) -> Result<Step, UpgradeRefused> {
        loop {
            match &mut self.stage {
                Stage::Looking => self.look(now)?,
                Stage::Stamping { prepared, request, .. } => {
                    let (digest, request) = (prepared.digest, request.as_der().to_vec());
                    return Ok(Step::Ask(Need::Timestamp { digest, request }));
                }
                Stage::Collecting { asked: Some(asked), .. } => return Ok(Step::Ask(asked.need.clone())),
                Stage::Collecting { collection, asked: None } => {
                    match collection.question(&self.policy, now)? {
                        Some(question) => self.ask(question)?,
                        None => self.keep(now)?,
                    }
                }
                Stage::Finishing => return self.finish(now).map(Step::Done),
            }
        }
    }

    /// Takes the answer to the last question.
    ///
    /// An unusable status is only noted: the next source is asked. A time stamp that is not over what was asked ends it.
    ///
    /// # Errors
    /// [`UpgradeRefused::Timestamp`], [`UpgradeRefused::Complete`].
    pub fn answer(&mut self, answer: &[u8], now: OffsetDateTime) -> Result<(), UpgradeRefused> {
        let provider = self.policy.provider;
        match &mut self.stage {
            Stage::Stamping { request, .. } => {
                let token = request.accept(answer, provider)?;
                if let Stage::Stamping { prepared, archive, .. } =
                    std::mem::replace(&mut self.stage, Stage::Looking)
                {
                    let SignedTail { tail, index, midstate, .. } = prepared.complete(&token)?;
                    self.append(&tail, index, midstate);
                    if archive {
                        self.stage = Stage::Finishing;
                    }
                }
            }
            Stage::Collecting { collection, asked } => match asked.take() {
                Some(Asked { question, request: Some(request), .. }) => {
                    collection.hear(&question, &request, answer, now, provider);
                }
                Some(Asked { question, request: None, .. }) => collection.take_list(&question, answer),
                None => {}
            },
            Stage::Looking | Stage::Finishing => {}
        }
        Ok(())
    }

    /// Nobody answered the last question, for this reason.
    ///
    /// # Errors
    /// [`UpgradeRefused::Unanswered`] for a time stamp, without which nothing goes on. Ask again later.
    pub fn unanswered(&mut self, why: &str) -> Result<(), UpgradeRefused> {
        match &mut self.stage {
            Stage::Stamping { .. } => return Err(UpgradeRefused::Unanswered(why.to_owned())),
            Stage::Collecting { collection, asked } => {
                if let Some(asked) = asked.take() {
                    collection.note(&asked.question, why);
                }
            }
            Stage::Looking | Stage::Finishing => {}
        }
        Ok(())
    }

    fn look(&mut self, now: OffsetDateTime) -> Result<(), UpgradeRefused> {
        let examined = self.examined(now)?;
        acceptable(&examined.report)?;
        let timeless = |subject: &crate::verify::trust::Subject| {
            subject.purpose == Purpose::DocumentSigning && subject.proven.is_none()
        };
        self.stage = if examined.subjects.iter().any(timeless) {
            self.stamp(false)?
        } else if self.target == Target::T {
            Stage::Finishing
        } else {
            Stage::Collecting { collection: Box::new(Collection::of(examined)), asked: None }
        };
        Ok(())
    }

    fn ask(&mut self, question: Question) -> Result<(), UpgradeRefused> {
        let nonce = self.nonce();
        let (need, request) = match &question {
            Question::Ocsp { certificate, issuer, url } => {
                let request = OcspRequest::new(certificate, issuer, Some(nonce))?;
                let need = Need::Ocsp {
                    certificate: certificate.clone(),
                    url: url.clone(),
                    request: request.as_der().to_vec(),
                };
                (need, Some(request))
            }
            Question::Crl { url, .. } => (Need::Crl { url: url.clone() }, None),
        };
        if let Stage::Collecting { asked, .. } = &mut self.stage {
            *asked = Some(Asked { question, request, need });
        }
        Ok(())
    }

    /// Everything is known: into the store with it.
    fn keep(&mut self, now: OffsetDateTime) -> Result<(), UpgradeRefused> {
        let Stage::Collecting { collection, .. } = &self.stage else { return Ok(()) };
        let content = collection.content(&self.policy, now)?;
        let source = Concat { base: self.base, tail: &self.tail };
        let seed = self.seed();
        if let Some(store) = prepare_dss(&source, &self.index, &self.midstate, &content, &seed)? {
            self.append(&store.tail, store.index, store.midstate);
        }
        self.stage = if self.target == Target::Lta { self.stamp(true)? } else { Stage::Finishing };
        Ok(())
    }

    fn stamp(&mut self, archive: bool) -> Result<Stage, UpgradeRefused> {
        let source = Concat { base: self.base, tail: &self.tail };
        let prepared = Box::new(prepare_timestamp(&source, &self.index, &self.midstate, &self.seed())?);
        let request = prepared.request(self.nonce())?;
        Ok(Stage::Stamping { prepared, request, archive })
    }

    /// Nothing is handed out that does not verify as what was asked for.
    fn finish(&mut self, now: OffsetDateTime) -> Result<Box<Upgraded>, UpgradeRefused> {
        let report = self.examined(now)?.report;
        acceptable(&report)?;
        let wanted = match self.target {
            Target::T => Level::BT,
            Target::Lt => Level::BLt,
            Target::Lta => Level::BLta,
        };
        let short = report.signatures.iter().find(|one| one.level != Level::None && one.level < wanted);
        if let Some(one) = short {
            return Err(UpgradeRefused::NotReached { field: one.field.clone(), level: one.level });
        }
        Ok(Box::new(Upgraded {
            tail: std::mem::take(&mut self.tail),
            sha256: report.sha256,
            midstate: self.midstate.clone(),
            index: self.index.clone(),
            report,
        }))
    }

    fn examined(&self, now: OffsetDateTime) -> Result<Examined, UpgradeRefused> {
        let source = Concat { base: self.base, tail: &self.tail };
        let file = File::open(&source, &self.policy.limits)?;
        Ok(examine(&file, &VerifyPolicy { at: now, ..self.policy.clone() })?)
    }

    fn append(&mut self, tail: &[u8], index: BaseIndex, midstate: Midstate) {
        self.tail.extend_from_slice(tail);
        self.index = index;
        self.midstate = midstate;
    }

    fn nonce(&mut self) -> [u8; 16] {
        self.nonces += 1;
        self.derived(self.nonces)
    }

    fn seed(&self) -> [u8; 16] {
        self.derived(0)
    }

    /// Sixteen bytes that nobody can foretell who does not know the caller's.
    fn derived(&self, number: u64) -> [u8; 16] {
        let mixed = Digest::of(&[self.entropy.as_slice(), &number.to_be_bytes()].concat());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&mixed.0[..16]);
        bytes
    }
}

/// Only what holds is worth archiving: a proof of existence makes nothing valid that is not.
fn acceptable(report: &Report) -> Result<(), UpgradeRefused> {
    if !report.signatures.iter().any(|one| one.kind != Kind::DocumentTimestamp) {
        return Err(UpgradeRefused::NoSignature);
    }
    match report.signatures.iter().find(|one| one.indication != Indication::TotalPassed) {
        None => Ok(()),
        Some(one) => Err(UpgradeRefused::NotValid {
            field: one.field.clone(),
            sub_indication: one.sub_indication.unwrap_or(SubIndication::TryLater),
            reason: report.reason.clone(),
        }),
    }
}
