//! What a verification answers, in the words of EN 319 102-1 and with the four questions of Kiên Giang Điều 11 khoản 1:
//! thông tin chữ ký, nội dung không đổi, chứng thư, dấu thời gian.
//!
//! The types serialise to the JSON of `trinhky verify`; integrators script it, so names do not change their meaning.

use serde::Serialize;
use time::OffsetDateTime;

use crate::changes::Change;
use crate::digest::Digest;

/// The answer for one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The file's name as the caller knows it; empty until the caller sets it.
    pub file: String,
    /// SHA-256 of the whole file.
    pub sha256: Digest,
    /// The answer for the file as a whole.
    pub verdict: Verdict,
    /// One entry per signature, in the order of the revisions they sign.
    pub signatures: Vec<SignatureReport>,
    /// One sentence for people: Vietnamese, then English.
    pub reason: String,
}

impl Report {
    /// Whether every signature passed and nothing forbidden was changed. A file without a signature has not passed.
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::TotalPassed
    }
}

/// The answer for a whole file: the worst of its signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// Every signature is TOTAL-PASSED.
    #[serde(rename = "TOTAL-PASSED")]
    TotalPassed,
    /// At least one signature is TOTAL-FAILED.
    #[serde(rename = "TOTAL-FAILED")]
    TotalFailed,
    /// None failed, at least one could not be decided.
    #[serde(rename = "INDETERMINATE")]
    Indeterminate,
    /// The file bears no signature.
    #[serde(rename = "NO-SIGNATURE")]
    NoSignature,
}

/// Status indication of one signature (EN 319 102-1, table 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Indication {
    /// Cryptography, constraints and certificates all hold.
    #[serde(rename = "TOTAL-PASSED")]
    TotalPassed,
    /// The signature is proven bad.
    #[serde(rename = "TOTAL-FAILED")]
    TotalFailed,
    /// The material at hand does not decide.
    #[serde(rename = "INDETERMINATE")]
    Indeterminate,
}

/// Why a signature did not pass (EN 319 102-1, tables 5 and 6): the names used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubIndication {
    /// The file, the signature dictionary or the CMS breaks the format, or bytes outside the signature are not
    /// what the format allows (which includes every forbidden change after signing).
    FormatFailure,
    /// The digest of the covered bytes is not the one that was signed.
    HashFailure,
    /// The signature value does not fit the signer's key.
    SigCryptoFailure,
    /// The certificate was revoked before the proven time of signing.
    Revoked,
    /// The proven time of signing lies after the certificate's end.
    Expired,
    /// The proven time of signing lies before the certificate's begin.
    NotYetValid,
    /// The signature breaks a constraint on its attributes (ESS, for instance).
    SigConstraintsFailure,
    /// The chain was built but breaks a constraint of RFC 5280.
    ChainConstraintsFailure,
    /// The chain could not be judged.
    CertificateChainGeneralFailure,
    /// An algorithm or key is too weak, and nothing proves that the signature was made while it was not.
    CryptoConstraintsFailureNoPoe,
    /// Time stamps contradict each other or the claimed time.
    TimestampOrderFailure,
    /// The signer's certificate is not there.
    NoSigningCertificateFound,
    /// No chain from the signer's certificate to a trust anchor.
    NoCertificateChainFound,
    /// Revoked, and nothing proves that the signature was made before.
    RevokedNoPoe,
    /// A certificate authority of the chain was revoked, and nothing proves that the signature was made before.
    RevokedCaNoPoe,
    /// The certificate is not valid now, and nothing proves that the signature was made while it was.
    OutOfBoundsNoPoe,
    /// Revocation is not known (yet).
    TryLater,
}

impl SubIndication {
    /// The indication that goes with it.
    pub fn indication(self) -> Indication {
        match self {
            Self::FormatFailure
            | Self::HashFailure
            | Self::SigCryptoFailure
            | Self::Revoked
            | Self::Expired
            | Self::NotYetValid => Indication::TotalFailed,
            _ => Indication::Indeterminate,
        }
    }
}

/// What the signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A person's or organisation's signature.
    Approval,
    /// A signature with a DocMDP transform.
    Certification,
    /// `/DocTimeStamp` of ETSI EN 319 142-1.
    DocumentTimestamp,
}

/// Baseline level of ETSI EN 319 142-1, as far as the file shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Level {
    /// Not a PAdES baseline signature.
    #[serde(rename = "none")]
    None,
    /// Basic: signing certificate attribute, no time of its own.
    #[serde(rename = "B-B")]
    BB,
    /// With a trusted time.
    #[serde(rename = "B-T")]
    BT,
    /// With the material to verify it later.
    #[serde(rename = "B-LT")]
    BLt,
    /// With that material under a document time stamp.
    #[serde(rename = "B-LTA")]
    BLta,
}

/// How much of the file the signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Everything there is, but its own value.
    WholeFile,
    /// A whole revision; later ones follow.
    WholeRevision,
    /// Anything else: never acceptable.
    Partial,
}

/// One answer with the reason when it is no, or a remark when it is yes with a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Whether the check passed.
    pub ok: bool,
    /// A stable code, or the remark `revocation_not_checked` on a passed certificate, or `null`.
    pub reason: Option<String>,
}

impl Check {
    /// Passed without remark.
    pub fn pass() -> Self {
        Self { ok: true, reason: None }
    }

    /// Passed, with something to know.
    pub fn pass_with(reason: &str) -> Self {
        Self { ok: true, reason: Some(reason.to_owned()) }
    }

    /// Not passed.
    pub fn fail(reason: &str) -> Self {
        Self { ok: false, reason: Some(reason.to_owned()) }
    }
}

/// The four questions of Kiên Giang Điều 11 khoản 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Thông tin chữ ký: the signature's form, its attributes and its value.
    pub signature: Check,
    /// Nội dung không đổi: the covered bytes, what is covered, and what came after.
    pub integrity: Check,
    /// Chứng thư: chain, period, revocation.
    pub certificate: Check,
    /// Dấu thời gian: present and valid. Its absence is `ok: false` with `no_timestamp` and does not fail the signature.
    pub timestamp: Check,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Signer {
    /// Subject, RFC 4514.
    pub subject: String,
    /// Common name, if there is one.
    pub common_name: String,
    /// E-mail address, from the subject alternative name or the subject.
    pub email: String,
    /// Organisation.
    pub organisation: String,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// SHA-256 of the certificate.
    pub sha256: String,
}

/// The answer for one signature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignatureReport {
    /// Full name of the field.
    pub field: String,
    /// What it is for.
    pub kind: Kind,
    /// `/SubFilter`, as written.
    pub sub_filter: String,
    /// Who signed; empty if the certificate could not be read.
    pub signer: Signer,
    /// `/M` or the CMS signing time: what the signer says.
    #[serde(with = "time::serde::rfc3339::option")]
    pub claimed_time: Option<OffsetDateTime>,
    /// genTime of the valid time stamp.
    #[serde(with = "time::serde::rfc3339::option")]
    pub timestamp_time: Option<OffsetDateTime>,
    /// Baseline level reached.
    pub level: Level,
    /// How much is covered.
    pub coverage: Coverage,
    /// The revision that it signs, from 1.
    pub revision: usize,
    /// Status.
    pub indication: Indication,
    /// Why it did not pass.
    pub sub_indication: Option<SubIndication>,
    /// The four checks.
    pub checks: Checks,
    /// What was changed after it, oldest first.
    pub later_changes: Vec<Change>,
}
