//! CMS messages and time stamps that others made: read without fear, and judged as their makers and openssl judge them.

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::fs;
use std::path::{Path, PathBuf};

use trinhky_pades::cms::{self, Finding, SignedMessage};
use trinhky_pades::crypto;
use trinhky_pades::tsp::{TimestampRequest, Token, TokenRefused, TspRefused};
use trinhky_pades::x509::path::{PathInputs, Purpose, RevocationMode, validate};
use trinhky_pades::x509::{Certificate, TrustAnchors, certificates_from_pem};

fn rows(folder: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder.join("expectations.tsv")).expect("expectations");
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = String::from_utf8_lossy(&bytes);
    for label in ["CMS", "PKCS7"] {
        let block = pki::pem_block(&text, label);
        if !block.is_empty() {
            return block;
        }
    }
    bytes
}

/// Whether every signer's cryptography holds over the attached content, or over `detached`.
fn holds(message: &SignedMessage, detached: Option<&[u8]>) -> Result<(), String> {
    let content = message.content.as_deref().or(detached).ok_or("detached, content unknown")?;
    if message.signers.is_empty() {
        return Err("no signer".into());
    }
    for signer in &message.signers {
        let digest = signer.digest_algorithm.map(|hash| hash.digest(content)).unwrap_or_default();
        let checks = signer.inspect(message, &digest, &[], crypto::pure());
        // Wrong signing-certificate references and certificates that are not inside are another question.
        match (checks.content, checks.signature, checks.content_type) {
            (Finding::Holds, Finding::Holds, Finding::Holds) if checks.repeated_attributes.is_empty() => {}
            _ => return Err(format!("{:?}", checks.sub_indication())),
        }
    }
    Ok(())
}

/// Messages with another verdict here, each with its reason.
const DIFFERENT: &[(&str, &str)] = &[
    ("dss-cades/cades-ats-v3-rev-val-crl.p7s", "its detached content is not in the corpus"),
    ("dss-cades/cades-double-signing-certificate.p7m", "its detached content is not in the corpus"),
    ("dss-cades/no-key-info-cert.pkcs7", "the signer's certificate is not inside: it must be given"),
];

