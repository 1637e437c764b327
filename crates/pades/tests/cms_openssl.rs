//! Our CMS before a foreign judge (`openssl cms -cades`, `openssl ts`), and what the strict gate refuses.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use pki::{Kind, Pki, providers};
use trinhky_pades::cms::{
    self, CheckedCms, CmsRefused, EssCheck, Finding, ID_DATA, ID_ENROLMENT, SignatureValue, TimestampRefused,
    assemble, check, check_statement, signed_attributes,
};
use trinhky_pades::digest::Digest;
use trinhky_pades::tsp::{TimestampRequest, TokenRefused, TspRefused};

const CONTENT: &[u8] = b"%PDF-1.7 everything but the gap";

struct Made {
    certificate: Vec<u8>,
    cms: Vec<u8>,
}

fn make(pki: &Pki, name: &str, options: &[&str]) -> Made {
    let certificate = pki.certificate(name);
    let attributes = signed_attributes(&Digest::of(CONTENT), &certificate, ID_DATA).unwrap();
    let raw = pki.sign(name, "-sha256", options, attributes.as_der());
    let value = if options.is_empty() {
        SignatureValue::from_raw(&raw, &certificate)
    } else {
        SignatureValue::from_raw_pss(&raw, &certificate)
    };
    let ca = pki.certificate("ca");
    let cms = assemble(&attributes, &value.unwrap(), &certificate, &[&ca, &certificate]).unwrap();
    Made { certificate, cms }
}

fn judge(pki: &Pki, cms: &[u8]) -> bool {
    pki.write("sig.der", cms);
    pki.write("content.bin", CONTENT);
    pki.try_run(&[
        "cms",
        "-verify",
        "-cades",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "sig.der",
        "-content",
        "content.bin",
        "-CAfile",
        "root.pem",
        "-purpose",
        "any",
        "-out",
        "verified.bin",
    ])
    .status
    .success()
}

#[test]
fn openssl_accepts_every_kind_of_key() {
    let pki = Pki::new();
    let pss: &[&str] = &["rsa_padding_mode:pss", "rsa_pss_saltlen:32"];
    let cases: [(&str, Kind, &[&str]); 5] = [
        ("rsa2048", Kind::Rsa(2048), &[]),
        ("rsa3072", Kind::Rsa(3072), &[]),
        ("pss", Kind::Rsa(2048), pss),
        ("p256", Kind::P256, &[]),
        ("p384", Kind::P384, &[]),
    ];
    for (name, kind, options) in cases {
        pki.signer(name, kind);
        let made = make(&pki, name, options);
        assert!(judge(&pki, &made.cms), "{name}");
        let estimated = cms::estimated_length(&made.certificate, &[&pki.certificate("ca")], false).unwrap();
        assert!((made.cms.len()..made.cms.len() + 600).contains(&estimated), "{name}: {estimated}");
        for provider in providers() {
            let checked = check(&made.cms, &Digest::of(CONTENT), &made.certificate, provider).unwrap();
            assert_eq!(checked.as_der(), made.cms);
            assert_eq!(checked.certificate().subject().common_name(), Some("Nguyễn Văn Ân"));
        }
        // The lenient reader agrees.
        let message = cms::parse(&made.cms).unwrap();
        let [signer] = message.signers.as_slice() else { panic!("one signer") };
        let digest = Digest::of(CONTENT);
        let checks = signer.inspect(&message, digest.as_bytes(), &[], providers()[0]);
        assert_eq!(checks.sub_indication(), None);
        assert_eq!(checks.signing_certificate, EssCheck::MatchesV2);
        assert!(checks.weaknesses.is_empty());
        let other = signer.inspect(&message, &[0; 32], &[], providers()[0]);
        assert_eq!((other.content, other.sub_indication()), (Finding::Fails, Some("HASH_FAILURE")));
    }
}

