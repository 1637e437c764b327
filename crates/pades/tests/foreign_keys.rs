//! P-521 and Ed25519: kinds of key that others sign with. Read and verified wherever a signature stands (documents,
//! certificates, lists, OCSP answers, time stamps), by every provider; and no signature of ours is made with them.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod timeline;

use pki::{Kind, Pki, providers};
use time::Duration;
use timeline::Keys;
use timeline::life::{DAY, Life, signature};
use trinhky_pades::cms::{
    self, CmsRefused, EssCheck, Finding, ID_DATA, SignatureValue, SignatureValueError, check,
    signed_attributes,
};
use trinhky_pades::crypto::{CryptoError, HashAlgorithm, SignatureAlgorithm};
use trinhky_pades::digest::Digest;
use trinhky_pades::tsp::TimestampRequest;
use trinhky_pades::verify::{Indication, Level, SubIndication};
use trinhky_pades::x509::path::{PathInputs, Purpose, RevocationMode, validate};
use trinhky_pades::x509::{TrustAnchors, certificates_from_pem};

const FOREIGN: [Keys; 2] = [Keys::P521, Keys::Ed25519];
const CONTENT: &[u8] = b"%PDF-1.7 everything but the gap";

/// Everybody has such a key: signer, authorities of certificates and of time, and who tells of revocation.
fn signed_and_archived(keys: Keys) -> Life {
    let mut life = Life::with(keys, DAY);
    life.sign_as_others(DAY, |line, covered| {
        line.stamped(&line.detached("signer", &line.digest(covered)), "tsa", DAY)
    });
    life.store(&["signer", "tsa"], DAY + Duration::hours(1));
    life.archive("tsa", DAY + Duration::hours(2));
    life
}

#[test]
fn documents_of_others_pass_with_all_that_proves_them() {
    for keys in FOREIGN {
        let life = signed_and_archived(keys);
        for provider in providers() {
            let report = life.report_by(DAY + Duration::days(1), provider);
            assert!(report.passed(), "{keys:?} {}: {report:#?}", provider.name());
            assert_eq!(signature(&report).level, Level::BLta, "{keys:?}");
            assert_eq!(signature(&report).timestamp_time, Some(DAY), "{keys:?}");
        }
    }
}

#[test]
fn revocation_is_heard_from_them() {
    for keys in FOREIGN {
        let mut life = Life::with(keys, DAY);
        life.line.revoke("signer", DAY - Duration::days(1));
        life.sign_as_others(DAY, |line, covered| {
            line.stamped(&line.detached("signer", &line.digest(covered)), "tsa", DAY)
        });
        life.store(&["signer", "tsa"], DAY + Duration::hours(1));
        for provider in providers() {
            let report = life.report_by(DAY + Duration::days(1), provider);
            let one = signature(&report);
            assert_eq!(one.sub_indication, Some(SubIndication::Revoked), "{keys:?} {}", provider.name());
        }
    }
}

#[test]
fn a_changed_document_fails() {
    for keys in FOREIGN {
        let mut life = signed_and_archived(keys);
        // In the first object, which every signature covers.
        life.bytes[20] ^= 1;
        for provider in providers() {
            let report = life.report_by(DAY + Duration::days(1), provider);
            assert!(!report.passed(), "{keys:?} {}", provider.name());
        }
    }
}

/// What the value says, by itself.
fn found(message: &[u8], content: &[u8]) -> Vec<Finding> {
    let message = cms::parse(message).unwrap();
    let signer = &message.signers[0];
    let digest = signer.digest_algorithm.unwrap().digest(content);
    let say = |provider| signer.inspect(&message, &digest, &[], provider).signature;
    providers().into_iter().map(say).collect()
}

fn all(found: &[Finding], wanted: Finding) -> bool {
    found.iter().all(|finding| *finding == wanted)
}

#[test]
fn a_value_over_attributes_is_over_themselves() {
    for keys in FOREIGN {
        let line = Life::with(keys, DAY).line;
        let cms = line.detached("signer", &line.digest(CONTENT));
        assert!(all(&found(&cms, CONTENT), Finding::Holds), "{keys:?}");
        // Bytes of the value, which is the last of the message.
        for from_end in [1, 20, 60] {
            let mut changed = cms.clone();
            let at = changed.len() - from_end;
            changed[at] ^= 1;
            assert!(all(&found(&changed, CONTENT), Finding::Fails), "{keys:?}, {from_end} from the end");
        }
    }
}

