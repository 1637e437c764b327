//! A document that a leader really approved, with everything the agent is shown: certificates, enrolment, decision, two
//! revisions. Each test then spoils one thing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use trinhky_mobile_core::{bundle_digest, jws};
use trinhky_pades::cms::{self, ID_DATA, ID_ENROLMENT, SignatureValue};
use trinhky_pades::pdf::{self, Limits};
use trinhky_pades::x509::{Certificate, TrustAnchors};
use trinhky_pades::{
    Digest, Fill, ProvisionPlan, SignRequest, SignedTail, crypto, ingest, prepare, provision,
};
use trinhky_protos::device::{EnrolmentStatement, PublicJwk};
use trinhky_protos::document::{
    BundleFileView, DocumentStateView, DocumentView, FileRefView, RecipientView, SignerView,
};
use trinhky_protos::ids::{AttemptId, DecisionId, DeviceId, DocumentId, PersonId};
use trinhky_protos::seal::{FilledFieldView, SealTaskView, SignatureEvidenceView};
use trinhky_protos::signing::{DECISION_TYP, DecisionClaims};
use trinhky_protos::{Base64Bytes, HexDigest};

use crate::config::Config;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-02 01:02:03 UTC);
pub(crate) const LEADER: &str = "Nguyễn Văn An";

/// A P-256 key with a certificate.
pub(crate) struct Holder {
    key: SigningKey,
    pub(crate) certificate: Vec<u8>,
}

impl Holder {
    pub(crate) fn cms(&self, content: &Digest, content_type: trinhky_pades::asn1::Oid) -> Vec<u8> {
        let attributes = cms::signed_attributes(content, &self.certificate, content_type).unwrap();
        let signature: Signature = self.key.sign(attributes.as_der());
        let value = SignatureValue::from_raw(&signature.to_bytes(), &self.certificate).unwrap();
        cms::assemble(&attributes, &value, &self.certificate, &[]).unwrap()
    }
}

