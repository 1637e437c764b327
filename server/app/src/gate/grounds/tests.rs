//! One case that has grounds, and everything that takes them away. Keys and certificates are real and made here.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use time::macros::datetime;
use trinhky_domain::document::{Bundle, BundleFile, Chain, Head, Particulars, Signer, Wish, WishKind};
use trinhky_domain::ids::{AttemptId, DecisionId, DocumentId, OfficeId, PersonId};
use trinhky_domain::paper::{Capacity, Channel, DocumentType, Family, FileRole, Recipient, Secrecy, Urgency};
use trinhky_domain::people::Client;
use trinhky_domain::policy::Numbering;
use trinhky_domain::register::{Series, Symbol};
use trinhky_domain::signing::{AttemptState, DecisionKind, Purpose};
use trinhky_domain::{Document, Version};
use trinhky_pades::crypto;
use trinhky_protos::device::PublicJwk;
use trinhky_protos::signing::bundle_digest_input;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-08-20 10:00 +7);

/// Grounds before a gate whose only root is this certificate.
fn judge(case: &Case, root: &[u8]) -> Result<Grounds, Unmatched> {
    let anchors = TrustAnchors::new([Certificate::from_der(root).unwrap()]);
    let (mode, provider) = (RevocationMode::Require, crypto::aws_lc());
    case.grounds(&Belief { anchors: &anchors, revocation: &RevocationData::none(), mode, provider }, NOW)
}

/// A leader with SIM and phone.
struct Leader {
    sim: EcdsaKeyPair,
    certificate: Vec<u8>,
    phone: EcdsaKeyPair,
    jwk: PublicJwk,
}

impl Leader {
    fn new() -> Self {
        let sim = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(Vec::new()).unwrap().self_signed(&sim).unwrap().der().to_vec();
        let sim = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &sim.serialize_der()).unwrap();
        let phone = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = phone.public_key().as_ref().to_vec();
        let text = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        let jwk = PublicJwk { kty: "EC".into(), crv: "P-256".into(), x: text(1..33), y: text(33..65) };
        Self { sim, certificate, phone, jwk }
    }

    fn statement(&self) -> Value {
        json!({
            "version": 1, "person": person(), "full_name": "Nguyễn Văn A", "device": device(),
            "key_thumbprint": wire::hex(jws::thumbprint(&self.jwk)), "public_key": self.jwk, "msisdn": "84900000001",
            "certificate": wire::hex(Digest::of(&self.certificate)), "made_at": "2026-08-01T00:00:00Z",
        })
    }

    /// What the SIM makes of a statement's bytes, as a CMS with this content type.
    fn enrol(&self, statement: &[u8], content_type: trinhky_pades::asn1::Oid) -> Vec<u8> {
        let digest = trinhky_pades::digest::Digest::of(statement);
        let attributes = cms::signed_attributes(&digest, &self.certificate, content_type).unwrap();
        let raw = self.sim.sign(&SystemRandom::new(), attributes.as_der()).unwrap();
        let value = cms::SignatureValue::from_raw(raw.as_ref(), &self.certificate).unwrap();
        cms::assemble(&attributes, &value, &self.certificate, &[]).unwrap()
    }

    fn say(&self, typ: &str, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "ES256", "typ": typ, "kid": device().to_string()});
        let signed = format!("{}.{}", text(&header), text(claims));
        let signature = self.phone.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn person() -> PersonId {
    PersonId::at(NOW, 1)
}

fn device() -> DeviceId {
    DeviceId::at(NOW, 2)
}

fn attempt_id() -> AttemptId {
    AttemptId::at(NOW, 3)
}

fn decision_id() -> DecisionId {
    DecisionId::at(NOW, 4)
}