/// RFC 8419 3: beside Ed25519 stands SHA-512, for whatever the digest is needed.
#[test]
fn ed25519_beside_another_hash_is_refused() {
    let line = Life::with(Keys::Ed25519, DAY).line;
    let cms = line.detached("signer", &line.digest(CONTENT));
    let signer = &cms::parse(&cms).unwrap().signers[0];
    assert_eq!(signer.signature_algorithm, Ok(SignatureAlgorithm::Ed25519));
    assert_eq!(signer.digest_algorithm, Some(HashAlgorithm::Sha512));
    for (last, hash) in [(1, HashAlgorithm::Sha256), (2, HashAlgorithm::Sha384)] {
        let other = with_hash(&cms, last);
        let signer = &cms::parse(&other).unwrap().signers[0];
        assert_eq!(signer.digest_algorithm, Some(hash));
        assert_eq!(signer.signature_algorithm, Err(CryptoError::Unsupported));
        assert!(all(&found(&other, CONTENT), Finding::Unknown(CryptoError::Unsupported)), "{hash:?}");
    }
}

/// With another hash named in both places where SHA-512 is: 1 is SHA-256, 2 is SHA-384.
fn with_hash(cms: &[u8], last: u8) -> Vec<u8> {
    let sha512 = [0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 2, 3];
    let places: Vec<usize> = (0..cms.len()).filter(|at| cms[*at..].starts_with(&sha512)).collect();
    assert_eq!(places.len(), 2);
    let mut other = cms.to_vec();
    for at in places {
        other[at + sha512.len() - 1] = last;
    }
    other
}

/// Without signed attributes the value is over the content, of which a verifier of a large file has the digest only.
#[test]
fn without_attributes_a_digest_tells_of_p521_and_not_of_ed25519() {
    let cases = [
        (Keys::P521, Finding::Holds, None),
        (Keys::Ed25519, Finding::Unknown(CryptoError::NeedsMessage), Some("digest_not_checked")),
    ];
    for (keys, finding, integrity) in cases {
        let mut life = Life::with(keys, DAY);
        assert!(all(&found(&life.line.bare("signer", CONTENT), CONTENT), finding), "{keys:?}");
        // Not even if what was signed is the digest.
        let prehashed = life.line.bare("signer", &life.line.digest(CONTENT));
        assert!(!found(&prehashed, CONTENT).contains(&Finding::Holds), "{keys:?}");
        life.sign_as_others(DAY, |line, covered| line.bare("signer", covered));
        for provider in providers() {
            let report = life.report_by(DAY, provider);
            let one = signature(&report);
            assert_eq!(one.checks.integrity.reason.as_deref(), integrity, "{keys:?} {}", provider.name());
            // PAdES asks for an attribute that names the certificate.
            assert_eq!(one.indication, Indication::Indeterminate);
        }
    }
}

#[test]
fn messages_of_openssl_hold_on_p521() {
    let pki = Pki::new();
    pki.signer("leader", Kind::P521);
    pki.write("content.bin", CONTENT);
    for hash in ["sha256", "sha384", "sha512"] {
        let cms = sign(&pki, "leader", hash);
        let message = cms::parse(&cms).unwrap();
        let signer = &message.signers[0];
        let digest = signer.digest_algorithm.unwrap().digest(CONTENT);
        for provider in providers() {
            let checks = signer.inspect(&message, &digest, &[], provider);
            assert_eq!(checks.sub_indication(), None, "{hash} {}: {checks:?}", provider.name());
            assert_eq!((checks.signing_certificate, checks.weaknesses.len()), (EssCheck::MatchesV2, 0));
        }
    }
    // And a time stamp of openssl.
    pki.issue("clock", Kind::P521, "/CN=TSA P-521", "tsa", "ca");
    let request = TimestampRequest::over(b"value", [9; 16]).unwrap();
    let response = pki.timestamp("clock", request.as_der());
    for provider in providers() {
        let token = request.accept(&response, provider).unwrap();
        assert_eq!(token.certificate().subject().common_name(), Some("TSA P-521"));
    }
}

fn sign(pki: &Pki, name: &str, hash: &str) -> Vec<u8> {
    let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
    pki.run(&[
        "cms",
        "-sign",
        "-binary",
        "-cades",
        "-nosmimecap",
        "-in",
        "content.bin",
        "-signer",
        &certificate,
        "-inkey",
        &key,
        "-md",
        hash,
        "-outform",
        "DER",
    ])
}