#[test]
fn cades_messages_hold_or_not_as_known() {
    let Some(folder) = pki::corpora("cms") else { return };
    let (mut judged, mut wrong) = (0, Vec::new());
    for row in rows(&folder) {
        let [_, file, expected, ..] = row.as_slice() else { continue };
        let want = match expected.as_str() {
            known if known.starts_with("crypto-valid") => true,
            "crypto-invalid" => false,
            rejected if rejected.starts_with("reject:") => false,
            _ => continue,
        };
        let path = folder.join(file);
        let detached = companion(&path);
        let found = match cms::parse(&read(&path)) {
            Ok(message) => holds(&message, detached.as_deref()),
            Err(error) => Err(error.to_string()),
        };
        judged += 1;
        let different = DIFFERENT.iter().any(|(name, _)| name == file);
        if found.is_ok() != (want != different) {
            wrong.push(format!("{file}: expected {expected}, got {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {judged} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(judged >= 30, "only {judged} messages");
}

/// The content of a detached message, where the corpus has it.
fn companion(path: &Path) -> Option<Vec<u8>> {
    let name = path.file_name()?.to_str()?;
    let content = match name {
        "detached_with_counter_sig.p7m" => "signed_content.bin",
        "signatureExtendedTwoLTA.p7s" => "screenshot.png",
        name if name.starts_with("test.txt.") => "test.txt",
        _ => return None,
    };
    fs::read(path.with_file_name(content)).ok()
}

#[test]
fn every_file_is_read_or_refused_without_fear() {
    let mut seen = 0;
    for part in
        ["cms", "rfc3161", "ocsp", "x509/boringssl-parse-cert", "x509/pyca-vectors", "x509/rustcrypto"]
    {
        let Some(folder) = pki::corpora(part) else { return };
        for path in files(&folder) {
            let bytes = read(&path);
            let _ = cms::parse(&bytes).map(|message| holds(&message, Some(b"")));
            let _ = Token::parse(&bytes);
            let _ = TimestampRequest::token_in(&bytes);
            let _ = trinhky_pades::ocsp::OcspResponse::from_der(&bytes);
            let _ = trinhky_pades::crl::Crl::from_der(&bytes);
            let _ = trinhky_pades::x509::Certificate::from_der(&bytes);
            let _ = certificates_from_pem(&String::from_utf8_lossy(&bytes));
            seen += 1;
        }
    }
    assert!(seen >= 300, "only {seen} files");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn signed_data_of_other_libraries_is_read() {
    let Some(folder) = pki::corpora("cms") else { return };
    for (file, signers) in [
        ("asn1crypto/cms-signed.der", 1),
        ("asn1crypto/pkcs7-signed.der", 1),
        ("asn1crypto/pkcs7-signed.pem", 1),
        ("rustcrypto/pkits_ee.p7b", 0),
        ("rustcrypto/sd.cms", 1),
    ] {
        let message = cms::parse(&read(&folder.join(file))).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(message.signers.len(), signers, "{file}");
    }
    // Post-quantum signatures are not supported: told, not failed.
    for file in ["mldsa/SignedData_ML-DSA-44.pem", "mldsa/SignedData_ML-DSA-65.pem"] {
        let message = cms::parse(&read(&folder.join(file))).unwrap_or_else(|error| panic!("{file}: {error}"));
        let signer = message.signers.first().expect("signer");
        let digest =
            signer.digest_algorithm.map(|hash| hash.digest(message.content.as_deref().unwrap_or(b"")));
        let checks = signer.inspect(&message, &digest.unwrap_or_default(), &[], crypto::pure());
        assert!(matches!(checks.signature, Finding::Unknown(_)), "{file}: {checks:?}");
    }
}

#[test]
fn time_stamps_hold_or_not_as_known() {
    let Some(folder) = pki::corpora("rfc3161") else { return };
    let provider = crypto::pure();
    let token = |file: &str| {
        let bytes = fs::read(folder.join(file)).expect("file");
        Token::parse(&TimestampRequest::token_in(&bytes).unwrap_or(bytes))
    };
    let chain = |file: &str| {
        let pem = fs::read(folder.join(file)).expect("chain");
        // One of the files is a single DER certificate, whatever its name says.
        if let Ok(single) = Certificate::from_der(&pem) {
            return vec![single];
        }
        certificates_from_pem(&String::from_utf8_lossy(&pem)).expect("chain")
    };
    for (file, trust, refused) in [
        ("trailofbits/identrust/issue-104.tsr", "trailofbits/identrust/ts_chain.pem", None),
        ("trailofbits/sigstage/response-sha384.tsr", "trailofbits/sigstage/ts_chain.pem", None),
        (
            "trailofbits/sigstage/response-invalid-signature.tsr",
            "trailofbits/sigstage/ts_chain.pem",
            Some(TokenRefused::Signature("SIG_CRYPTO_FAILURE")),
        ),
        ("trailofbits/sigstage/response-no-embedded-cert.tsr", "trailofbits/sigstage/ts_chain.pem", None),
        ("trailofbits/test_tsa/response.tsr", "trailofbits/test_tsa/ts_chain.pem", None),
        ("trailofbits/test_tsa/other_response.tsr", "trailofbits/test_tsa/ts_chain.pem", None),
    ] {
        let token = token(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let chain = chain(trust);
        let checked = token.check(token.imprint(), &chain, provider);
        match (checked, refused) {
            (Ok(checked), None) => {
                let anchors = TrustAnchors::new(chain.iter().filter(|c| c.is_ca()).cloned());
                let all: Vec<_> = chain.iter().chain(checked.certificates()).cloned().collect();
                let inputs = PathInputs {
                    candidates: &all,
                    mode: RevocationMode::Off,
                    purpose: Purpose::TimeStamping,
                    ..PathInputs::new(&anchors, checked.time())
                };
                let path = validate(checked.certificate(), &inputs, provider);
                // The corpus has no chain for that one; `openssl ts` says so too.
                let chains = file != "trailofbits/test_tsa/other_response.tsr";
                assert_eq!(path.is_ok(), chains, "{file}: {path:?}");
            }
            (Err(found), Some(refused)) => assert_eq!(found, refused, "{file}"),
            (found, _) => panic!("{file}: {found:?}"),
        }
        // Over anything else it is refused.
        assert_eq!(token.check(&[0; 32], &chain, provider).expect_err(file), TokenRefused::Imprint);
    }
    let rejection = fs::read(folder.join("digitorus/respRejection.der")).expect("file");
    let refused = TimestampRequest::token_in(&rejection).expect_err("rejection");
    assert!(matches!(refused, TspRefused::Rejected { status: 2, .. }), "{refused:?}");
    for file in [
        "digitorus/respNonce.der",
        "digitorus/respNoNonce.der",
        "digitorus/timeStampToken.der",
        "asn1crypto/tsp_response.der",
        "dss/d-trust.tsr",
        "bc/BIN_ER.ers.0.0.tsr",
    ] {
        assert!(token(file).is_ok(), "{file}: {:?}", token(file).err());
    }
    let mut tokens = 0;
    for path in files(&folder.join("from-pdf")).iter().filter(|p| p.extension().is_some_and(|e| e != "tsv")) {
        let bytes = fs::read(path).expect("file");
        let token = Token::parse(&bytes);
        tokens += usize::from(token.is_ok());
    }
    assert!(tokens >= 30, "only {tokens} tokens from PDFs could be read");
}
