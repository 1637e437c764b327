//! Second opinions: what we write is read by the `cms` crate, what we read of certificates `x509-parser` reads as well,
//! and mutated input never makes a reader panic.

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::sync::OnceLock;

use der::{Decode, Encode};
use pki::{Kind, Pki};
use proptest::prelude::*;
use trinhky_pades::cms::{self as ours, ID_DATA, SignatureValue, assemble, check, signed_attributes};
use trinhky_pades::crl::Crl;
use trinhky_pades::crypto;
use trinhky_pades::digest::Digest;
use trinhky_pades::ocsp::{OcspRequest, OcspResponse};
use trinhky_pades::tsp::{TimestampRequest, Token};
use trinhky_pades::x509::path::{PathInputs, RevocationData, validate};
use trinhky_pades::x509::{Certificate, TrustAnchors};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};

/// One of each kind of input, made once.
struct Samples {
    certificate: Vec<u8>,
    issuer: Vec<u8>,
    root: Vec<u8>,
    cms: Vec<u8>,
    stamped: Vec<u8>,
    streamed: Vec<u8>,
    reply: Vec<u8>,
    ocsp: Vec<u8>,
    crl: Vec<u8>,
}

fn samples() -> &'static Samples {
    static SAMPLES: OnceLock<Samples> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let pki = Pki::new();
        pki.signer("sim", Kind::P256);
        let (certificate, issuer) = (pki.certificate("sim"), pki.certificate("ca"));
        let digest = Digest::of(b"content");
        let attributes = signed_attributes(&digest, &certificate, ID_DATA).expect("attributes");
        let raw = pki.sign("sim", "-sha256", &[], attributes.as_der());
        let value = SignatureValue::from_raw(&raw, &certificate).expect("value");
        let cms = assemble(&attributes, &value, &certificate, &[&issuer]).expect("cms");
        let checked = check(&cms, &digest, &certificate, crypto::pure()).expect("checked");
        let request = TimestampRequest::over(checked.signature_value(), [5; 16]).expect("request");
        let reply = pki.timestamp("tsa", request.as_der());
        let token = request.accept(&reply, crypto::pure()).expect("token");
        let stamped = checked.add_timestamp(&token).expect("stamped").as_der().to_vec();
        pki.write("content.bin", b"content");
        let streamed = pki.run(&[
            "cms",
            "-sign",
            "-binary",
            "-in",
            "content.bin",
            "-signer",
            "sim.pem",
            "-inkey",
            "sim.key",
            "-cades",
            "-stream",
            "-nodetach",
            "-indef",
            "-outform",
            "DER",
        ]);
        let parse = |der: &[u8]| Certificate::from_der(der).expect("certificate");
        let question =
            OcspRequest::new(&parse(&certificate), &parse(&issuer), Some([1; 16])).expect("request");
        pki.write("request.der", question.as_der());
        pki.write(
            "index.txt",
            format!(
                "V\t390101000000Z\t\t{}\tunknown\t/CN=x\n",
                parse(&certificate).serial_hex().to_uppercase()
            )
            .as_bytes(),
        );
        pki.run(&[
            "ocsp",
            "-index",
            "index.txt",
            "-rsigner",
            "ca.pem",
            "-rkey",
            "ca.key",
            "-CA",
            "ca.pem",
            "-reqin",
            "request.der",
            "-respout",
            "response.der",
            "-ndays",
            "1",
        ]);
        pki.write(
            "ca.cnf",
            b"[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ncrlnumber=crlnumber\n\
            default_crl_days=2\n",
        );
        pki.write("crlnumber", b"01\n");
        pki.run(&[
            "ca", "-config", "ca.cnf", "-gencrl", "-cert", "ca.pem", "-keyfile", "ca.key", "-out", "out.crl",
        ]);
        Samples {
            ocsp: std::fs::read(pki.path("response.der")).expect("response"),
            crl: pki.run(&["crl", "-in", "out.crl", "-outform", "DER"]),
            root: pki.certificate("root"),
            certificate,
            issuer,
            cms,
            stamped,
            streamed,
            reply,
        }
    })
}

#[test]
fn the_cms_crate_reads_what_we_write() {
    for der in [&samples().cms, &samples().stamped] {
        let info = cms::content_info::ContentInfo::from_der(der).expect("ContentInfo");
        let data: cms::signed_data::SignedData = info.content.decode_as().expect("SignedData");
        let signers = data.signer_infos.0.as_slice();
        let [signer] = signers else { panic!("one signer") };
        let attributes = signer.signed_attrs.as_ref().expect("signed attributes");
        // Its SET OF sorts; ours was sorted before it was signed: the same bytes.
        let expected =
            signed_attributes(&Digest::of(b"content"), &samples().certificate, ID_DATA).expect("ours");
        assert_eq!(attributes.to_der().expect("der"), expected.as_der());
        assert_eq!(data.certificates.as_ref().expect("certificates").0.len(), 2);
        assert_eq!(&info.to_der().expect("der"), der, "the same bytes again");
    }
}