#[test]
fn nothing_new_is_made_with_them() {
    let pki = Pki::new();
    pki.write("content.bin", CONTENT);
    let digest = Digest::of(CONTENT);
    for (name, kind, hash) in [("p521", Kind::P521, "-sha256"), ("ed25519", Kind::Ed25519, "-rawin")] {
        pki.signer(name, kind);
        let certificate = pki.certificate(name);
        // A value as a token would give it, raw (r||s, R||S) and in DER, does not become one of ours.
        let attributes = signed_attributes(&digest, &certificate, ID_DATA).unwrap();
        let value = pki.sign(name, hash, &[], attributes.as_der());
        for raw in [value.as_slice(), &[7; 64], &[7; 132], &[7; 96]] {
            let refused = SignatureValue::from_raw(raw, &certificate);
            assert_eq!(refused, Err(SignatureValueError::NotForSigning), "{name}");
            let refused = SignatureValue::from_raw_pss(raw, &certificate);
            assert_eq!(refused, Err(SignatureValueError::Key(CryptoError::WrongKey)), "{name}");
        }
    }
    // A ready message, right but for the kind of key (what comes after in the gate is about the attributes).
    pki.signer("p384", Kind::P384);
    for (name, code) in [("p384", "cms_attributes"), ("p521", "algorithm_not_allowed")] {
        let cms = sign(&pki, name, "sha256");
        for provider in providers() {
            let refused = check(&cms, &digest, &pki.certificate(name), provider).unwrap_err();
            assert_eq!(refused.code(), code, "{name}: {refused}");
        }
    }
    // One of exactly our attributes by a key of another kind: as its standard has it, and with SHA-256 named.
    let line = Life::with(Keys::Ed25519, DAY).line;
    let certificate = line.certificate("signer");
    let cms = line.detached("signer", digest.as_bytes());
    let renamed = with_hash(&cms, 1);
    for provider in providers() {
        assert_eq!(check(&cms, &digest, &certificate, provider), Err(CmsRefused::Algorithm));
        assert_eq!(check(&renamed, &digest, &certificate, provider), Err(CmsRefused::Algorithm));
    }
}

/// pyHanko's PKI in which everybody has an Ed25519 key, and the example of RFC 8410 10.2.
#[test]
fn certificates_of_others_hold() {
    let Some(folder) = pki::corpora("x509/certvalidator/testing-ca-ed25519") else { return };
    let read = |name: &str| {
        let pem = std::fs::read_to_string(folder.join(name)).unwrap();
        certificates_from_pem(&pem).unwrap().remove(0)
    };
    let anchor = read("root.cert.pem");
    let anchors = TrustAnchors::new([anchor.clone()]);
    let candidates = [read("interm.cert.pem")];
    for name in ["signer.cert.pem", "signer2.cert.pem", "tsa.cert.pem", "tsa2.cert.pem"] {
        let leaf = read(name);
        let inputs = PathInputs {
            candidates: &candidates,
            mode: RevocationMode::Off,
            purpose: Purpose::Any,
            ..PathInputs::new(&anchors, leaf.not_before() + Duration::days(1))
        };
        for provider in providers() {
            let path = validate(&leaf, &inputs, provider);
            assert!(path.is_ok(), "{name} {}: {path:?}", provider.name());
        }
    }
    let Some(folder) = pki::corpora("x509/pyca-vectors/x509/ed25519") else { return };
    let read = |name: &str| {
        let pem = std::fs::read_to_string(folder.join(name)).unwrap();
        certificates_from_pem(&pem).unwrap().remove(0)
    };
    let (root, example) = (read("root-ed25519.pem"), read("ed25519-rfc8410.pem"));
    // RFC 8410 10.1.
    let key = pki::base64("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    for provider in providers() {
        assert_eq!(root.verify_signed_by(root.spki(), provider), Ok(()));
        assert_eq!(example.verify_signed_by(&key, provider), Ok(()));
        let other = anchor.verify_signed_by(&key, provider);
        assert_eq!(other, Err(CryptoError::BadSignature));
    }
    // What it certifies is a key for key agreement, which signs nothing.
    assert_eq!(example.public_key().err(), Some(CryptoError::Unsupported));
}
