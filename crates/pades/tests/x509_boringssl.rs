//! `BoringSSL`'s vectors: signed data for the providers, and chains for path validation (trust in anchors; its notions of
//! trusted leaves and its web PKI rules are listed where verdicts differ).

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use pki::pem_block;
use time::macros::{datetime, format_description};
use trinhky_pades::asn1::Oid;
use trinhky_pades::crypto::SignatureAlgorithm;
use trinhky_pades::x509::path::{PathInputs, Purpose, RevocationMode, validate};
use trinhky_pades::x509::{TrustAnchors, certificates_from_pem};

fn table(folder: &Path) -> Vec<HashMap<String, String>> {
    let text = fs::read_to_string(folder.join("expectations.tsv")).expect("expectations");
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let columns = lines.next().expect("header");
    lines.map(|row| columns.iter().cloned().zip(row).collect()).collect()
}

#[test]
fn signed_data_holds_or_not_as_known() {
    let Some(folder) = pki::corpora("x509/boringssl-signed-data") else { return };
    let (mut run, mut wrong) = (0, Vec::new());
    for row in table(&folder) {
        let name = row["file"].as_str();
        let text = fs::read_to_string(folder.join(name)).expect("file");
        let part = |label| pem_block(&text, label);
        // The signature is enclosed in a BIT STRING.
        let signature = part("SIGNATURE");
        let value = trinhky_pades::asn1::der_length(&signature)
            .and_then(|length| signature.get(length - content_length(&signature, length)?..length))
            .unwrap_or_default();
        // Post-quantum signatures are not supported.
        let holds = row["expected"] == "signature valid" && !name.starts_with("mldsa");
        // BoringSSL knows no keys restricted to PSS; RFC 4055 does, and the parameters fit.
        let expected = holds || name == "rsa-pss-sha256-using-pss-key-with-params.pem";
        for provider in pki::providers() {
            let found = SignatureAlgorithm::from_der(&part("ALGORITHM"))
                .and_then(|algorithm| provider.verify(algorithm, &part("PUBLIC KEY"), &part("DATA"), value));
            run += 1;
            if found.is_ok() != expected {
                wrong.push(format!("{} {name}: expected {expected}, got {found:?}", provider.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {run} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run >= 18, "only {run} vectors");
}

/// Bytes of a DER BIT STRING after its header and its count of unused bits.
fn content_length(der: &[u8], total: usize) -> Option<usize> {
    let header = if der.get(1)? & 0x80 == 0 { 2 } else { 2 + usize::from(der.get(1)? & 0x7f) };
    total.checked_sub(header + 1)
}

/// Chains with another verdict here, each with its reason.
const DIFFERENT: &[(&str, &str)] = &[
    ("intermediate-eku-any-and-clientauth/serverauth-strict.test", WEB),
    ("intermediate-eku-server-gated-crypto/sha1-eku-clientAuth-strict.test", WEB),
    ("intermediate-eku-server-gated-crypto/sha1-eku-clientAuth.test", WEB),
    ("intermediate-eku-server-gated-crypto/sha1-eku-serverAuth-strict.test", WEB),
    ("intermediate-eku-server-gated-crypto/sha1-eku-serverAuth.test", WEB),
    ("intermediate-eku-server-gated-crypto/sha256-eku-clientAuth-strict.test", WEB),
    ("intermediate-eku-server-gated-crypto/sha256-eku-clientAuth.test", WEB),
    ("intermediate-eku-server-gated-crypto/sha256-eku-serverAuth-strict.test", WEB),
    ("intermediate-eku-server-gated-crypto/sha256-eku-serverAuth.test", WEB),
    ("target-eku-clientauth/clientauth-strict.test", WEB),
    ("target-eku-none/clientauth-strict-leaf.test", WEB),
    ("target-eku-none/clientauth-strict.test", WEB),
    ("target-eku-none/mlsclientauth.test", WEB),
    ("target-eku-none/serverauth-strict.test", WEB),
    ("target-not-end-entity/strict-leaf.test", WEB),
    ("target-not-end-entity/strict.test", WEB),
    ("intermediate-eku-mlsclientauth/mlsclientauth.test", UNKNOWN),
    ("target-msapplicationpolicies-and-eku/main.test", UNKNOWN),
    ("policies-inhibit-anypolicy-by-root-fail/ta-with-constraints.test", POLICY),
    ("policies-required-by-root-fail/ta-with-constraints.test", POLICY),
    ("policy-mappings-on-root-fail/ta-with-constraints.test", POLICY),
    ("root-basic-constraints-ca-false/main.test", ROOT),
    ("root-lacks-basic-constraints/main.test", ROOT),
    ("root-lacks-basic-constraints/ta-with-constraints.test", ROOT),
    ("root-lacks-basic-constraints/ta-with-require-basic-constraints.test", ROOT),
    ("root-lacks-keycertsign-key-usage/main.test", ROOT),
    ("many-names/ok-all-types.test", LIMIT),
    ("target-has-512bit-rsa-key/main.test", STRENGTH),
    ("target-signed-with-sha1/main.test", STRENGTH),
    ("target-selfissued/trusted_anchor.test", LEAF),
];

const WEB: &str =
    "a web PKI rule on extended key usage, which RFC 5280 does not apply to issuers or demand of leaves";
const UNKNOWN: &str = "a critical extension of one vendor that is not understood here";
const POLICY: &str = "of a root's own constraints (RFC 5937) only those on names are applied";
const ROOT: &str = "a version 3 root that is no CA is not trusted to issue (as x509-limbo has it)";
const LIMIT: &str = "more names than any certificate for signing has: over the limit of 512";
const STRENGTH: &str = "strength is reported as a weakness, with the time it is asked about";
const LEAF: &str = "a certificate that is itself an anchor is trusted";

#[test]
fn chains_hold_or_not_as_known() {
    let Some(folder) = pki::corpora("x509/boringssl-chains") else { return };
    let (mut run, mut wrong) = (0, Vec::new());
    for row in table(&folder) {
        // Other notions of trust than a root: browsers have them, signatures on documents do not.
        if !row["last_cert_trust"].starts_with("TRUSTED_ANCHOR") {
            continue;
        }
        let found = verdict(&folder, &row);
        run += 1;
        let different = DIFFERENT.iter().any(|(id, _)| *id == row["id"]);
        if found.is_ok() != ((row["expected"] == "accept") != different) {
            wrong.push(format!(
                "{}: {} {} expected {}, got {found:?} <{}>",
                row["id"],
                row["last_cert_trust"],
                row["key_purpose"],
                row["expected"],
                row["expected_errors"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {run} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run >= 100, "only {run} chains");
}

fn verdict(folder: &Path, row: &HashMap<String, String>) -> Result<(), String> {
    let text = fs::read(folder.join(&row["chain"])).map_err(|error| error.to_string())?;
    let chain = certificates_from_pem(&String::from_utf8_lossy(&text)).map_err(|error| error.to_string())?;
    let (Some(leaf), Some(anchor)) = (chain.first(), chain.last()) else {
        return Err("no certificate".into());
    };
    let format = format_description!("[year][month][day][hour][minute][second]Z");
    let stated = time::PrimitiveDateTime::parse(&format!("20{}", row["utc_time"]), format);
    let at = stated.map_or(datetime!(2021-10-05 12:00 UTC), time::PrimitiveDateTime::assume_utc);
    let purpose = match row["key_purpose"].as_str() {
        "ANY_EKU" => Purpose::Any,
        name if name.starts_with("SERVER_AUTH") => {
            Purpose::Extended(Oid::from_content(&[0x2b, 6, 1, 5, 5, 7, 3, 1]))
        }
        name if name.starts_with("CLIENT_AUTH") => {
            Purpose::Extended(Oid::from_content(&[0x2b, 6, 1, 5, 5, 7, 3, 2]))
        }
        _ => Purpose::Any,
    };
    let anchors = TrustAnchors::new([anchor.clone()]);
    let inputs = PathInputs {
        candidates: chain.get(1..).unwrap_or_default(),
        mode: RevocationMode::Off,
        purpose,
        ..PathInputs::new(&anchors, at)
    };
    let found = validate(leaf, &inputs, trinhky_pades::crypto::pure());
    found.map(|_| ()).map_err(|failure| format!("{} {failure}", failure.sub_indication()))
}
