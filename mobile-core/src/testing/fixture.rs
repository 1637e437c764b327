//! A document that really is one: provisioned and prepared by `pades`, with a SIM that signs, for tests of the check.

use base64::Engine as _;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use sha2::{Digest as _, Sha256};
use time::Duration;
use trinhky_pades::pdf::{self, Limits};
use trinhky_pades::{ProvisionPlan, Provisioned, SignRequest, ingest, prepare, provision};
use trinhky_protos::audit::{Consistency, ConsistencyView};
use trinhky_protos::document::{DocumentView, FileRefView};
use trinhky_protos::ids::{AttemptId, DeviceId};
use trinhky_protos::signing::{AttemptView, CodeKind, PrepareResponse};
use trinhky_protos::{Base64Bytes, HexDigest};

use super::{Bench, NOW};
use crate::keep::{Memory, Pin, remember};
use crate::review::Reviewed;

/// A SIM: a P-256 key and its certificate.
pub(crate) struct Sim {
    key: SigningKey,
    pub(crate) certificate: Vec<u8>,
}

impl Sim {
    /// One whose certificate names `name`.
    pub(crate) fn of(name: &str) -> Self {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = NOW - Duration::days(1);
        params.not_after = NOW + Duration::days(1);
        let certificate = params.self_signed(&pair).unwrap().der().to_vec();
        Self { key: SigningKey::from_pkcs8_der(&pair.serialize_der()).unwrap(), certificate }
    }

    /// What the SIM gives back: `r` then `s`.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_bytes().to_vec()
    }
}

/// A leader with an enrolled device who has read a document that was prepared for their signature.
pub(crate) struct Ready {
    pub(crate) bench: Bench,
    pub(crate) sim: Sim,
    pub(crate) base: Vec<u8>,
    pub(crate) provisioned: Provisioned,
    pub(crate) reviewed: Reviewed,
    /// What an honest server answers.
    pub(crate) prepared: PrepareResponse,
    /// The same as `pades` keeps it.
    pub(crate) kept: trinhky_pades::Prepared,
}

impl Ready {
    pub(crate) async fn new() -> Self {
        Self::with(&ProvisionPlan::standard(1), |_| {}).await
    }

    /// With a plan of its own, and a change to the document's data.
    pub(crate) async fn with(plan: &ProvisionPlan, change: impl FnOnce(&mut DocumentView)) -> Self {
        let bench = Bench::new().await;
        let sim = Sim::of(&bench.session.person().full_name);
        let bytes = a4();
        let ingested = ingest(&bytes, &Limits::default()).unwrap();
        let mut base = Vec::new();
        let provisioned = provision(&bytes, &ingested, plan, &mut base).unwrap();
        let manifest = serde_json::to_vec(&provisioned.manifest).unwrap();
        let mut document = bench.document(&[("main", &base)]);
        document.manifest = HexDigest(Sha256::digest(&manifest).into());
        change(&mut document);

        let pin = Pin {
            device: DeviceId::at(NOW, 5),
            person: bench.session.person().id,
            certificate: Base64Bytes(sim.certificate.clone()),
            code_kind: Some(CodeKind::MobileId4OverDigest),
        };
        bench.remember(|memory| memory.pin = Some(pin));
        let request = SignRequest::new("Signer1", &sim.certificate, NOW, [7; 16]);
        let kept = prepare(&base, &provisioned.index, &provisioned.midstate, &request).unwrap();
        let prepared = PrepareResponse {
            attempt: AttemptId::at(NOW, 6),
            base: FileRefView { sha256: HexDigest(provisioned.sha256.0), length: provisioned.len },
            tail: Base64Bytes(kept.tail.clone()),
            field: "Signer1".into(),
            certificate: Base64Bytes(sim.certificate.clone()),
            chain: vec![],
            manifest: Base64Bytes(manifest),
            display_text: "Ky so VB Bo nhiem can bo. Ma %%VC%%".into(),
            code_kind: CodeKind::MobileId4OverDigest,
            challenge: "challenge".into(),
            previous_decision: None,
            checkpoint: None,
            expires_at: NOW + Duration::minutes(15),
        };
        let reviewed = bench.read(&document, &base).await;
        Self { bench, sim, base, provisioned, reviewed, prepared, kept }
    }

    /// The attempt as the server tells it.
    pub(crate) fn attempt(&self, version: u64, state: &str, signature: Option<Vec<u8>>) -> AttemptView {
        AttemptView {
            id: self.prepared.attempt,
            version,
            purpose: "document".into(),
            state: state.into(),
            ended: state == "embedded",
            place: None,
            message: "…".into(),
            wants_cms: signature.is_some(),
            signature: signature.map(Base64Bytes),
            cms_from: None,
            changed_at: NOW,
        }
    }
}

