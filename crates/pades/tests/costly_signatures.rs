//! Signatures, certificates, lists and answers made to be costly: each ends in an answer, soon, and never in a yes.
//!
//! Each of these kept an earlier version busy for many seconds or without end, or ended it; smaller here, as far as it still
//! shows. The keys and the structures are made here, by the standards alone.

#[path = "common/clock.rs"]
mod clock;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod forge;

use clock::soon;
use ed25519_dalek::{Signer as _, SigningKey};
use time::OffsetDateTime;
use time::macros::datetime;
use trinhky_pades::cms::{self, EssCheck};
use trinhky_pades::crypto;
use trinhky_pades::verify::{VerifyPolicy, verify};
use trinhky_pades::x509::path::{
    Constraint, Evidence, PathFailure, PathInputs, PathProblem, RevocationData, RevocationMode,
    RevocationStatus, revocation_status, validate,
};
use trinhky_pades::x509::{Certificate, TrustAnchors};

const NOW: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);
fn problem(leaf: &Certificate, inputs: &PathInputs<'_>) -> Option<PathProblem> {
    soon("it", || validate(leaf, inputs, crypto::pure())).err().map(|PathFailure { problem, .. }| problem)
}

#[test]
fn authorities_that_all_certify_each_other() {
    let who: Vec<Key> = (0..16).map(|n| Key::new(&format!("authority {n}"))).collect();
    let mut certificates = Vec::new();
    for (subject, issuer) in who.iter().flat_map(|subject| who.iter().map(move |issuer| (subject, issuer))) {
        certificates.push(issuer.certify(subject, &subject.name, AUTHORITY, &[]));
    }
    let leaf = who[0].certify(&Key::new("leaf"), "leaf", SIGNER, &[]);
    let anchors = TrustAnchors::new([Key::new("root").root()]);
    let inputs = PathInputs { candidates: &certificates, ..PathInputs::new(&anchors, NOW) };
    assert_eq!(problem(&leaf, &inputs), Some(PathProblem::TooManyPaths));

    // What leads to an anchor straight away is found all the same.
    let anchors = TrustAnchors::new([who[0].root()]);
    let inputs = PathInputs { mode: RevocationMode::Off, ..PathInputs { anchors: &anchors, ..inputs } };
    assert_eq!(problem(&leaf, &inputs), None);
}

#[test]
fn policies_mapped_crosswise() {
    // One policy takes over from all, and all from one, again and again; two authorities of each name.
    const COUNT: u64 = 500;
    let policy = |level: usize, nth: u64| {
        oid(&[
            0x2a,
            3,
            4,
            u8::try_from(level).expect("few"),
            0x81 + u8::try_from(nth >> 7).expect("few"),
            u8::try_from(nth & 0x7f).expect("seven bits"),
        ])
    };
    let mut certificates = Vec::new();
    let root = Key::new("root");
    let mut above = vec![root.clone()];
    for level in 0..14 {
        let wide = |level: usize| level != 1;
        let policies: Vec<Vec<u8>> =
            (0..if wide(level) { COUNT } else { 1 }).map(|nth| policy(level, nth)).collect();
        let mappings: Vec<Vec<u8>> = (0..COUNT)
            .map(|nth| {
                let own = if wide(level) { nth } else { 0 };
                let next = if wide(level + 1) { nth } else { 0 };
                seq(&[policy(level, own), policy(level + 1, next)])
            })
            .collect();
        let information: Vec<Vec<u8>> = policies.iter().map(|policy| tlv(0x30, policy)).collect();
        let extensions = [extension(POLICIES, &seq(&information)), extension(MAPPINGS, &seq(&mappings))];
        let name = format!("level {level}");
        let here: Vec<Key> = (0..2).map(|nth| Key::of(&format!("{name} {nth}"), &name)).collect();
        for issuer in &above {
            certificates.extend(here.iter().map(|key| issuer.certify(key, &name, AUTHORITY, &extensions)));
        }
        above = here;
    }
    let information: Vec<Vec<u8>> = (0..COUNT).map(|nth| seq(&[policy(14, nth)])).collect();
    let leaf = |extensions: &[Vec<u8>]| above[0].certify(&Key::new("leaf"), "leaf", SIGNER, extensions);
    let anchors = TrustAnchors::new([root.root()]);
    let inputs = PathInputs {
        candidates: &certificates,
        mode: RevocationMode::Off,
        max_intermediates: 20,
        ..PathInputs::new(&anchors, NOW)
    };
    let good =
        soon("it", || validate(&leaf(&[extension(POLICIES, &seq(&information))]), &inputs, crypto::pure()));
    assert_eq!(good.expect("a path").policies.len(), 500, "each of the first authority's policies");

    // An unknown critical extension in the leaf: every path is tried in vain.
    let unknown = seq(&[oid(&[0x2a, 3, 4, 5, 6, 7]), tlv(1, &[0xff]), tlv(4, &[5, 0])]);
    let bad = leaf(&[extension(POLICIES, &seq(&information)), unknown]);
    let found = problem(&bad, &inputs);
    assert!(
        matches!(
            found,
            Some(PathProblem::TooManyPaths | PathProblem::Constraint(Constraint::UnknownExtension))
        ),
        "{found:?}"
    );
}