/// Some programs sign the attributes in the order of DER and write them in another.
#[test]
fn attributes_out_of_order() {
    let pki = Pki::new();
    pki.signer("sim", Kind::P256);
    let made = make(&pki, "sim", &[]);
    let attributes = signed_attributes(&Digest::of(CONTENT), &made.certificate, ID_DATA).unwrap();
    let der = attributes.as_der();
    let head = if der[1] & 0x80 == 0 { 2 } else { 2 + usize::from(der[1] & 0x7f) };
    let content = &der[head..];
    let mut items = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let (item, behind) = rest.split_at(trinhky_pades::asn1::der_length(rest).unwrap());
        items.push(item);
        rest = behind;
    }
    assert!(items.len() >= 3);
    items.reverse();
    let reversed = items.concat();
    let at = made.cms.windows(content.len()).position(|window| window == content).unwrap();
    let mut cms = made.cms.clone();
    cms[at..at + content.len()].copy_from_slice(&reversed);
    let found = |cms: &[u8]| {
        let message = cms::parse(cms).unwrap();
        let digest = Digest::of(CONTENT);
        let signature =
            |provider| message.signers[0].inspect(&message, digest.as_bytes(), &[], provider).signature;
        providers().into_iter().map(signature).collect::<Vec<_>>()
    };
    assert!(found(&cms).iter().all(|signature| *signature == Finding::Holds));
    for provider in providers() {
        assert!(check(&cms, &Digest::of(CONTENT), &made.certificate, provider).is_err(), "nothing we embed");
    }
    // The last bytes of the message digest.
    let digest = Digest::of(CONTENT).0;
    let at = cms.windows(32).position(|window| window == digest).unwrap();
    cms[at + 31] ^= 1;
    assert!(found(&cms).iter().all(|signature| *signature == Finding::Fails));
}

#[test]
fn both_halves_make_the_same_bytes() {
    let pki = Pki::new();
    pki.signer("sim", Kind::Rsa(2048));
    let certificate = pki.certificate("sim");
    let attributes = signed_attributes(&Digest::of(CONTENT), &certificate, ID_DATA).unwrap();
    assert_eq!(attributes.dtbs_digest(), Digest::of(attributes.as_der()));
    let raw = pki.sign("sim", "-sha256", &[], attributes.as_der());
    let value = SignatureValue::from_raw(&raw, &certificate).unwrap();
    let (ca, root) = (pki.certificate("ca"), pki.certificate("root"));
    let phone = assemble(&attributes, &value, &certificate, &[&ca, &root]).unwrap();
    let server = assemble(&attributes, &value, &certificate, &[&root, &certificate, &ca, &ca]).unwrap();
    assert_eq!(phone, server);
}

