//! Our own documents through our own verifier, and every way we know to forge one.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod common;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use job::{Job, text_page};
use pki::{Kind, Pki};
use time::OffsetDateTime;
use trinhky_pades::{
    Digest, DssContent, Fill, ProvisionPlan,
    changes::{ChangeKind, ManifestBroken, TailExpectation, TailRefused, check_manifest, check_tail},
    cms::{ID_DATA, SignatureValue, assemble, check, signed_attributes},
    crypto, ingest, intake_check,
    pdf::{File, Limits},
    prepare, prepare_dss, provision,
    tsp::TimestampRequest,
    verify::{Coverage, Level, Report, Revocation, SubIndication, Verdict, VerifyPolicy, verify},
    x509::TrustAnchors,
};

const NUMBER: &str = "29/2021/QĐ-UBND";
const DATE: &str = "ngày 14 tháng 12 năm 2021";

#[expect(clippy::disallowed_methods, reason = "the PKI is made now; the engine takes the time from here")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

struct Desk {
    pki: Pki,
    anchors: TrustAnchors,
}

impl Desk {
    fn new() -> Self {
        let pki = Pki::new();
        pki.signer("leader", Kind::Rsa(2048));
        pki.signer("seal", Kind::P256);
        let anchors = pki.anchors();
        Self { pki, anchors }
    }

    fn report(&self, bytes: &[u8]) -> Report {
        let now = now();
        verify(&bytes, &VerifyPolicy::new(&self.anchors, now, crypto::pure())).unwrap()
    }

    /// A provisioned document with the leader's signature.
    fn by_leader(&self) -> Job {
        let mut job = Job::new(&text_page(), &ProvisionPlan::standard(1));
        job.sign(&self.pki, "leader", "Signer1", |_| {});
        job
    }

    /// The same, numbered, dated and sealed.
    fn sealed(&self) -> Job {
        let mut job = self.by_leader();
        job.sign(&self.pki, "seal", "OrgSeal", |request| request.fills = fills());
        job
    }
}

fn fills() -> Vec<Fill> {
    [("DocNumber", NUMBER), ("DocDate", DATE)]
        .map(|(field, text)| Fill { field: field.to_owned(), text: text.to_owned() })
        .to_vec()
}

#[test]
fn the_main_job_passes() {
    let desk = Desk::new();
    let mut job = desk.sealed();
    let content = DssContent {
        certs: vec![desk.pki.certificate("ca"), desk.pki.certificate("root")],
        ..DssContent::default()
    };
    let dss = prepare_dss(&job.bytes, &job.index, &job.midstate, &content, &[9; 16]).unwrap().unwrap();
    job.append(&dss.tail, dss.index, dss.midstate);
    let report = desk.report(&job.bytes);
    assert_eq!(report.verdict, Verdict::TotalPassed, "{report:#?}");
    assert_eq!(report.sha256, Digest::of(&job.bytes));
    let [leader, seal] = report.signatures.as_slice() else { panic!("{report:#?}") };
    assert_eq!((leader.field.as_str(), seal.field.as_str()), ("Signer1", "OrgSeal"));
    assert_eq!((leader.level, leader.coverage), (Level::BB, Coverage::WholeRevision));
    assert_eq!(leader.signer.email, "an.nguyen@example.gov.vn");
    assert_eq!(leader.checks.certificate.reason.as_deref(), Some("revocation_not_checked"));
    assert_eq!(leader.checks.timestamp.reason.as_deref(), Some("no_timestamp"));
    let kinds: Vec<_> = leader.later_changes.iter().map(|change| (change.revision, change.kind)).collect();
    assert!(
        kinds.contains(&(3, ChangeKind::FormFill)) && kinds.contains(&(3, ChangeKind::Signature)),
        "{kinds:?}"
    );
    assert!(kinds.contains(&(4, ChangeKind::LtaUpdate)), "{kinds:?}");
    assert!(leader.later_changes.iter().any(|change| change.what.contains(NUMBER)));
    // The names that scripts rely on.
    let json = serde_json::to_value(&report).unwrap();
    for pointer in [
        "/file",
        "/sha256",
        "/verdict",
        "/reason",
        "/signatures/0/field",
        "/signatures/0/kind",
        "/signatures/0/sub_filter",
        "/signatures/0/signer/subject",
        "/signatures/0/signer/common_name",
        "/signatures/0/signer/organisation",
        "/signatures/0/signer/serial",
        "/signatures/0/signer/sha256",
        "/signatures/0/claimed_time",
        "/signatures/0/timestamp_time",
        "/signatures/0/level",
        "/signatures/0/coverage",
        "/signatures/0/indication",
        "/signatures/0/sub_indication",
        "/signatures/0/checks/signature/ok",
        "/signatures/0/checks/integrity/reason",
        "/signatures/0/checks/certificate/ok",
        "/signatures/0/checks/timestamp/ok",
        "/signatures/0/later_changes/0/revision",
        "/signatures/0/later_changes/0/kind",
        "/signatures/0/later_changes/0/allowed",
        "/signatures/0/later_changes/0/what",
    ] {
        assert!(json.pointer(pointer).is_some(), "{pointer}");
    }
    assert_eq!(json.pointer("/verdict").unwrap(), "TOTAL-PASSED");
    assert_eq!(json.pointer("/signatures/0/coverage").unwrap(), "whole-revision");
    assert_eq!(json.pointer("/signatures/0/level").unwrap(), "B-B");
    assert_eq!(json.pointer("/signatures/0/kind").unwrap(), "approval");
}