#[test]
fn lists_by_strangers_for_every_distribution_point() {
    let (root, subject) = (Key::new("root"), Key::new("leaf"));
    // Each point names a stranger as the issuer of its list; each stranger has more issuers than are ever tried.
    let strangers: Vec<Key> = (0..30).map(|n| Key::new(&format!("stranger {n}"))).collect();
    let point = |stranger: &Key| seq(&[tlv(0xa2, &tlv(0xa4, &name(&stranger.name)))]);
    let points = tlv(0x30, &strangers.iter().flat_map(point).collect::<Vec<u8>>().repeat(17));
    let leaf = root.certify(&subject, "leaf", SIGNER, &[extension(POINTS, &points)]);
    let unknown = Key::new("unknown");
    let mut certificates: Vec<Certificate> =
        (0..450).map(|n| root.certify(&Key::new(&format!("key {n}")), "unknown", AUTHORITY, &[])).collect();
    certificates.extend(strangers.iter().chain(&strangers).enumerate().map(|(n, stranger)| {
        unknown.certify(stranger, &stranger.name, AUTHORITY, &[extension(KEY_ID, &tlv(4, &n.to_be_bytes()))])
    }));
    let mut revocation = RevocationData::default();
    let scope = seq(&[extension(SCOPE, &seq(&[tlv(0x84, &[0xff])]))]);
    for stranger in &strangers {
        revocation.add_crl_der(&stranger.list(&[], Some(&scope))).expect("a list");
    }
    let anchors = TrustAnchors::new([root.root()]);
    let inputs = PathInputs {
        candidates: &certificates,
        revocation: &revocation,
        mode: RevocationMode::IfAvailable,
        ..PathInputs::new(&anchors, NOW)
    };
    // Even where nothing has to be known: a revocation may be among what was not looked at.
    assert_eq!(problem(&leaf, &inputs), Some(PathProblem::TooManyPaths));
}