#[test]
fn a_time_stamp_goes_in_before_embedding() {
    let pki = Pki::new();
    pki.signer("sim", Kind::Rsa(2048));
    let made = make(&pki, "sim", &[]);
    for provider in providers() {
        let checked = check(&made.cms, &Digest::of(CONTENT), &made.certificate, provider).unwrap();
        let request = TimestampRequest::over(checked.signature_value(), [0xff; 16]).unwrap();
        let response = pki.timestamp("tsa", request.as_der());
        let token = request.accept(&response, provider).unwrap();
        assert_eq!(token.certificate().subject().common_name(), Some("TSA thử nghiệm"));

        let stamped = checked.add_timestamp(&token).unwrap();
        assert!(stamped.has_timestamp() && judge(&pki, stamped.as_der()));
        assert_eq!(stamped.add_timestamp(&token), Err(TimestampRefused::AlreadyStamped));
        // What was stored comes back as a proof; with anything changed it does not.
        let digest = Digest::of(CONTENT);
        let again = |der: &[u8]| cms::check_stamped(der, &digest, &made.certificate, provider);
        assert_eq!(again(stamped.as_der()).unwrap().0, stamped);
        assert_eq!(again(&made.cms).unwrap_err(), CmsRefused::UnsignedAttributes);
        for at in (0..stamped.as_der().len()).step_by(101) {
            let mut changed = stamped.as_der().to_vec();
            changed[at] ^= 0x04;
            if let Ok((passed, token)) = again(&changed) {
                // Only certificates that prove nothing by themselves may differ.
                assert_eq!(passed.signature_value(), checked.signature_value());
                assert_eq!(token.time(), request.accept(&response, provider).unwrap().time());
            }
        }
        assert!(
            check(stamped.as_der(), &digest, &made.certificate, provider).is_err(),
            "stamps are added, not taken"
        );
        let message = cms::parse(stamped.as_der()).unwrap();
        let tokens: Vec<_> = message.signers[0].timestamp_tokens().collect();
        assert_eq!(tokens, [token.as_der()]);

        // openssl finds the same token good for the same value.
        pki.write("token.der", tokens[0]);
        let imprint = Digest::of(checked.signature_value()).to_string();
        pki.run(&[
            "ts",
            "-verify",
            "-in",
            "token.der",
            "-token_in",
            "-digest",
            &imprint,
            "-CAfile",
            "root.pem",
            "-untrusted",
            "ca.pem",
        ]);

        // A token over anything else stays outside.
        let other = TimestampRequest::over(b"another signature value", [1; 16]).unwrap();
        let other_token = other.accept(&pki.timestamp("tsa", other.as_der()), provider).unwrap();
        assert_eq!(checked.add_timestamp(&other_token), Err(TimestampRefused::OtherSignature));
        // An answer to another request as well.
        assert_eq!(
            request.accept(&pki.timestamp("tsa", other.as_der()), provider).unwrap_err(),
            TspRefused::Nonce
        );
        // Bytes of the token changed: never accepted.
        for at in (0..response.len()).step_by(7) {
            let mut changed = response.clone();
            changed[at] ^= 0x01;
            if let Ok(token) = request.accept(&changed, provider) {
                // Only bytes that nothing signs may differ (an unused certificate, the status text).
                assert_eq!(token.imprint(), Digest::of(checked.signature_value()).as_bytes());
            }
        }
    }
}

#[test]
fn a_certificate_not_for_time_stamping_gives_no_token() {
    let pki = Pki::new();
    pki.issue("loose", Kind::Rsa(2048), "/CN=Loose", "tsa_loose", "ca");
    let provider = providers()[0];
    let request = TimestampRequest::over(b"value", [3; 16]).unwrap();
    // openssl itself refuses to stamp with such a certificate; so the token is made as a plain CMS over a TSTInfo.
    pki.write("request.tsq", request.as_der());
    let good = pki.timestamp("tsa", request.as_der());
    let token = TimestampRequest::token_in(&good).unwrap();
    let info = cms::parse(&token).unwrap().content.unwrap();
    pki.write("info.der", &info);
    let forged = pki.run(
        &[
            "cms",
            "-sign",
            "-binary",
            "-nodetach",
            "-cades",
            "-noattr",
            "-econtent_type",
            "1.2.840.113549.1.9.16.1.4",
            "-in",
            "info.der",
            "-signer",
            "loose.pem",
            "-inkey",
            "loose.key",
            "-outform",
            "DER",
        ]
        .iter()
        .copied()
        .filter(|a| *a != "-noattr")
        .collect::<Vec<_>>(),
    );
    let parsed = trinhky_pades::tsp::Token::parse(&forged).unwrap();
    let imprint = Digest::of(b"value");
    assert_eq!(parsed.check(imprint.as_bytes(), &[], provider).unwrap_err(), TokenRefused::Purpose);
}