/// An empty page of A4; the sizes have as many digits as those they replace, so every offset stays.
fn a4() -> Vec<u8> {
    let mut bytes = pdf::minimal();
    let (small, large) = (b"[0 0 200 100]", b"[0 0 595 842]");
    let at = bytes.windows(small.len()).position(|window| window == small).expect("the page's size");
    bytes[at..at + large.len()].copy_from_slice(large);
    bytes
}

impl Bench {
    /// Reviews a document of one file.
    pub(crate) async fn read(&self, document: &DocumentView, bytes: &[u8]) -> Reviewed {
        self.server.json(200, document);
        self.server.bytes(bytes);
        self.server.json(204, &"");
        let reviewed = self.session.review(&document.id.to_string()).await.unwrap();
        self.server.asked();
        reviewed
    }

    /// Changes what the device remembers.
    pub(crate) fn remember(&self, change: impl FnOnce(&mut Memory)) {
        remember(self.notes.as_ref(), change).unwrap();
    }
}

/// An audit log of so many entries.
pub(crate) struct Log(Vec<[u8; 32]>);

impl Log {
    pub(crate) fn of(entries: u8) -> Self {
        Self((0..entries).map(|n| leaf(&[n])).collect())
    }

    /// The same but for one entry.
    pub(crate) fn forked(&self, at: usize) -> Self {
        let mut leaves = self.0.clone();
        leaves[at] = leaf(b"another entry");
        Self(leaves)
    }

    pub(crate) fn size(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn checkpoint(&self) -> String {
        let root = base64::engine::general_purpose::STANDARD.encode(root(&self.0));
        format!("here/journal\n{}\n{root}\n", self.0.len())
    }

    /// `PROOF(first, D[n])` of RFC 6962 section 2.1.2, word for word.
    pub(crate) fn consistency(&self, first: usize) -> Consistency {
        let path = subproof(first, &self.0, true);
        let view = ConsistencyView {
            from: first as u64,
            to: self.0.len() as u64,
            path: path.into_iter().map(HexDigest).collect(),
        };
        view.into()
    }
}

fn leaf(entry: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(half(many.len()));
            Sha256::new()
                .chain_update([1])
                .chain_update(root(left))
                .chain_update(root(right))
                .finalize()
                .into()
        }
    }
}

fn subproof(first: usize, leaves: &[[u8; 32]], whole: bool) -> Vec<[u8; 32]> {
    if first == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let half = half(leaves.len());
    let (left, right) = leaves.split_at(half);
    if first <= half {
        [subproof(first, left, whole), vec![root(right)]].concat()
    } else {
        [subproof(first - half, right, false), vec![root(left)]].concat()
    }
}

/// The largest power of two below `n`.
fn half(n: usize) -> usize {
    1 << (n - 1).ilog2()
}

/// A tail that does what it should and, besides, writes `object` anew: the revision of an attacker who knows the format.
pub(crate) fn tampered(ready: &Ready, number: u32, object: &str) -> Vec<u8> {
    let tail = ready.kept.tail.as_slice();
    let find =
        |what: &[u8]| tail.windows(what.len()).rposition(|window| window == what).expect("a classic section");
    let (xref, trailer, startxref) = (find(b"\nxref\n") + 1, find(b"trailer"), find(b"startxref\n") + 10);
    let written = format!("{number} 0 obj\n{object}\nendobj\n");
    let at = ready.base.len() + xref;
    let entry = format!("{number} 1\n{at:010} 00000 n\r\n");
    let section: usize =
        std::str::from_utf8(&tail[startxref..]).unwrap().lines().next().unwrap().parse().unwrap();
    let mut bad = [&tail[..xref], written.as_bytes(), &tail[xref..trailer], entry.as_bytes()].concat();
    bad.extend_from_slice(&tail[trailer..startxref]);
    bad.extend_from_slice(format!("{}\n%%EOF\n", section + written.len()).as_bytes());
    stretch_byte_range(&mut bad, ready);
    bad
}

/// Writes the length of the second part anew, in the room it has.
fn stretch_byte_range(tail: &mut [u8], ready: &Ready) {
    let whole = ready.base.len() + tail.len();
    let begin = tail.windows(10).position(|window| window == b"/ByteRange").expect("a signature");
    let close = begin + tail[begin..].iter().position(|byte| *byte == b']').unwrap();
    let [_, first, resume, _] = ready.kept.byte_range;
    let room = close - begin;
    let range = format!("/ByteRange [0 {first} {resume} {}", whole as u64 - resume);
    assert!(range.len() <= room, "no room in the ByteRange");
    tail[begin..close].copy_from_slice(format!("{range:<room$}").as_bytes());
}