#[test]
fn a_long_list_for_many_certificates() {
    let curve = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("a key");
    let kind =
        seq(&[oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])]);
    let spki = seq(&[kind, bits(&curve.verifying_key().to_sec1_bytes())]);
    let root = Key::new("root");
    let issuer = root.issued(1, &spki, "root", AUTHORITY, &[]);
    let entry = |n: u32| seq(&[int(&(0x0100_0000 + n).to_be_bytes()), begin()]);
    let entries = (0..200_000).flat_map(entry).collect::<Vec<u8>>();
    let algorithm = seq(&[oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
    let tbs = list_of("root", &algorithm, &entries, None);
    let value: p256::ecdsa::Signature = curve.sign(&tbs);
    let mut revocation = RevocationData::default();
    let list = seq(&[tbs, algorithm, bits(value.to_der().as_bytes())]);
    revocation.add_crl_der(&list).expect("a list");
    let anchors = TrustAnchors::new([root.root()]);
    let inputs = PathInputs { revocation: &revocation, ..PathInputs::new(&anchors, NOW) };
    let numbers = (0..300).map(|n| 0x0100_0000 + n * 1000);
    let leaf = |n| root.numbered(n, &Key::new("leaf"), "leaf", SIGNER, &[]);
    let leaves: Vec<Certificate> = numbers.map(leaf).collect();
    soon("it", || {
        for (n, leaf) in leaves.iter().enumerate() {
            let found = revocation_status(leaf, std::slice::from_ref(&issuer), &inputs, crypto::pure());
            let listed = n < 200;
            assert_eq!(matches!(found, RevocationStatus::Revoked(_)), listed, "{n}");
            assert_eq!(matches!(found, RevocationStatus::Good(Evidence::Crls(_))), !listed, "{n}");
        }
    });
}

#[test]
fn a_long_list_that_anybody_may_have_signed() {
    // Each of a thousand keys of the right name may be the one; what they are tried on is the same.
    let root = Key::new("root");
    let sha512_with_rsa = seq(&[oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0d]), tlv(5, &[])]);
    let entries = seq(&[int(&[1]), begin()]).repeat(400_000);
    let list = seq(&[list_of("root", &sha512_with_rsa, &entries, None), sha512_with_rsa, bits(&[1; 128])]);
    let mut revocation = RevocationData::default();
    revocation.add_crl_der(&list).expect("a list");
    let rsa = |n: u16| {
        let key = seq(&[int(&[&[0xc0], n.to_be_bytes().as_slice(), &[1; 125]].concat()), int(&[1, 0, 1])]);
        let algorithm = seq(&[oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), tlv(5, &[])]);
        root.issued(1, &seq(&[algorithm, bits(&key)]), "root", AUTHORITY, &[])
    };
    let others: Vec<Certificate> = (0..1000).map(rsa).collect();
    let anchors = TrustAnchors::new([root.root()]);
    let leaf = root.numbered(7, &Key::new("leaf"), "leaf", SIGNER, &[]);
    let inputs =
        PathInputs { revocation: &revocation, candidates: &others, ..PathInputs::new(&anchors, NOW) };
    let found = soon("it", || revocation_status(&leaf, &[root.root()], &inputs, crypto::pure()));
    assert!(matches!(found, RevocationStatus::Unknown), "{found:?}");
}

#[test]
fn answers_about_an_issuer_with_an_endless_name() {
    let root = Key::of("root", &"r".repeat(60_000));
    let leaf = root.numbered(7, &Key::new("leaf"), "leaf", SIGNER, &[]);
    let hash = seq(&[seq(&[oid(SHA512)]), tlv(4, &[1; 64]), tlv(4, &[2; 64]), int(&[7])]);
    let single = seq(&[hash, tlv(0x80, &[]), tlv(0x18, b"20260531000000Z")]);
    let answers = single.repeat(512);
    let mut revocation = RevocationData::default();
    for n in 0..300_u16 {
        let data = seq(&[
            tlv(0xa2, &tlv(4, &n.to_be_bytes().repeat(10))),
            tlv(0x18, b"20260531000000Z"),
            tlv(0x30, &answers),
        ]);
        let basic = seq(&[data, seq(&[oid(ED25519)]), bits(&[0; 64])]);
        let bytes = seq(&[oid(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]), tlv(4, &basic)]);
        let response = seq(&[tlv(0x0a, &[0]), tlv(0xa0, &bytes)]);
        revocation.add_ocsp_der(&response).expect("an answer");
    }
    let anchors = TrustAnchors::new([root.root()]);
    let inputs = PathInputs { revocation: &revocation, ..PathInputs::new(&anchors, NOW) };
    assert_eq!(problem(&leaf, &inputs), Some(PathProblem::RevocationUnknown));
}