/// A root and what it issues.
pub(crate) struct Authority(Issuer<'static, KeyPair>, Certificate);

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params("Gốc thử");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap();
        Self(Issuer::new(params, key), Certificate::from_der(certificate.der()).unwrap())
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::new([self.1.clone()])
    }

    pub(crate) fn issue(&self, name: &str) -> Holder {
        let key = KeyPair::generate().unwrap();
        let mut params = params(name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
        let certificate = params.signed_by(&key, &self.0).unwrap().der().to_vec();
        Holder { key: SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap(), certificate }
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = NOW - Duration::days(1);
    params.not_after = NOW + Duration::days(365);
    params.use_authority_key_identifier_extension = true;
    params
}

/// Everything the agent gets for one document, and what it was made from.
pub(crate) struct Case {
    pub(crate) authority: Authority,
    pub(crate) leader: Holder,
    device_key: SigningKey,
    pub(crate) claims: DecisionClaims,
    pub(crate) task: SealTaskView,
    pub(crate) document: DocumentView,
    pub(crate) base: Vec<u8>,
    provisioned: Vec<u8>,
}

impl Case {
    /// An honest one: provisioned, approved and signed by the leader, numbered, its seal prepared.
    pub(crate) fn new() -> Self {
        let authority = Authority::new();
        let (leader, organisation) = (authority.issue(LEADER), authority.issue("UBND tỉnh Thử"));
        let bytes = a4();
        let ingested = ingest(&bytes, &Limits::default()).unwrap();
        let mut provisioned = Vec::new();
        let made = provision(&bytes, &ingested, &ProvisionPlan::standard(1), &mut provisioned).unwrap();
        let manifest = serde_json::to_vec(&made.manifest).unwrap();
        let document = document(&provisioned, &manifest);

        let request = SignRequest::new("Signer1", &leader.certificate, NOW, [1; 16]);
        let prepared = prepare(&provisioned, &made.index, &made.midstate, &request).unwrap();
        let device_key = SigningKey::from_slice(&[7; 32]).unwrap();
        let dtbs =
            cms::signed_attributes(&prepared.digest, &leader.certificate, ID_DATA).unwrap().dtbs_digest();
        let claims = claims(&document, &prepared.tail, dtbs, &leader);
        let signature = leader.cms(&prepared.digest, ID_DATA);
        let checked = cms::check(&signature, &prepared.digest, &leader.certificate, crypto::pure()).unwrap();
        let signed = prepared.complete(&checked).unwrap();
        let base = [provisioned.as_slice(), &signed.tail].concat();

        let task = task(&document, &base, &signed, &manifest, &organisation);
        let mut case = Self { authority, leader, device_key, claims, task, document, base, provisioned };
        case.document.head = case.task.base;
        case.decide(|_| {});
        case
    }

    /// The leader's decision anew, with a change, signed by the enrolled device.
    pub(crate) fn decide(&mut self, change: impl FnOnce(&mut DecisionClaims)) {
        change(&mut self.claims);
        let decision = compact(&self.device_key, &self.claims);
        let (statement, enrolment) = enrolment(&self.document, &self.device_key, &self.leader);
        self.task.evidence = vec![SignatureEvidenceView {
            person: self.document.signers[0].person,
            field: "Signer1".into(),
            decision,
            enrolment_statement: Base64Bytes(statement),
            enrolment_cms: Base64Bytes(enrolment),
            cms_from: "device".into(),
        }];
    }

    /// The decision, signed by a key that no SIM ever enrolled.
    pub(crate) fn decide_with_a_foreign_key(&mut self) {
        self.task.evidence[0].decision = compact(&SigningKey::from_slice(&[8; 32]).unwrap(), &self.claims);
    }

    /// An enrolment of the same device key, signed by somebody else's SIM.
    pub(crate) fn enrol_by(&mut self, holder: &Holder) {
        let (statement, cms) = enrolment(&self.document, &self.device_key, holder);
        self.task.evidence[0].enrolment_statement = Base64Bytes(statement);
        self.task.evidence[0].enrolment_cms = Base64Bytes(cms);
    }

    /// The document as it was before the leader signed.
    pub(crate) fn unsigned(&mut self) {
        self.base.clone_from(&self.provisioned);
        let head = file_ref(&self.base);
        (self.task.base, self.document.head) = (head, head);
    }
}

/// An agent's configuration that knows the leader.
pub(crate) fn config() -> Config {
    let text = format!(
        "server = \"http://127.0.0.1\"\nroots = [\"r\"]\njournal = \"j\"\n[token]\nmodule = \"m\"\nlabel = \"l\"\n\
         key_label = \"k\"\n[[leaders]]\nname = \"{LEADER}\"\n"
    );
    toml::from_str(&text).unwrap()
}

fn a4() -> Vec<u8> {
    let mut bytes = pdf::minimal();
    let (small, large) = (b"[0 0 200 100]", b"[0 0 595 842]");
    let at = bytes.windows(small.len()).position(|window| window == small).expect("the page's size");
    bytes[at..at + large.len()].copy_from_slice(large);
    bytes
}

fn file_ref(bytes: &[u8]) -> FileRefView {
    FileRefView { sha256: HexDigest(Digest::of(bytes).0), length: bytes.len() as u64 }
}

fn document(base: &[u8], manifest: &[u8]) -> DocumentView {
    let FileRefView { sha256, length } = file_ref(base);
    DocumentView {
        id: DocumentId::at(NOW, 1),
        version: 9,
        state: DocumentStateView {
            name: "sealing".into(),
            turn_of: None,
            step: None,
            signer: None,
            attempt: None,
            waiting_for: None,
            reason: None,
            recalled_at: None,
        },
        subject: "Bổ nhiệm cán bộ".into(),
        document_type: "QĐ".into(),
        notation: "QĐ-UBND".into(),
        register: "Quyết định".into(),
        urgency: "normal".into(),
        signers: vec![SignerView {
            person: PersonId::at(NOW, 2),
            full_name: LEADER.into(),
            title: "CHỦ TỊCH".into(),
            capacity: String::new(),
        }],
        clerk: PersonId::at(NOW, 3),
        recipients: vec![RecipientView { name: "Sở Nội vụ".into(), ..RecipientView::default() }],
        files: vec![BundleFileView { role: "main".into(), name: "a.pdf".into(), sha256, length }],
        head: FileRefView { sha256, length },
        manifest: HexDigest(Digest::of(manifest).0),
        numbering: "after_sign".into(),
        number: Some("29/QĐ-UBND".into()),
        date: Some("2026-03-02".into()),
        created_at: NOW,
        due_at: None,
    }
}

fn claims(document: &DocumentView, tail: &[u8], dtbs: Digest, leader: &Holder) -> DecisionClaims {
    DecisionClaims {
        jti: DecisionId::at(NOW, 4),
        iss: DeviceId::at(NOW, 5),
        sub: document.signers[0].person,
        iat: NOW.unix_timestamp(),
        exp: NOW.unix_timestamp() + 900,
        attempt: AttemptId::at(NOW, 6),
        challenge: "challenge".into(),
        document: document.id,
        bundle: bundle_digest(&document.files),
        files: document.files.clone(),
        recipients: document.recipients.clone(),
        urgency: document.urgency.clone(),
        capacity: String::new(),
        numbering: document.numbering.clone(),
        number: None,
        manifest: document.manifest,
        head: document.head.sha256,
        tail: HexDigest(Digest::of(tail).0),
        dtbs: HexDigest(dtbs.0),
        certificate: HexDigest(Digest::of(&leader.certificate).0),
        display_text: "Ky so VB Bo nhiem can bo. Ma %%VC%%".into(),
        client: "native".into(),
        previous: None,
        checkpoint: None,
    }
}

/// What the SIM signed when the device was enrolled, and its CMS.
fn enrolment(document: &DocumentView, device_key: &SigningKey, holder: &Holder) -> (Vec<u8>, Vec<u8>) {
    let public_key = jwk(device_key);
    let statement = EnrolmentStatement {
        version: 1,
        person: document.signers[0].person,
        full_name: LEADER.into(),
        device: DeviceId::at(NOW, 5),
        key_thumbprint: jws::thumbprint(&public_key),
        public_key,
        msisdn: "84900000001".into(),
        certificate: HexDigest(Digest::of(&holder.certificate).0),
        code_kind: None,
        made_at: NOW,
    };
    let statement = serde_json::to_vec(&statement).unwrap();
    let cms = holder.cms(&Digest::of(&statement), ID_ENROLMENT);
    (statement, cms)
}

/// The revision with number, date and seal, prepared as the server would.
fn task(
    document: &DocumentView,
    base: &[u8],
    signed: &SignedTail,
    manifest: &[u8],
    organisation: &Holder,
) -> SealTaskView {
    let fills = [("DocNumber", "29/QĐ-UBND"), ("DocDate", "ngày 02 tháng 3 năm 2026")];
    let mut request = SignRequest::new("OrgSeal", &organisation.certificate, NOW, [2; 16]);
    request.fills = fills.map(|(field, text)| Fill { field: field.into(), text: text.into() }).into();
    let prepared = prepare(&base, &signed.index, &signed.midstate, &request).unwrap();
    SealTaskView {
        document: document.id,
        version: document.version,
        base: file_ref(base),
        tail: Base64Bytes(prepared.tail),
        field: "OrgSeal".into(),
        number: "29/QĐ-UBND".into(),
        date: "2026-03-02".into(),
        fills: fills.map(|(field, text)| FilledFieldView { field: field.into(), text: text.into() }).into(),
        manifest: Base64Bytes(manifest.to_vec()),
        certificate: Base64Bytes(organisation.certificate.clone()),
        chain: vec![],
        evidence: vec![],
        expires_at: NOW + Duration::hours(1),
    }
}

fn compact(key: &SigningKey, claims: &DecisionClaims) -> String {
    let header = serde_json::json!({"alg": "ES256", "typ": DECISION_TYP, "kid": claims.iss});
    let encode = |value: Vec<u8>| URL_SAFE_NO_PAD.encode(value);
    let signed = format!(
        "{}.{}",
        encode(serde_json::to_vec(&header).unwrap()),
        encode(serde_json::to_vec(claims).unwrap())
    );
    let signature: Signature = key.sign(signed.as_bytes());
    format!("{signed}.{}", encode(signature.to_bytes().to_vec()))
}

fn jwk(key: &SigningKey) -> PublicJwk {
    let point = key.verifying_key().to_sec1_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| URL_SAFE_NO_PAD.encode(bytes.unwrap());
    PublicJwk { kty: "EC".into(), crv: "P-256".into(), x: coordinate(point.x()), y: coordinate(point.y()) }
}
