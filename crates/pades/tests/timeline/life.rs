//! The life of one document: provisioned, signed, and whatever comes later, on days that the test names.

#![allow(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

use std::fmt::Write as _;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use trinhky_pades::{
    BaseIndex, DssContent, Midstate, PreparedTimestamp, ProvisionPlan, SignRequest,
    cms::{ID_DATA, SignatureValue, assemble, check, signed_attributes},
    crypto::{self, Provider},
    ingest, pdf, prepare, prepare_dss, prepare_timestamp, provision,
    tsp::TimestampRequest,
    verify::{
        Indication, Kind, Level, Report, Revocation, SignatureReport, SubIndication, VerifyPolicy, verify,
    },
};

use super::{Keys, Timeline, Use};

/// The day of the signature.
pub(crate) const DAY: OffsetDateTime = datetime!(2026-03-02 09:00 +7);

pub(crate) fn years(count: i64) -> Duration {
    Duration::days(365 * count)
}

/// A document under way, and whom it involves.
pub(crate) struct Life {
    pub(crate) line: Timeline,
    pub(crate) bytes: Vec<u8>,
    pub(crate) index: BaseIndex,
    pub(crate) midstate: Midstate,
    /// Bytes kept free for a signature, if not as many as usual.
    pub(crate) reserve: Option<u32>,
}

impl Life {
    /// A provisioned page; `signer` and `tsa` for three years, `tsa2` for nine, `tsa3` for thirty.
    pub(crate) fn new() -> Self {
        Self::on(DAY)
    }

    pub(crate) fn on(day: OffsetDateTime) -> Self {
        Self::with(Keys::P256, day)
    }

    /// The same people with another kind of key, each of them.
    pub(crate) fn with(keys: Keys, day: OffsetDateTime) -> Self {
        let line = Timeline::new(keys, day - years(5), day + years(40));
        line.issue("signer", "ca", Use::Signing, day - years(1), day + years(2));
        line.issue("tsa", "ca", Use::Stamping, day - years(1), day + years(2));
        line.issue("tsa2", "ca", Use::Stamping, day - years(1), day + years(9));
        line.issue("tsa3", "ca", Use::Stamping, day - years(1), day + years(30));
        let page = pdf::minimal();
        let taken = ingest(&page, &pdf::Limits::default()).unwrap();
        let mut bytes = Vec::new();
        let made = provision(&page, &taken, &ProvisionPlan::standard(1), &mut bytes).unwrap();
        Self { line, bytes, index: made.index, midstate: made.midstate, reserve: None }
    }

    /// The same people with a page that was not provisioned, and small gaps: for files that should be small.
    pub(crate) fn small() -> Self {
        let life = Self::new();
        let bytes = pdf::minimal();
        let taken = ingest(&bytes, &pdf::Limits::default()).unwrap();
        Self { bytes, index: taken.index, midstate: taken.midstate, reserve: Some(4096), ..life }
    }

    pub(crate) fn append(&mut self, tail: &[u8], index: BaseIndex, midstate: Midstate) {
        self.bytes.extend_from_slice(tail);
        let again = ingest(&self.bytes, &pdf::Limits::default()).unwrap();
        assert_eq!(
            (again.midstate, again.sha256, again.index.size),
            (midstate.clone(), index.sha256, index.size)
        );
        self.index = index;
        self.midstate = midstate;
    }

    /// Signs, with the time stamp of an authority where one is named.
    pub(crate) fn sign(&mut self, at: OffsetDateTime, stamp: Option<&str>) {
        let certificate = self.line.certificate("signer");
        let mut request = SignRequest::new("Signer1", &certificate, at, [1; 16]);
        request.reserve = self.reserve;
        let prepared = prepare(&self.bytes, &self.index, &self.midstate, &request).unwrap();
        let attributes = signed_attributes(&prepared.digest, &certificate, ID_DATA).unwrap();
        let raw = self.line.value("signer", attributes.as_der());
        let value = SignatureValue::from_raw(&raw, &certificate).unwrap();
        let cms = assemble(&attributes, &value, &certificate, &[&self.line.certificate("ca")]).unwrap();
        let mut checked = check(&cms, &prepared.digest, &certificate, crypto::pure()).unwrap();
        if let Some(authority) = stamp {
            let asked = TimestampRequest::over(checked.signature_value(), [5; 16]).unwrap();
            let answer = self.line.stamp(authority, asked.as_der(), at);
            checked = checked.add_timestamp(&asked.accept(&answer, crypto::pure()).unwrap()).unwrap();
        }
        let signed = prepared.complete(&checked).unwrap();
        self.append(&signed.tail, signed.index, signed.midstate);
    }