fn document() -> Document {
    let head = Head { sha256: Digest::of(b"base"), length: 9 };
    Document {
        id: DocumentId::at(NOW, 5),
        version: Version::FIRST,
        state: State::Signing { signer: 0, attempt: attempt_id() },
        revision: 1,
        office: OfficeId::at(NOW, 6),
        drafter: PersonId::at(NOW, 7),
        particulars: Particulars {
            family: Family::Administrative,
            kind: DocumentType::Decision,
            subject: "Về việc ban hành quy chế".into(),
            unit: None,
            council: None,
            urgency: Urgency::Urgent,
            secrecy: Secrecy::None,
            language: "vi".into(),
            pages: 2,
            reply_by: None,
            remark: None,
            recipients: vec![Recipient {
                code: Some("H53.7".into()),
                name: "Sở Nội vụ".into(),
                channel: Channel::Exchange,
                email: None,
            }],
        },
        symbol: Symbol {
            family: Family::Administrative,
            kind: DocumentType::Decision,
            office: "UBND".into(),
            unit: None,
        },
        series: Series::Administrative,
        numbering: Numbering::AfterSign,
        chain: Chain {
            steps: Vec::new(),
            signers: vec![Signer { person: person(), capacity: Capacity::ForHead, field: "Signer1".into() }],
            clerk: PersonId::at(NOW, 8),
        },
        bundle: Bundle(vec![BundleFile {
            role: FileRole::Main,
            name: "a.pdf".into(),
            sha256: head.sha256,
            length: 9,
        }]),
        manifest: Digest::of(b"manifest"),
        head,
        signed: Vec::new(),
        number: None,
        number_drawn: false,
        wish: None,
        created: NOW,
        waiting_since: NOW,
    }
}

fn claims(leader: &Leader) -> Value {
    let document = document();
    let files: Vec<_> = document.bundle.0.iter().map(wire::bundle_file).collect();
    json!({
        "jti": decision_id(), "iss": device(), "sub": person(), "iat": NOW.unix_timestamp(),
        "exp": NOW.unix_timestamp() + 600, "attempt": attempt_id(), "challenge": "c", "document": document.id,
        "bundle": wire::hex(Digest::of(bundle_digest_input(&files).as_bytes())), "files": files,
        "recipients": [{"code": "H53.7", "name": "Sở Nội vụ", "channel": "exchange"}], "urgency": "urgent", "capacity": "KT.",
        "numbering": "after_sign", "number": null, "manifest": wire::hex(document.manifest),
        "head": wire::hex(document.head.sha256), "tail": wire::hex(Digest::of(b"tail")),
        "dtbs": wire::hex(Digest::of(b"attributes")), "certificate": wire::hex(Digest::of(&leader.certificate)),
        "display_text": "Ky so VB Ve viec ban hanh quy che. Ma %%VC%%", "client": "native", "previous": null,
        "checkpoint": null,
    })
}

fn case(leader: &Leader) -> Case {
    let statement = leader.statement().to_string().into_bytes();
    let document = document();
    Case {
        attempt: Attempt {
            id: attempt_id(),
            purpose: Purpose::Document { document: document.id, signer: 0, head: document.head.sha256 },
            person: person(),
            msisdn: "84900000001".parse().unwrap(),
            certificate: Digest::of(&leader.certificate),
            dtbs: Digest::of(b"attributes"),
            urgency: Urgency::Urgent,
            state: AttemptState::Approved {
                decision: decision_id(),
                until: NOW + Duration::minutes(15),
                heading_since: None,
            },
            protocol: None,
            created: NOW,
            changed: NOW,
            version: Version::FIRST,
        },
        decision: Decision {
            id: decision_id(),
            kind: DecisionKind::Approve,
            attempt: attempt_id(),
            person: person(),
            device: device(),
            client: Client::Native,
            jws: leader.say(DECISION_TYP, &claims(leader)),
            expires: NOW + Duration::minutes(10),
            at: NOW,
        },
        device: Device {
            id: device(),
            enrolled: true,
            cms: Some(leader.enrol(&statement, cms::ID_ENROLMENT)),
            statement,
        },
        certificate: leader.certificate.clone(),
        chain: Vec::new(),
        document: Some(document),
    }
}

