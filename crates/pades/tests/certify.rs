//! Certification and locks on request: what is asked for is in the file, pyHanko and pdfsig accept it with what it allows
//! later, our own verification says the same, and what it forbids is refused before it is made and reported when another
//! program makes it.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod forge;
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::process::Command;

use forge::{dict, field, next, revised, with};
use job::{Job, as_streams, ring, text_page};
use pki::{Kind, Pki};
use time::OffsetDateTime;
use trinhky_pades::{
    DssContent, Fill, PagePlace, Permission, PreparedImage, Protection, ProvisionPlan, SealPlan, SignRequest,
    changes::Lock,
    crypto,
    pdf::{Object, Rect},
    prepare, prepare_dss,
    protection::Protected,
    verify::{self, Report, Verdict, VerifyPolicy},
    x509::TrustAnchors,
};

struct Desk {
    pki: Pki,
    anchors: TrustAnchors,
}

impl Desk {
    fn new() -> Self {
        let pki = Pki::new();
        pki.signer("leader", Kind::P256);
        pki.signer("seal", Kind::P256);
        let anchors = pki.anchors();
        Self { pki, anchors }
    }

    #[expect(clippy::disallowed_methods, reason = "the PKI is made now; the engine takes the time from here")]
    fn report(&self, bytes: &[u8]) -> Report {
        let policy = VerifyPolicy::new(&self.anchors, OffsetDateTime::now_utc(), crypto::pure());
        verify::verify(&bytes, &policy).unwrap()
    }

    /// A provisioned document whose seal does not lock, signed by the leader with this protection.
    fn first(&self, input: &[u8], protection: &Protection) -> Job {
        let seal = Some(SealPlan { locks: false, ..SealPlan::default() });
        let mut job = Job::new(input, &ProvisionPlan { seal, ..ProvisionPlan::standard(1) });
        job.sign(&self.pki, "leader", "Signer1", |request| request.protection = protection.clone());
        job
    }

    fn seal(&self, job: &mut Job, change: impl Fn(&mut SignRequest)) {
        job.sign(&self.pki, "seal", "OrgSeal", change);
    }

    /// Accepted by everybody.
    fn accepted(&self, job: &Job, name: &str) -> Report {
        job.judge(&self.pki, name);
        let report = self.report(&job.bytes);
        assert_eq!(report.verdict, Verdict::TotalPassed, "{name}: {report:#?}");
        report
    }

    /// Reported here with this code against the first signature; and pyHanko, if it is there, accepts it no more than we do.
    fn reported(&self, bytes: &[u8], code: &str, name: &str) {
        let report = self.report(bytes);
        assert_eq!(report.verdict, Verdict::TotalFailed, "{name}: {report:#?}");
        let codes: Vec<_> = report.signatures[0].later_changes.iter().filter(|one| !one.allowed).collect();
        assert!(codes.iter().any(|change| change.code == code), "{name}: {codes:?}");
        if let Some(python) = std::env::var_os("TRINHKY_PYHANKO") {
            self.pki.write("reported.pdf", bytes);
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/job/judge.py");
            let arguments = [self.pki.path("reported.pdf"), self.pki.path("root.pem")];
            let output = Command::new(python).arg(script).args(arguments).output().unwrap();
            assert!(!output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
        }
    }

    fn refusal(&self, job: &Job, name: &str, change: impl Fn(&mut SignRequest)) -> &'static str {
        let mut request = Job::request(&self.pki, "seal", name);
        change(&mut request);
        prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap_err().code()
    }
}

fn number(text: &str) -> Vec<Fill> {
    vec![Fill { field: "DocNumber".to_owned(), text: text.to_owned() }]
}