#[test]
fn x509_parser_reads_the_same() {
    let mut compared = 0;
    let mut all = vec![samples().certificate.clone(), samples().issuer.clone(), samples().root.clone()];
    for part in ["x509/pkits/certs", "vn/ca-certs"] {
        let Some(folder) = pki::corpora(part) else { continue };
        let files = std::fs::read_dir(folder).expect("folder");
        all.extend(files.map(|entry| std::fs::read(entry.expect("entry").path()).expect("file")));
    }
    for der in &all {
        let (Ok(certificate), Ok((_, other))) = (Certificate::from_der(der), X509Certificate::from_der(der))
        else {
            continue;
        };
        compared += 1;
        assert_eq!(certificate.not_before().unix_timestamp(), other.validity().not_before.timestamp());
        assert_eq!(certificate.not_after().unix_timestamp(), other.validity().not_after.timestamp());
        assert_eq!(certificate.serial(), other.raw_serial());
        assert_eq!(certificate.subject().as_der(), other.subject().as_raw());
        assert_eq!(certificate.issuer().as_der(), other.issuer().as_raw());
        assert_eq!(certificate.spki(), other.public_key().raw);
        let names: Vec<&str> = other.subject().iter_common_name().filter_map(|cn| cn.as_str().ok()).collect();
        if let Some(last) = names.last() {
            assert_eq!(certificate.subject().common_name(), Some(*last));
        }
        assert_eq!(certificate.is_ca(), other.is_ca());
        for extension in other.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::KeyUsage(usage) => {
                    let found = certificate.extensions().key_usage.expect("key usage");
                    let bits = trinhky_pades::x509::KeyUsage::DIGITAL_SIGNATURE;
                    assert_eq!(found.allows(bits), usage.digital_signature());
                    assert_eq!(found.allows(trinhky_pades::x509::KeyUsage::CRL_SIGN), usage.crl_sign());
                }
                ParsedExtension::SubjectAlternativeName(names) => {
                    let email = names.general_names.iter().find_map(|name| match name {
                        GeneralName::RFC822Name(address) => Some(*address),
                        _ => None,
                    });
                    assert!(email.is_none() || certificate.email() == email);
                }
                ParsedExtension::CertificatePolicies(policies) => {
                    let found = certificate.extensions().policies.as_ref().expect("policies");
                    let theirs: Vec<String> =
                        policies.iter().map(|policy| policy.policy_id.to_id_string()).collect();
                    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), theirs);
                }
                _ => {}
            }
        }
    }
    assert!(compared >= 3);
}

#[test]
fn people_see_names_and_addresses() {
    let certificate = Certificate::from_der(&samples().certificate).expect("certificate");
    assert_eq!(certificate.subject().common_name(), Some("Nguyễn Văn Ân"));
    assert_eq!(certificate.subject().organisation(), Some("Ủy ban nhân dân tỉnh"));
    assert_eq!(certificate.subject().title(), Some("Chủ tịch"));
    assert_eq!(certificate.email(), Some("an.nguyen@example.gov.vn"));
    assert_eq!(certificate.ocsp_url(), Some("http://ocsp.example.vn/"));
    assert_eq!(certificate.crl_url(), Some("http://crl.example.vn/ca.crl"));
    assert_eq!(certificate.ca_issuer_url(), Some("http://ca.example.vn/ca.cer"));
}

/// Changes as attackers and disks make them: bytes set, cut out, doubled, cut off.
fn mutate(mut bytes: Vec<u8>, changes: &[(u16, u8, u8)]) -> Vec<u8> {
    for (at, value, kind) in changes {
        if bytes.is_empty() {
            break;
        }
        let at = usize::from(*at) % bytes.len();
        match kind % 4 {
            0 => bytes[at] = *value,
            1 => drop(bytes.drain(at..(at + usize::from(*value % 9)).min(bytes.len()))),
            2 => bytes.insert(at, *value),
            _ => bytes.truncate(bytes.len() - at / 8),
        }
    }
    bytes
}

fn read_everything(bytes: &[u8]) {
    let provider = crypto::pure();
    let digest = Digest::of(b"content");
    if let Ok(message) = ours::parse(bytes) {
        assert!(message.consumed <= bytes.len());
        for signer in &message.signers {
            let _ = signer.inspect(&message, digest.as_bytes(), &[], provider).sub_indication();
            let _ = (signer.claimed_time(), signer.adobe_revocation());
        }
    }
    let _ = check(bytes, &digest, &samples().certificate, provider);
    if let Ok(token) = Token::parse(bytes) {
        let _ = token.check(token.imprint(), &[], provider);
    }
    let _ = TimestampRequest::over(b"", [0; 16]).expect("request").accept(bytes, provider);
    if let Ok(response) = OcspResponse::from_der(bytes) {
        let parse = |der: &[u8]| Certificate::from_der(der).expect("certificate");
        let _ = response.status(&parse(&samples().certificate), &parse(&samples().issuer), provider);
    }
    if let Ok(crl) = Crl::from_der(bytes) {
        let _ = crl.lookup(crl.issuer(), &[1]);
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        let parse = |der: &[u8]| Certificate::from_der(der).expect("certificate");
        let anchors = TrustAnchors::new([parse(&samples().root)]);
        let candidates = [parse(&samples().issuer)];
        let mut revocation = RevocationData::default();
        let _ = (revocation.add_ocsp_der(&samples().ocsp), revocation.add_crl_der(&samples().crl));
        let at = candidates[0].not_before();
        let inputs =
            PathInputs { candidates: &candidates, revocation: &revocation, ..PathInputs::new(&anchors, at) };
        let _ = validate(&certificate, &inputs, provider).map_err(|failure| failure.to_string());
        let _ = format!("{certificate:?} {}", certificate.subject());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mutated_input_never_panics(
        which in 0usize..8,
        changes in proptest::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 0..6),
    ) {
        let s = samples();
        let all = [&s.certificate, &s.issuer, &s.cms, &s.stamped, &s.streamed, &s.reply, &s.ocsp, &s.crl];
        read_everything(&mutate(all[which].clone(), &changes));
    }

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_everything(&bytes);
    }
}