fn why(case: &Case) -> String {
    judge(case, &case.certificate).map(|_| ()).unwrap_err().0
}

#[test]
fn a_decision_by_an_enrolled_device_is_ground_for_exactly_what_it_says() {
    let leader = Leader::new();
    let grounds = judge(&case(&leader), &leader.certificate).unwrap();
    assert_eq!(grounds.asked().msisdn.expose(), "84900000001");
    assert_eq!(grounds.asked().digest.0, Digest::of(b"attributes").0);
    assert_eq!(grounds.asked().display.as_str(), "Ky so VB Ve viec ban hanh quy che. Ma %%VC%%");
    assert_eq!(grounds.ticket().key, format!("decision:{}", decision_id()));
}

#[test]
fn every_claim_that_differs_from_the_rows_takes_the_grounds_away() {
    let leader = Leader::new();
    let other = |n: u128| json!(PersonId::at(NOW, n));
    let digest = json!(wire::hex(Digest::of(b"another")));
    for (claim, value) in [
        ("jti", other(90)),
        ("iss", other(91)),
        ("sub", other(92)),
        ("attempt", other(93)),
        ("document", other(94)),
        ("bundle", digest.clone()),
        ("head", digest.clone()),
        ("manifest", digest.clone()),
        ("dtbs", digest.clone()),
        ("certificate", digest.clone()),
        ("files", json!([])),
        ("recipients", json!([])),
        ("urgency", json!("normal")),
        ("capacity", json!("")),
        ("numbering", json!("before_sign")),
        ("number", json!("1/QĐ-UBND")),
        ("exp", json!(NOW.unix_timestamp())),
        ("exp", json!(NOW.unix_timestamp() + DECISION_SECONDS + 1)),
        ("exp", json!(i64::MAX)),
        ("iat", json!(NOW.unix_timestamp() + 301)),
        ("display_text", json!("Ký số")),
        ("display_text", json!("Ma %%VC%% %%VC%%")),
    ] {
        let mut said = claims(&leader);
        said[claim] = value;
        let mut case = case(&leader);
        case.decision.jws = leader.say(DECISION_TYP, &said);
        assert!(judge(&case, &leader.certificate).is_err(), "{claim}");
    }
}

fn doc(case: &mut Case) -> &mut Document {
    case.document.as_mut().unwrap()
}

#[test]
fn every_row_that_differs_from_the_decision_takes_the_grounds_away() {
    let leader = Leader::new();
    let change = |change: &dyn Fn(&mut Case)| {
        let mut case = case(&leader);
        change(&mut case);
        why(&case)
    };
    assert_eq!(change(&|c| c.attempt.dtbs = Digest::of(b"other")), "dtbs differs");
    assert_eq!(change(&|c| c.attempt.msisdn = "84900000002".parse().unwrap()), "statement.msisdn differs");
    assert_eq!(change(&|c| c.attempt.person = PersonId::at(NOW, 9)), "statement.person differs");
    assert_eq!(change(&|c| c.decision.id = DecisionId::at(NOW, 9)), "jti differs");
    assert_eq!(change(&|c| c.certificate = Leader::new().certificate), "attempt.certificate differs");
    assert_eq!(change(&|c| c.document = None), "there is no document");
    assert_eq!(change(&|c| doc(c).head.sha256 = Digest::of(b"moved")), "document.head differs");
    assert_eq!(change(&|c| doc(c).state = State::AwaitingNumber), "document.state differs");
    assert_eq!(change(&|c| doc(c).bundle.0[0].sha256 = Digest::of(b"x")), "files differs");
    assert_eq!(change(&|c| doc(c).particulars.recipients.clear()), "recipients differs");
    assert_eq!(change(&|c| doc(c).chain.signers[0].person = PersonId::at(NOW, 9)), "signer differs");
    assert_eq!(change(&|c| doc(c).manifest = Digest::of(b"x")), "manifest differs");
    assert_eq!(change(&|c| c.device.enrolled = false), "the device is not enrolled, or is frozen");
    let given_back = change(&|c| {
        let (kind, by) = (WishKind::Withdraw, c.attempt.person);
        doc(c).wish = Some(Wish { kind, reason: "nhầm".into(), by, at: NOW });
    });
    assert_eq!(given_back, "document.wish differs");
}