#[test]
fn hundreds_of_signatures_with_hundreds_of_possible_issuers() {
    let (root, issuer) = (Key::new("root"), Key::new("issuer"));
    let others: Vec<Certificate> =
        (0..450).map(|n| root.certify(&Key::new(&format!("key {n}")), "issuer", AUTHORITY, &[])).collect();
    let message = |n: u32| {
        let leaf = issuer.numbered(n, &Key::new("leaf"), "leaf", SIGNER, &[]);
        let others = if n == 0 { others.as_slice() } else { &[] };
        let signer = signer_info(&issuer.name, n, None);
        message(std::iter::once(&leaf).chain(others), &signer)
    };
    let file = signed_file(&(0..500).map(message).collect::<Vec<_>>());
    let anchors = TrustAnchors::new([root.root()]);
    let report =
        soon("it", || verify(&file, &VerifyPolicy::new(&anchors, NOW, crypto::pure()))).expect("a report");
    assert_eq!(report.signatures.len(), 500);
    for one in report.signatures {
        assert_eq!(one.checks.certificate.reason.as_deref(), Some("no_certificate_chain"));
    }
}

#[test]
fn signatures_that_share_their_value() {
    // Each dictionary begins in the comment of the one before it: two hundred kilobytes for hundreds of signatures.
    let value = format!("<{}>", "30".repeat(100_000));
    let mut file = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[".to_vec();
    let mut offsets = vec![(1, 9)];
    let fields = references((1000..1400).collect());
    file.extend(format!("{fields}]>>>>\nendobj\n").bytes());
    let mut object = |file: &mut Vec<u8>, number: usize, body: &str| {
        offsets.push((number, file.len()));
        file.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
    };
    object(&mut file, 2, "<</Type/Pages/Count 1/Kids[3 0 R]>>");
    object(&mut file, 3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>");
    for n in 0..400 {
        object(&mut file, 1000 + n, &format!("<</FT/Sig/T(s{n})/V {} 0 R>>", 2000 + n));
    }
    for n in 2000..2400 {
        offsets.push((n, file.len()));
        file.extend(format!("{n} 0 obj<<%").bytes());
    }
    let rest = "/Type/Sig/SubFilter/adbe.pkcs7.detached/ByteRange[0 9 9 9]";
    file.extend(format!("\n{rest}/Contents{value}>>\nendobj\n").bytes());
    let start = file.len();
    file.extend(b"xref\n0 1\n0000000000 65535 f \n");
    for (number, offset) in offsets {
        file.extend(format!("{number} 1\n{offset:010} 00000 n \n").bytes());
    }
    file.extend(format!("trailer\n<</Size 3000/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
    let anchors = TrustAnchors::new([Key::new("root").root()]);
    let report =
        soon("it", || verify(&file, &VerifyPolicy::new(&anchors, NOW, crypto::pure()))).expect("a report");
    assert_eq!(report.signatures.len(), 400);
    let shared = Some("contents_shared");
    let shared = report.signatures.iter().filter(|one| one.checks.signature.reason.as_deref() == shared);
    assert_eq!(shared.count(), 399);
}

#[test]
fn certificates_of_one_name_and_number() {
    // The attribute names none of them, and each has to be digested to know it.
    let root = Key::new("root");
    let long = |n: u32| extension(KEY_ID, &tlv(4, &n.to_be_bytes().repeat(25_000)));
    let swapped = |n: u32| root.numbered(7, &Key::new("leaf"), "leaf", SIGNER, &[long(n)]);
    let swapped: Vec<Certificate> = (0..100).map(swapped).collect();
    let message = cms::parse(&message([], &signer_info("root", 7, Some(&[7; 64])))).expect("a message");
    soon("it", || {
        for _ in 0..500 {
            let checks = message.signers[0].inspect(&message, &[0; 64], &swapped, crypto::pure());
            assert_eq!(checks.signing_certificate, EssCheck::Mismatch);
        }
    });
}

#[test]
fn the_end_of_time() {
    let root = Key::new("root");
    let mut revocation = RevocationData::default();
    revocation.add_crl_der(&root.list(&[], None)).expect("a list");
    let leaf = root.certify(&Key::new("leaf"), "leaf", SIGNER, &[]);
    let anchors = TrustAnchors::new([root.root()]);
    let last = datetime!(9999-12-31 23:59:59 UTC);
    let inputs = PathInputs { revocation: &revocation, ..PathInputs::new(&anchors, last) };
    assert_eq!(problem(&leaf, &inputs), Some(PathProblem::RevocationUnknown));
}

/// A key and whose it is.
#[derive(Clone)]
struct Key {
    key: SigningKey,
    name: String,
}

impl Key {
    fn new(name: &str) -> Self {
        Self::of(name, name)
    }

    /// The key made of `seed` for somebody called `name`.
    fn of(seed: &str, name: &str) -> Self {
        let seed = trinhky_pades::Digest::of(seed.as_bytes());
        Self { key: SigningKey::from_bytes(seed.as_bytes()), name: name.to_owned() }
    }

    fn root(&self) -> Certificate {
        self.certify(self, &self.name, AUTHORITY, &[])
    }

    fn certify(&self, key: &Self, subject: &str, usage: u8, extensions: &[Vec<u8>]) -> Certificate {
        self.numbered(1, key, subject, usage, extensions)
    }

    fn numbered(&self, serial: u32, key: &Self, subject: &str, usage: u8, more: &[Vec<u8>]) -> Certificate {
        let spki = seq(&[seq(&[oid(ED25519)]), bits(key.key.verifying_key().as_bytes())]);
        self.issued(serial, &spki, subject, usage, more)
    }

    /// A certificate for the key `spki` as `subject`, by this key.
    fn issued(&self, serial: u32, spki: &[u8], subject: &str, usage: u8, more: &[Vec<u8>]) -> Certificate {
        let mut extensions = vec![extension(USAGE, &tlv(3, &[0, usage]))];
        if usage == AUTHORITY {
            extensions.push(extension(BASIC, &seq(&[tlv(1, &[0xff])])));
        }
        extensions.extend_from_slice(more);
        let tbs = seq(&[
            tlv(0xa0, &int(&[2])),
            int(&serial.to_be_bytes()),
            seq(&[oid(ED25519)]),
            name(&self.name),
            seq(&[begin(), tlv(0x18, b"99991231235959Z")]),
            name(subject),
            spki.to_vec(),
            tlv(0xa3, &seq(&extensions)),
        ]);
        Certificate::from_der(&self.signed(tbs)).expect("a certificate")
    }

    /// A list with these entries.
    fn list(&self, entries: &[u8], extensions: Option<&[u8]>) -> Vec<u8> {
        self.signed(list_of(&self.name, &seq(&[oid(ED25519)]), entries, extensions))
    }

    fn signed(&self, tbs: Vec<u8>) -> Vec<u8> {
        let value = bits(&self.key.sign(&tbs).to_bytes());
        seq(&[tbs, seq(&[oid(ED25519)]), value])
    }
}

/// A message over data that is elsewhere.
fn message<'c>(certificates: impl IntoIterator<Item = &'c Certificate>, signer: &[u8]) -> Vec<u8> {
    let certificates: Vec<u8> = certificates.into_iter().flat_map(Certificate::as_der).copied().collect();
    let data = oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]);
    let hashes = tlv(0x31, &seq(&[oid(SHA512)]));
    let parts = [int(&[1]), hashes, seq(&[data]), tlv(0xa0, &certificates), tlv(0x31, signer)];
    seq(&[oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]), tlv(0xa0, &seq(&parts))])
}