#[test]
fn the_gate_refuses_what_is_not_ours() {
    let pki = Pki::new();
    pki.signer("sim", Kind::Rsa(2048));
    pki.signer("other", Kind::Rsa(2048));
    pki.signer("short", Kind::Rsa(1024));
    let made = make(&pki, "sim", &[]);
    let digest = Digest::of(CONTENT);
    for provider in providers() {
        let refused = |cms: &[u8], digest: &Digest, certificate: &[u8]| {
            check(cms, digest, certificate, provider).unwrap_err().code()
        };
        assert_eq!(refused(&made.cms, &Digest::of(b"other"), &made.certificate), "other_content");
        assert_eq!(refused(&made.cms, &digest, &pki.certificate("other")), "other_certificate");
        assert_eq!(refused(&[made.cms.clone(), vec![0]].concat(), &digest, &made.certificate), "cms_not_der");
        assert_eq!(refused(&made.cms[..made.cms.len() - 1], &digest, &made.certificate), "cms_not_der");
        assert_eq!(refused(b"", &digest, &made.certificate), "cms_not_der");
        let short = make(&pki, "short", &[]);
        assert_eq!(refused(&short.cms, &digest, &short.certificate), "algorithm_weak");

        // Same key, another certificate (a swap): the attributes bind the first one.
        pki.run(&[
            "x509",
            "-req",
            "-in",
            "sim.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-set_serial",
            "4242",
            "-days",
            "9",
            "-extfile",
            "ext.cnf",
            "-extensions",
            "signer",
            "-out",
            "swapped.pem",
        ]);
        let swapped = pki.certificate("swapped");
        let attributes = signed_attributes(&digest, &made.certificate, ID_DATA).unwrap();
        let raw = pki.sign("sim", "-sha256", &[], attributes.as_der());
        let value = SignatureValue::from_raw(&raw, &swapped).unwrap();
        let cms = assemble(&attributes, &value, &swapped, &[]).unwrap();
        assert_eq!(refused(&cms, &digest, &swapped), "other_certificate");
        let message = cms::parse(&cms).unwrap();
        let checks = message.signers[0].inspect(&message, digest.as_bytes(), &[], provider);
        assert_eq!(checks.sub_indication(), Some("SIG_CONSTRAINTS_FAILURE"));

        // The right attributes, a value by another key.
        let raw = pki.sign("other", "-sha256", &[], attributes.as_der());
        let value = SignatureValue::from_raw(&raw, &made.certificate).unwrap();
        let cms = assemble(&attributes, &value, &made.certificate, &[]).unwrap();
        assert_eq!(refused(&cms, &digest, &made.certificate), "signature_wrong");
    }
}

#[test]
fn the_gate_refuses_foreign_shapes() {
    let pki = Pki::new();
    pki.signer("sim", Kind::Rsa(2048));
    pki.signer("second", Kind::P256);
    pki.write("content.bin", CONTENT);
    let certificate = pki.certificate("sim");
    let sign = |more: &[&str]| {
        let base = [
            "cms",
            "-sign",
            "-binary",
            "-in",
            "content.bin",
            "-signer",
            "sim.pem",
            "-inkey",
            "sim.key",
            "-md",
            "sha256",
            "-outform",
            "DER",
        ];
        pki.run(&[&base, more].concat())
    };
    let cases: [(&str, &[&str], &str); 5] = [
        ("signing-time inside", &["-cades", "-nosmimecap"], "cms_attributes"),
        ("no signing-certificate", &[], "cms_attributes"),
        ("no attributes", &["-noattr"], "cms_attributes"),
        ("attached", &["-cades", "-nodetach"], "cms_attached"),
        ("two signers", &["-cades", "-signer", "second.pem", "-inkey", "second.key"], "cms_signers"),
    ];
    for provider in providers() {
        for (what, more, code) in cases {
            let cms = sign(more);
            let refused = check(&cms, &Digest::of(CONTENT), &certificate, provider).unwrap_err();
            assert_eq!(refused.code(), code, "{what}: {refused}");
            // The lenient reader still tells that the cryptography holds.
            let message = cms::parse(&cms).unwrap();
            let checks = message.signers[0].inspect(&message, Digest::of(CONTENT).as_bytes(), &[], provider);
            assert_eq!(checks.sub_indication(), None, "{what}");
        }
        // Other forms that foreign software writes: read, and told for what they are.
        let foreign: [(&str, &[&str], EssCheck, bool); 4] = [
            ("key identifier", &["-cades", "-keyid"], EssCheck::MatchesV2, false),
            ("PSS", &["-cades", "-keyopt", "rsa_padding_mode:pss"], EssCheck::MatchesV2, false),
            ("SHA-1", &["-cades", "-md", "sha1"], EssCheck::MatchesV1, true),
            ("SHA-512", &["-cades", "-md", "sha512"], EssCheck::MatchesV2, false),
        ];
        for (what, more, ess, weak) in foreign {
            let cms = sign(more);
            let message = cms::parse(&cms).unwrap();
            let signer = &message.signers[0];
            let digest = signer.digest_algorithm.unwrap().digest(CONTENT);
            let checks = signer.inspect(&message, &digest, &[], provider);
            assert_eq!(checks.sub_indication(), None, "{what}: {checks:?}");
            assert_eq!((checks.signing_certificate, checks.has_signing_time), (ess, true), "{what}");
            assert_eq!(!checks.weaknesses.is_empty(), weak, "{what}");
            assert!(check(&cms, &Digest::of(CONTENT), &certificate, provider).is_err(), "{what}");
        }
        // BER with indefinite lengths: readable, never embedded by us.
        let streamed = sign(&["-cades", "-stream", "-nodetach", "-indef"]);
        assert!(!cms::parse(&streamed).unwrap().is_definite);
        let message = cms::parse(&streamed).unwrap();
        let checks = message.signers[0].inspect(&message, Digest::of(CONTENT).as_bytes(), &[], provider);
        assert_eq!(checks.sub_indication(), None);
        let refused = check(&streamed, &Digest::of(CONTENT), &certificate, provider).unwrap_err();
        assert!(matches!(refused, CmsRefused::NotDer(_)));
    }
}

