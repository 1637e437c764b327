//! C2SP x509-limbo: the cases that are about RFC 5280 paths. Host names, web PKI rules and what only binds issuers are
//! left to others; each case with another verdict here is listed with its reason.

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use trinhky_pades::asn1::Oid;
use trinhky_pades::crypto;
use trinhky_pades::x509::path::{PathInputs, Purpose, RevocationData, RevocationMode, validate};
use trinhky_pades::x509::{TrustAnchors, certificates_from_pem};

/// Accepted here, refused there.
const LENIENT: &[(&str, &str)] = &[
    ("crl::crlnumber-missing", ISSUER),
    ("rfc5280::aki::critical-aki", ISSUER),
    ("rfc5280::nc::permitted-dns-match-noncritical", ISSUER),
    ("rfc5280::nc::not-allowed-in-ee-noncritical", ISSUER),
    ("rfc5280::pc::ica-noncritical-pc", ISSUER),
    ("rfc5280::san::noncritical-with-empty-subject", ISSUER),
    ("rfc5280::san::underscore-dns", ISSUER),
    ("rfc5280::serial::too-long", ISSUER),
    ("rfc5280::serial::zero", ISSUER),
    ("rfc5280::serial::negative", ISSUER),
    ("rfc5280::ski::root-missing-ski", ISSUER),
    ("rfc5280::root-non-critical-basic-constraints", ISSUER),
    ("rfc5280::ca-as-leaf-wrong-san", HOST),
    ("webpki::aki::root-with-aki-missing-keyidentifier", WEB),
    ("webpki::aki::root-with-aki-authoritycertissuer", WEB),
    ("webpki::aki::root-with-aki-authoritycertserialnumber", WEB),
    ("webpki::aki::root-with-aki-all-fields", WEB),
    ("webpki::aki::root-with-aki-ski-mismatch", WEB),
    ("webpki::cn::ipv4-hex-mismatch", HOST),
    ("webpki::cn::ipv4-leading-zeros-mismatch", HOST),
    ("webpki::cn::ipv6-uppercase-mismatch", HOST),
    ("webpki::cn::ipv6-uncompressed-mismatch", HOST),
    ("webpki::cn::ipv6-non-rfc5952-mismatch", HOST),
    ("webpki::cn::not-in-san", HOST),
    ("webpki::eku::ee-anyeku", WEB),
    ("webpki::eku::root-has-eku", WEB),
    ("webpki::san::mismatch-domain-san", HOST),
    ("webpki::san::mismatch-subdomain-apex-san", HOST),
    ("webpki::san::public-suffix-multi-label-wildcard-san", HOST),
    ("webpki::san::public-suffix-private-namespace-wildcard-san", HOST),
    ("webpki::san::wildcard-embedded-leftmost-san", HOST),
    ("webpki::san::no-san", HOST),
    ("webpki::san::san-wildcard-only", HOST),
    ("webpki::san::san-wildcard-only-tld", HOST),
    ("webpki::forbidden-weak-rsa-in-leaf", STRENGTH),
    ("webpki::forbidden-rsa-not-divisible-by-8-in-root", WEB),
    ("webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf", WEB),
];

const ISSUER: &str = "a rule for issuers; RFC 5280 clause 6 does not make it a reason to refuse a path";
const HOST: &str = "needs a host name, which signatures on documents do not have";
const WEB: &str = "a rule of the CA/Browser Forum for TLS";
const STRENGTH: &str = "key strength is reported as a weakness, with the time it is asked about";

#[test]
fn every_case_gives_its_verdict() {
    let Some(folder) = pki::corpora("x509/x509-limbo") else { return };
    let text = std::fs::read_to_string(folder.join("limbo.json")).expect("limbo.json");
    let limbo: Value = serde_json::from_str(&text).expect("json");
    let (mut run, mut wrong) = (0, Vec::new());
    for case in limbo["testcases"].as_array().expect("cases") {
        let id = case["id"].as_str().expect("id");
        let expected = case["expected_result"] == "SUCCESS";
        let found = verdict(case);
        let lenient = LENIENT.iter().any(|(known, _)| *known == id);
        run += 1;
        if found.is_ok() != (expected || lenient) {
            wrong.push(format!("{id}: expected {}, got {found:?}", case["expected_result"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {run} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run >= 120, "only {run} cases");
}

fn verdict(case: &Value) -> Result<(), String> {
    let pem = |value: &Value| {
        certificates_from_pem(value.as_str().unwrap_or_default()).map_err(|error| error.to_string())
    };
    let all = |name: &str| -> Vec<_> {
        let list = case[name].as_array().cloned().unwrap_or_default();
        // What cannot be read is no link and no anchor.
        list.iter().filter_map(|value| pem(value).ok()).flatten().collect()
    };
    let anchors = TrustAnchors::new(all("trusted_certs"));
    let candidates = all("untrusted_intermediates");
    let leaf = pem(&case["peer_certificate"])?.remove(0);
    let mut revocation = RevocationData::default();
    let crls = case["crls"].as_array().cloned().unwrap_or_default();
    for crl in &crls {
        let der = pki::pem_block(crl.as_str().unwrap_or_default(), "X509 CRL");
        revocation.add_crl_der(&der).map_err(|error| error.to_string())?;
    }
    let at = case["validation_time"].as_str();
    let at =
        at.map_or(datetime!(2024-06-01 0:00 UTC), |at| OffsetDateTime::parse(at, &Rfc3339).expect("time"));
    let purpose = match case["extended_key_usage"].get(0).and_then(Value::as_str) {
        Some("serverAuth") => Purpose::Extended(Oid::from_content(&[0x2b, 6, 1, 5, 5, 7, 3, 1])),
        Some("clientAuth") => Purpose::Extended(Oid::from_content(&[0x2b, 6, 1, 5, 5, 7, 3, 2])),
        _ => Purpose::Any,
    };
    let depth = case["max_chain_depth"].as_u64().map_or(10, |depth| usize::try_from(depth).expect("depth"));
    let inputs = PathInputs {
        candidates: &candidates,
        revocation: &revocation,
        mode: if crls.is_empty() { RevocationMode::Off } else { RevocationMode::Require },
        purpose,
        max_intermediates: depth,
        ..PathInputs::new(&anchors, at)
    };
    let found = validate(&leaf, &inputs, crypto::pure());
    found.map(|_| ()).map_err(|failure| format!("{} {failure}", failure.sub_indication()))
}