fn corner(request: &mut SignRequest) {
    request.image = Some(PreparedImage::from_png(&ring(60, 60, [210, 20, 30])).unwrap());
    request.place = Some(PagePlace { page: 1, rect: Rect::of(30.0, 30.0, 80.0, 60.0) });
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `/TransformParams` of the references of the signature in a field.
fn parameters(bytes: &[u8], name: &str) -> Vec<(Vec<u8>, Object)> {
    let value = dict(bytes, field(bytes, name)).get("V").unwrap().as_ref().unwrap();
    let value = dict(bytes, value.number);
    let references = value.get("Reference").and_then(Object::as_array).unwrap_or_default();
    let one = |reference: &Object| {
        let reference = reference.as_dict().unwrap();
        let method = reference.get("TransformMethod").unwrap().as_name().unwrap().to_vec();
        (method, reference.get("TransformParams").unwrap().clone())
    };
    references.iter().map(one).collect()
}

#[test]
fn a_certified_file_takes_what_its_certification_allows() {
    let desk = Desk::new();
    for input in [text_page(), as_streams(&text_page())] {
        for permission in [Permission::Nothing, Permission::Fill, Permission::Annotate] {
            let name = format!("certified-{}", permission.level());
            let mut job = desk.first(&input, &Protection::Certify(permission));
            assert_eq!(job.index.protected, Job::ingested(&job.bytes).index.protected);
            let (root, signer) = (forge::catalog(&job.bytes), field(&job.bytes, "Signer1"));
            let value = dict(&job.bytes, signer).get("V").unwrap().clone();
            let permissions = dict(&job.bytes, root).get("Perms").unwrap().clone();
            assert_eq!(permissions.as_dict().unwrap().get("DocMDP"), Some(&value));
            let [(method, params)] = &parameters(&job.bytes, "Signer1")[..] else { panic!("one reference") };
            assert_eq!(method, b"DocMDP");
            let level = i64::from(permission.level());
            assert_eq!(params.as_dict().unwrap().get("P").and_then(Object::as_int), Some(level));
            let report = desk.accepted(&job, &name);
            assert_eq!(report.signatures[0].kind, verify::Kind::Certification);
            let fills = |request: &mut SignRequest| request.fills = number("29/2021");
            if permission == Permission::Nothing {
                assert_eq!(desk.refusal(&job, "OrgSeal", |_| {}), "certification_forbids");
                assert_eq!(desk.refusal(&job, "Another", |_| {}), "certification_forbids");
                // By somebody who does not ask.
                let certified = job.index.protected.clone();
                job.index.protected = Protected::default();
                let mut other = Job { bytes: job.bytes.clone(), ..job };
                desk.seal(&mut other, fills);
                desk.reported(&other.bytes, "after_certification", &name);
                job = desk.first(&input, &Protection::Certify(permission));
                assert_eq!(job.index.protected, certified);
            } else {
                desk.seal(&mut job, fills);
                let report = desk.accepted(&job, &format!("{name}-sealed"));
                let codes: Vec<_> =
                    report.signatures[0].later_changes.iter().map(|change| change.code).collect();
                assert!(codes.contains(&"signed") && codes.contains(&"field_filled"), "{codes:?}");
            }
            // Long-term data may come at any level.
            let content = DssContent { certs: vec![desk.pki.certificate("root")], ..DssContent::default() };
            let dss = prepare_dss(&job.bytes, &job.index, &job.midstate, &content, &[9; 16]);
            let dss = dss.unwrap().unwrap();
            job.append(&dss.tail, dss.index, dss.midstate);
            desk.accepted(&job, &format!("{name}-long-term"));
        }
    }
}

#[test]
fn a_certified_page_gets_no_new_field_that_is_seen() {
    let desk = Desk::new();
    for input in [text_page(), as_streams(&text_page())] {
        // The certification itself may bring its field.
        let mut job = Job::ingested(&input);
        job.sign(&desk.pki, "leader", "Author", |request| {
            corner(request);
            request.protection = Protection::Certify(Permission::Fill);
        });
        desk.accepted(&job, "author");
        let beside = |request: &mut SignRequest| {
            corner(request);
            request.place = Some(PagePlace { page: 1, rect: Rect::of(230.0, 30.0, 80.0, 60.0) });
        };
        assert_eq!(desk.refusal(&job, "Seen", beside), "certification_forbids");
        let mut seen =
            Job { bytes: job.bytes.clone(), index: job.index.clone(), midstate: job.midstate.clone() };
        seen.index.protected = Protected::default();
        seen.sign(&desk.pki, "seal", "Seen", beside);
        desk.reported(&seen.bytes, "after_certification", "seen");
        job.sign(&desk.pki, "seal", "Unseen", |_| {});
        desk.accepted(&job, "unseen");
    }
}

#[test]
fn only_the_first_signature_certifies() {
    let desk = Desk::new();
    let certify = |request: &mut SignRequest| request.protection = Protection::Certify(Permission::Annotate);
    let approved = desk.first(&text_page(), &Protection::AsField);
    assert_eq!(desk.refusal(&approved, "OrgSeal", certify), "certification_not_first");
    assert_eq!(desk.refusal(&approved, "Another", certify), "certification_not_first");
    let certified = desk.first(&text_page(), &Protection::Certify(Permission::Annotate));
    assert_eq!(desk.refusal(&certified, "OrgSeal", certify), "already_certified");
    // By somebody who does not ask: the catalog of a signed file changes.
    let root = forge::catalog(&approved.bytes);
    let value = dict(&approved.bytes, field(&approved.bytes, "Signer1")).get("V").unwrap().as_ref().unwrap();
    let permissions = format!("<< /DocMDP {value} >>");
    let late = with(&approved.bytes, root, &[("Perms", &permissions)]);
    desk.reported(&revised(&approved.bytes, &[(root, late)]), "catalog_changed", "late");
}

#[test]
fn locks_are_written_kept_and_reported() {
    let desk = Desk::new();
    for (lock, free) in [
        (Lock::All, false),
        (Lock::Include(names(&["DocNumber"])), false),
        (Lock::Include(names(&["DocDate"])), true),
        (Lock::Include(names(&["Signer1"])), true),
        (Lock::Exclude(names(&["DocNumber", "DocDate", "OrgSeal"])), true),
        (Lock::Exclude(names(&["OrgSeal"])), false),
    ] {
        let name = format!("{lock:?}");
        let mut job = desk.first(&text_page(), &Protection::Lock(lock.clone()));
        assert_eq!(job.index.protected.locks, std::slice::from_ref(&lock));
        assert_eq!(job.index.protected, Job::ingested(&job.bytes).index.protected);
        let [(method, _)] = &parameters(&job.bytes, "Signer1")[..] else { panic!("one reference") };
        assert_eq!(method, b"FieldMDP");
        let report = desk.accepted(&job, "locked");
        assert_eq!(report.signatures[0].kind, verify::Kind::Approval);
        let fills = |request: &mut SignRequest| request.fills = number("29/2021");
        if free {
            desk.seal(&mut job, fills);
            let report = desk.report(&job.bytes);
            assert_eq!(report.verdict, Verdict::TotalPassed, "{name}: {report:#?}");
            // pyHanko takes the appearance of a locked field for changed if it is older than the signature, touched or not.
            if lock != Lock::Include(names(&["DocDate"])) {
                desk.accepted(&job, "locked-sealed");
            }
        } else {
            assert_eq!(desk.refusal(&job, "OrgSeal", fills), "field_locked", "{name}");
            job.index.protected = Protected::default();
            desk.seal(&mut job, fills);
            desk.reported(&job.bytes, "field_locked", &name);
        }
    }
    let base = Job::new(&text_page(), &ProvisionPlan::standard(1));
    let unknown = Protection::Lock(Lock::Include(names(&["DocNumbr"])));
    assert_eq!(
        desk.refusal(&base, "Signer1", |request| request.protection = unknown.clone()),
        "no_such_field"
    );
    // The seal's field is provisioned with a lock of all.
    let less = Protection::Lock(Lock::Include(names(&["DocNumber"])));
    assert_eq!(desk.refusal(&base, "OrgSeal", |request| request.protection = less.clone()), "lock_differs");
}

/// The standard wants `/Lock` to be an object of its own (table 235); ours is within the field.
#[test]
fn a_lock_that_is_an_object_of_its_own_is_followed() {
    let desk = Desk::new();
    let seal = Some(SealPlan { locks: false, ..SealPlan::default() });
    let base = Job::new(&text_page(), &ProvisionPlan { seal, ..ProvisionPlan::standard(1) }).bytes;
    let (signer, fresh) = (field(&base, "Signer1"), next(&base));
    let lock = "<< /Type /SigFieldLock /Action /Include /Fields [(DocNumber)] >>".to_owned();
    let pointing = with(&base, signer, &[("Lock", &format!("{fresh} 0 R"))]);
    let base = revised(&base, &[(signer, pointing), (fresh, lock)]);
    let mut job = Job::ingested(&base);
    job.sign(&desk.pki, "leader", "Signer1", |_| {});
    let [(method, params)] = &parameters(&job.bytes, "Signer1")[..] else { panic!("one reference") };
    assert_eq!(method, b"FieldMDP");
    let fields = params.as_dict().unwrap().get("Fields").unwrap().clone();
    assert_eq!(fields.as_array().unwrap(), [Object::Str(b"DocNumber".to_vec())]);
    desk.accepted(&job, "own-lock");
    let fills = |request: &mut SignRequest| request.fills = number("29/2021");
    assert_eq!(desk.refusal(&job, "OrgSeal", fills), "field_locked");
    job.index.protected = Protected::default();
    desk.seal(&mut job, fills);
    desk.reported(&job.bytes, "field_locked", "own-lock");
}

#[test]
fn what_is_asked_for_survives_storage() {
    let asked = [
        (Protection::AsField, r#""as_field""#),
        (Protection::Certify(Permission::Fill), r#"{"certify":"fill"}"#),
        (Protection::Lock(Lock::All), r#"{"lock":"all"}"#),
        (Protection::Lock(Lock::Exclude(names(&["A"]))), r#"{"lock":{"exclude":["A"]}}"#),
    ];
    for (asked, json) in asked {
        assert_eq!(serde_json::to_string(&asked).unwrap(), json);
        assert_eq!(serde_json::from_str::<Protection>(json).unwrap(), asked);
    }
    // A request from before there was a choice.
    let mut stored =
        serde_json::to_value(SignRequest::new("A", b"x", OffsetDateTime::UNIX_EPOCH, [7; 16])).unwrap();
    stored.as_object_mut().unwrap().remove("protection").unwrap();
    let read: SignRequest = serde_json::from_value(stored).unwrap();
    assert_eq!(read.protection, Protection::AsField);
}