#[test]
fn an_enrolment_never_is_a_document_signature() {
    let pki = Pki::new();
    pki.signer("sim", Kind::Rsa(2048));
    let certificate = pki.certificate("sim");
    let digest = Digest::of(CONTENT);
    let attributes = signed_attributes(&digest, &certificate, ID_ENROLMENT).unwrap();
    let raw = pki.sign("sim", "-sha256", &[], attributes.as_der());
    let value = SignatureValue::from_raw(&raw, &certificate).unwrap();
    let cms = assemble(&attributes, &value, &certificate, &[]).unwrap();
    for provider in providers() {
        let statement = check_statement(&cms, &digest, &certificate, ID_ENROLMENT, provider).unwrap();
        assert_eq!(statement.digest(), &digest);
        assert_eq!(check(&cms, &digest, &certificate, provider), Err(CmsRefused::ContentType));
        let as_data = check_statement(&cms, &digest, &certificate, ID_DATA, provider);
        assert_eq!(as_data.unwrap_err(), CmsRefused::ContentType);
        // The value taken out and put under id-data attributes does not hold.
        let document = signed_attributes(&digest, &certificate, ID_DATA).unwrap();
        let forged = assemble(&document, &value, &certificate, &[]).unwrap();
        assert_eq!(check(&forged, &digest, &certificate, provider).unwrap_err().code(), "signature_wrong");
    }
}

#[test]
fn no_flipped_byte_passes_the_gate() {
    let pki = Pki::new();
    pki.signer("sim", Kind::P256);
    let made = make(&pki, "sim", &[]);
    let provider = providers()[0];
    let digest = Digest::of(CONTENT);
    let whole: CheckedCms = check(&made.cms, &digest, &made.certificate, provider).unwrap();
    let ca = pki.certificate("ca");
    let ca_at = made.cms.windows(ca.len()).position(|window| window == ca).unwrap();
    for at in 0..made.cms.len() {
        let mut changed = made.cms.clone();
        changed[at] ^= 0x20;
        let passed = check(&changed, &digest, &made.certificate, provider);
        // The issuer's certificate is an unsigned extra: path validation looks at it, not the signature.
        let is_extra = (ca_at..ca_at + ca.len()).contains(&at);
        assert!(passed.is_err() || is_extra, "byte {at} of {}", made.cms.len());
    }
    assert_eq!(whole.digest(), &digest);
}