#[test]
fn a_device_counts_only_with_a_statement_that_this_sim_signed_for_enrolment() {
    let leader = Leader::new();
    let mut none = case(&leader);
    none.device.cms = None;
    assert_eq!(why(&none), "the device has no enrolment");

    let mut as_document = case(&leader);
    as_document.device.cms = Some(leader.enrol(&as_document.device.statement, cms::ID_DATA));
    assert!(why(&as_document).starts_with("the enrolment's signature"), "{}", why(&as_document));

    let stranger = Leader::new();
    let mut forged = case(&leader);
    forged.device.cms = Some(stranger.enrol(&forged.device.statement, cms::ID_ENROLMENT));
    assert!(why(&forged).starts_with("the enrolment's signature"));

    let mut other_key = case(&leader);
    other_key.decision.jws = stranger.say(DECISION_TYP, &claims(&leader));
    assert!(why(&other_key).starts_with("the decision"));

    let mut enrolment_as_decision = case(&leader);
    enrolment_as_decision.decision.jws = leader.say(ENROLMENT_TYP, &claims(&leader));
    assert!(why(&enrolment_as_decision).starts_with("the decision"));

    let unmatched = judge(&case(&leader), &stranger.certificate).unwrap_err();
    assert_eq!(unmatched.0, "the certificate: no certificate chain to a trusted root was found");
}

fn enrolment(leader: &Leader) -> Case {
    let mut case = case(leader);
    let digest = trinhky_pades::digest::Digest::of(&case.device.statement);
    let attributes = cms::signed_attributes(&digest, &leader.certificate, cms::ID_ENROLMENT).unwrap();
    case.attempt.purpose = Purpose::Enrolment { device: device() };
    case.attempt.dtbs = Digest(attributes.dtbs_digest().0);
    case.document = None;
    case.device.enrolled = false;
    case.device.cms = None;
    case.decision.jws = leader.say(ENROLMENT_TYP, &enrolment_claims(leader, &case));
    case
}

fn enrolment_claims(leader: &Leader, case: &Case) -> Value {
    json!({
        "iss": device(), "sub": person(), "iat": NOW.unix_timestamp(), "exp": NOW.unix_timestamp() + 600,
        "attempt": attempt_id(), "challenge": "c", "statement": wire::hex(Digest::of(&case.device.statement)),
        "dtbs": wire::hex(case.attempt.dtbs), "certificate": wire::hex(Digest::of(&leader.certificate)),
        "display_text": "Dang ky thiet bi ky so cho Nguyen Van A. Ma %%VC%%",
    })
}

#[test]
fn a_device_may_ask_once_to_be_enrolled_and_for_nothing_else() {
    let leader = Leader::new();
    let grounds = judge(&enrolment(&leader), &leader.certificate).unwrap();
    assert_eq!(grounds.ticket().key, format!("enrolment:{}", attempt_id()));

    let why = |claim: &str, value: Value| {
        let mut case = enrolment(&leader);
        let mut said = enrolment_claims(&leader, &case);
        said[claim] = value;
        case.decision.jws = leader.say(ENROLMENT_TYP, &said);
        why(&case)
    };
    let as_document = why("display_text", json!("Ky so VB 1. Ma %%VC%%"));
    assert_eq!(as_document, "the prompt does not say that it enrols a device");
    assert_eq!(why("dtbs", json!(wire::hex(Digest::of(b"a document's attributes")))), "dtbs differs");
    assert_eq!(why("statement", json!(wire::hex(Digest::of(b"another")))), "statement differs");
    assert_eq!(why("exp", json!(NOW.unix_timestamp())), "the decision has expired");
}