/// A signer that names its certificate by issuer and number, perhaps also by its digest.
fn signer_info(issuer: &str, serial: u32, bound: Option<&[u8]>) -> Vec<u8> {
    let id = seq(&[name(issuer), int(&serial.to_be_bytes())]);
    let mut parts = vec![int(&[1]), id, seq(&[oid(SHA512)])];
    if let Some(digest) = bound {
        let certificates = seq(&[seq(&[seq(&[seq(&[oid(SHA512)]), tlv(4, digest)])])]);
        let attribute = oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47]);
        parts.push(tlv(0xa0, &seq(&[attribute, tlv(0x31, &certificates)])));
    }
    parts.extend([seq(&[oid(ED25519)]), tlv(4, &[0; 64])]);
    seq(&parts)
}

fn references(numbers: Vec<usize>) -> String {
    numbers.into_iter().fold(String::new(), |list, number| format!("{list}{number} 0 R "))
}

/// A file with these messages as its signatures, over nothing much.
fn signed_file(messages: &[Vec<u8>]) -> Vec<u8> {
    let fields = references((0..messages.len()).map(|n| 4 + 2 * n).collect());
    let mut objects = vec![
        format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[{fields}]>>>>"),
        "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>".to_owned(),
    ];
    for (n, message) in messages.iter().enumerate() {
        let digits = message.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
        objects.push(format!("<</FT/Sig/T(s{n})/V {} 0 R>>", 5 + 2 * n));
        objects.push(format!(
            "<</Type/Sig/SubFilter/adbe.pkcs7.detached/ByteRange[0 9 9 9]/Contents<{digits}>>>"
        ));
    }
    forge::plain(&objects, "")
}