    /// Signs as was done long ago, with a stamp by `tsa3` if there is a time for one.
    pub(crate) fn sign_with_sha1(
        &mut self,
        at: OffsetDateTime,
        stamp: Option<OffsetDateTime>,
        old_stamp: bool,
    ) {
        self.sign_as_others(at, |line, covered| {
            line.old_hash.set(true);
            let mut cms = line.detached("signer", &line.digest(covered));
            line.old_hash.set(old_stamp);
            if let Some(at) = stamp {
                cms = line.stamped(&cms, "tsa3", at);
            }
            line.old_hash.set(false);
            cms
        });
    }

    /// Signs with a message that was made elsewhere, over the bytes covered: it passes no gate.
    pub(crate) fn sign_as_others(
        &mut self,
        at: OffsetDateTime,
        message: impl FnOnce(&Timeline, &[u8]) -> Vec<u8>,
    ) {
        let certificate = self.line.certificate("signer");
        let request = SignRequest::new("Signer1", &certificate, at, [1; 16]);
        let prepared = prepare(&self.bytes, &self.index, &self.midstate, &request).unwrap();
        let [_, first, resume, _] = prepared.byte_range.map(|at| usize::try_from(at).unwrap());
        self.bytes.extend_from_slice(&prepared.tail);
        let covered = [&self.bytes[..first], &self.bytes[resume..]].concat();
        let cms = message(&self.line, &covered);
        let digits = cms.iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").unwrap();
            digits
        });
        self.bytes[first + 1..first + 1 + digits.len()].copy_from_slice(digits.as_bytes());
        let again = ingest(&self.bytes, &pdf::Limits::default()).unwrap();
        (self.index, self.midstate) = (again.index, again.midstate);
    }

    /// Puts OCSP answers of that moment about these into the security store, and the lists of root and `ca`.
    pub(crate) fn store(&mut self, about: &[&str], at: OffsetDateTime) {
        let content = DssContent {
            certs: vec![self.line.certificate("ca"), self.line.certificate("root")],
            ocsps: about.iter().map(|who| self.line.ocsp(who, at)).collect(),
            crls: vec![self.line.crl("root", at)],
        };
        self.store_these(&content);
    }

    /// Puts just these into the security store.
    pub(crate) fn store_these(&mut self, content: &DssContent) {
        let tail = prepare_dss(&self.bytes, &self.index, &self.midstate, content, &[2; 16]).unwrap().unwrap();
        self.append(&tail.tail, tail.index, tail.midstate);
    }

    /// A document time stamp, by way of what is stored between request and answer.
    pub(crate) fn archive(&mut self, authority: &str, at: OffsetDateTime) {
        let prepared = prepare_timestamp(&self.bytes, &self.index, &self.midstate, &[3; 16]).unwrap();
        let stored = serde_json::to_string(&prepared).unwrap();
        let prepared: PreparedTimestamp = serde_json::from_str(&stored).unwrap();
        let asked = prepared.request([6; 16]).unwrap();
        let answer = self.line.stamp(authority, asked.as_der(), at);
        let token = asked.accept(&answer, crypto::pure()).unwrap();
        let stamped = prepared.complete(&token).unwrap();
        self.append(&stamped.tail, stamped.index, stamped.midstate);
    }

    /// With what a verifier hears that day about the authorities of time stamps.
    pub(crate) fn report(&self, at: OffsetDateTime) -> Report {
        self.report_by(at, crypto::pure())
    }

    /// The same by another provider.
    pub(crate) fn report_by(&self, at: OffsetDateTime, provider: &dyn Provider) -> Report {
        let anchors = self.line.anchors();
        let responses: Vec<Vec<u8>> = ["tsa", "tsa2", "tsa3"].map(|who| self.line.ocsp(who, at)).to_vec();
        let lists = vec![self.line.crl("root", at)];
        let policy = VerifyPolicy {
            revocation: Revocation::Require,
            ocsp_responses: &responses,
            crls: &lists,
            ..VerifyPolicy::new(&anchors, at, provider)
        };
        verify(&self.bytes, &policy).unwrap()
    }

    pub(crate) fn report_if_available(&self, at: OffsetDateTime) -> Report {
        let anchors = self.line.anchors();
        verify(&self.bytes, &VerifyPolicy::new(&anchors, at, crypto::pure())).unwrap()
    }

    /// What is said about the signature at that time.
    pub(crate) fn at(&self, at: OffsetDateTime) -> (Indication, Option<SubIndication>, Level) {
        let report = self.report(at);
        let one = signature(&report);
        (one.indication, one.sub_indication, one.level)
    }
}

/// The signature of the document.
pub(crate) fn signature(report: &Report) -> &SignatureReport {
    report.signatures.iter().find(|one| one.kind == Kind::Approval).unwrap()
}