#[test]
fn strangers_and_missing_revocation_do_not_pass() {
    let desk = Desk::new();
    let job = desk.by_leader();
    let nobody = TrustAnchors::new([]);
    let now = now();
    let policy = VerifyPolicy::new(&nobody, now, crypto::pure());
    let report = verify(&job.bytes, &policy).unwrap();
    assert_eq!(report.verdict, Verdict::Indeterminate);
    assert_eq!(report.signatures[0].sub_indication, Some(SubIndication::NoCertificateChainFound));
    let policy = VerifyPolicy {
        revocation: Revocation::Require,
        ..VerifyPolicy::new(&desk.anchors, now, crypto::pure())
    };
    let report = verify(&job.bytes, &policy).unwrap();
    assert_eq!(report.signatures[0].sub_indication, Some(SubIndication::TryLater), "{report:#?}");
    let late = now + time::Duration::days(20_000);
    let report = verify(&job.bytes, &VerifyPolicy::new(&desk.anchors, late, crypto::pure())).unwrap();
    assert_eq!(report.signatures[0].sub_indication, Some(SubIndication::OutOfBoundsNoPoe));
    let unsigned = desk.report(&text_page());
    assert_eq!(unsigned.verdict, Verdict::NoSignature);
    assert!(!unsigned.passed());
}

#[test]
fn the_tail_is_reviewed_before_it_is_signed() {
    let desk = Desk::new();
    let job = Job::new(&text_page(), &ProvisionPlan::standard(1));
    let request = Job::request(&desk.pki, "leader", "Signer1");
    let prepared = prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap();
    let expected = TailExpectation { field: "Signer1", ..TailExpectation::default() };
    let review = check_tail(&job.bytes, &job.index, &prepared.tail, &expected).unwrap();
    assert_eq!(review.byte_range, prepared.byte_range);
    assert!(review.unsigned && review.signed_before.is_empty());
    let names: Vec<_> = review.declared.iter().map(|field| (field.name.as_str(), field.page)).collect();
    assert_eq!(names, [("DocNumber", 1), ("DocDate", 1)]);
    // Another field, or a fill the leader was not told of.
    let other = TailExpectation { field: "OrgSeal", ..TailExpectation::default() };
    let refused = check_tail(&job.bytes, &job.index, &prepared.tail, &other).unwrap_err();
    assert_eq!(refused.code(), "tail_changes_other");
    let mut filling = request.clone();
    filling.fills = fills();
    let filled = prepare(&job.bytes, &job.index, &job.midstate, &filling).unwrap();
    let refused = check_tail(&job.bytes, &job.index, &filled.tail, &expected).unwrap_err();
    assert_eq!(refused.code(), "tail_fill_differs");
    // The seal: exactly number and date.
    let job = desk.by_leader();
    let mut request = Job::request(&desk.pki, "seal", "OrgSeal");
    request.fills = fills();
    let prepared = prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap();
    let agreed = [("DocNumber", NUMBER), ("DocDate", DATE)];
    let expected = TailExpectation { field: "OrgSeal", fills: &agreed, manifest: None };
    let review = check_tail(&job.bytes, &job.index, &prepared.tail, &expected).unwrap();
    assert_eq!(review.signed_before, ["Signer1"]);
    assert_eq!(review.declared[0].text.as_deref(), Some(NUMBER));
    let other = [("DocNumber", "30/2021/QĐ-UBND"), ("DocDate", DATE)];
    let expected = TailExpectation { fills: &other, ..expected };
    let refused = check_tail(&job.bytes, &job.index, &prepared.tail, &expected).unwrap_err();
    assert_eq!(refused, TailRefused::FillDiffers("DocNumber".to_owned()));
    let missing = TailExpectation { field: "OrgSeal", ..TailExpectation::default() };
    assert_eq!(
        check_tail(&job.bytes, &job.index, &prepared.tail, &missing).unwrap_err().code(),
        "tail_fill_differs"
    );
}