/// A list to be signed.
fn list_of(issuer: &str, algorithm: &[u8], entries: &[u8], extensions: Option<&[u8]>) -> Vec<u8> {
    let until = tlv(0x18, b"20270101000000Z");
    let mut parts = vec![int(&[1]), algorithm.to_vec(), name(issuer), begin(), until];
    if !entries.is_empty() {
        parts.push(tlv(0x30, entries));
    }
    parts.extend(extensions.map(|extensions| tlv(0xa0, extensions)));
    seq(&parts)
}

const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
const BASIC: &[u8] = &[0x55, 0x1d, 19];
const USAGE: &[u8] = &[0x55, 0x1d, 15];
const KEY_ID: &[u8] = &[0x55, 0x1d, 14];
const SCOPE: &[u8] = &[0x55, 0x1d, 28];
const POINTS: &[u8] = &[0x55, 0x1d, 31];
const POLICIES: &[u8] = &[0x55, 0x1d, 32];
const MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
/// Key usage: keyCertSign and cRLSign, and digitalSignature.
const AUTHORITY: u8 = 0x06;
const SIGNER: u8 = 0x80;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(u8::try_from(short).expect("short")),
        long => {
            let bytes: Vec<u8> = long.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(bytes.len()).expect("eight at most"));
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn oid(content: &[u8]) -> Vec<u8> {
    tlv(6, content)
}

/// A positive INTEGER.
fn int(digits: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = [&[0], digits].concat().into_iter().skip_while(|byte| *byte == 0).collect();
    let sign = digits.first().is_none_or(|byte| byte & 0x80 != 0);
    tlv(2, &if sign { [&[0], digits.as_slice()].concat() } else { digits })
}

fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content].concat())
}

fn extension(id: &[u8], value: &[u8]) -> Vec<u8> {
    seq(&[oid(id), tlv(4, value)])
}

/// `CN=…` alone.
fn name(common: &str) -> Vec<u8> {
    seq(&[tlv(0x31, &seq(&[oid(&[0x55, 4, 3]), tlv(0x0c, common.as_bytes())]))])
}

/// The first of 2026.
fn begin() -> Vec<u8> {
    tlv(0x17, b"260101000000Z")
}