#[test]
fn a_time_stamp_proves_when_it_was_signed() {
    let desk = Desk::new();
    let mut job = Job::new(&text_page(), &ProvisionPlan::standard(1));
    let request = Job::request(&desk.pki, "leader", "Signer1");
    let prepared = prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap();
    let certificate = desk.pki.certificate("leader");
    let attributes = signed_attributes(&prepared.digest, &certificate, ID_DATA).unwrap();
    let raw = desk.pki.sign("leader", "-sha256", &[], attributes.as_der());
    let value = SignatureValue::from_raw(&raw, &certificate).unwrap();
    let cms = assemble(&attributes, &value, &certificate, &[&desk.pki.certificate("ca")]).unwrap();
    let checked = check(&cms, &prepared.digest, &certificate, crypto::pure()).unwrap();
    let asked = TimestampRequest::over(checked.signature_value(), [0x55; 16]).unwrap();
    let token = asked.accept(&desk.pki.timestamp("tsa", asked.as_der()), crypto::pure()).unwrap();
    let stamped = checked.add_timestamp(&token).unwrap();
    let signed = prepared.complete(&stamped).unwrap();
    job.append(&signed.tail, signed.index, signed.midstate);
    let report = desk.report(&job.bytes);
    assert_eq!(report.verdict, Verdict::TotalPassed, "{report:#?}");
    let [one] = report.signatures.as_slice() else { panic!("{report:#?}") };
    assert_eq!((one.level, one.timestamp_time), (Level::BT, Some(token.time())));
    assert!(one.checks.timestamp.ok);
    // Long after the end of both certificates nothing is left to believe the stamp by: that takes an archive.
    let late = now() + time::Duration::days(20_000);
    let report = verify(&job.bytes, &VerifyPolicy::new(&desk.anchors, late, crypto::pure())).unwrap();
    assert_eq!(report.signatures[0].sub_indication, Some(SubIndication::OutOfBoundsNoPoe), "{report:#?}");
    let reason = report.signatures[0].checks.timestamp.reason.as_deref();
    assert_eq!(reason, Some("timestamp_authority_expired"));
}

#[test]
fn the_manifest_is_followed_to_the_letter() {
    let desk = Desk::new();
    let input = text_page();
    let taken = ingest(&input, &Limits::default()).unwrap();
    let mut base = Vec::new();
    let made = provision(&input, &taken, &ProvisionPlan::standard(1), &mut base).unwrap();
    let mut job = Job { bytes: base, index: made.index, midstate: made.midstate };
    let held = |bytes: &Vec<u8>| {
        check_manifest(&File::open_strict(bytes, &Limits::default()).unwrap(), &made.manifest)
    };
    let unsigned = job.bytes.clone();
    assert!(held(&unsigned).unwrap().signed.is_empty());
    // The seal before the leader: fine for ISO 32000, not for us.
    let mut early = Job { bytes: unsigned.clone(), index: job.index.clone(), midstate: job.midstate.clone() };
    early.sign(&desk.pki, "seal", "OrgSeal", |_| {});
    let broken = held(&early.bytes).unwrap_err();
    assert_eq!(broken, ManifestBroken::OutOfTurn { revision: 2, field: "OrgSeal".to_owned() });
    // The number with the leader's signature: not his to fill.
    let mut filled =
        Job { bytes: unsigned.clone(), index: job.index.clone(), midstate: job.midstate.clone() };
    filled.sign(&desk.pki, "leader", "Signer1", |request| request.fills = fills());
    assert_eq!(held(&filled.bytes).unwrap_err().code(), "manifest_out_of_turn");
    job.sign(&desk.pki, "leader", "Signer1", |_| {});
    job.sign(&desk.pki, "seal", "OrgSeal", |request| request.fills = fills());
    let content = DssContent { certs: vec![desk.pki.certificate("ca")], ..DssContent::default() };
    let dss = prepare_dss(&job.bytes, &job.index, &job.midstate, &content, &[9; 16]).unwrap().unwrap();
    job.append(&dss.tail, dss.index, dss.midstate);
    let progress = held(&job.bytes).unwrap();
    assert_eq!(progress.signed, ["Signer1", "OrgSeal"]);
    assert!(progress.filled.iter().eq(["DocDate", "DocNumber"]));
    let mut other = made.manifest.clone();
    other.base_sha256 = Digest::of(b"another");
    let file = File::open_strict(&job.bytes, &Limits::default()).unwrap();
    assert_eq!(check_manifest(&file, &other).unwrap_err(), ManifestBroken::OtherBase);
}

#[test]
fn a_file_with_a_broken_signature_is_not_taken_in() {
    let desk = Desk::new();
    let job = desk.by_leader();
    let nobody = TrustAnchors::new([]);
    let policy = VerifyPolicy::new(&nobody, now(), crypto::pure());
    // A stranger's signature that holds is no reason to refuse.
    assert_eq!(intake_check(&job.bytes, &policy).unwrap().signatures.len(), 1);
    assert!(intake_check(&text_page(), &policy).unwrap().signatures.is_empty());
    let mut broken = job.bytes.clone();
    let at = broken.windows(6).position(|window| window == b"CHU TI").unwrap();
    broken[at] = b'X';
    let refused = intake_check(&broken, &policy).unwrap_err();
    assert_eq!(refused.code(), "invalid_signature_present");
    let behind = [&job.bytes[..], b"% more\n"].concat();
    assert_eq!(intake_check(&behind, &policy).unwrap_err().code(), "invalid_signature_present");
}
