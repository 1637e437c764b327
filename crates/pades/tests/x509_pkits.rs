//! NIST PKITS (RFC 5280 path validation with CRLs), every test of the corpus, and CA certificates of Vietnam.

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use time::macros::datetime;
use trinhky_pades::asn1::Oid;
use trinhky_pades::crypto::Provider;
use trinhky_pades::x509::path::{PathInputs, PolicyInputs, Purpose, RevocationData, validate};
use trinhky_pades::x509::{Certificate, TrustAnchors};

/// Tests whose verdict here differs, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "4.1.5",
    "DSA (with inherited parameters) is not supported: no signature made with it is accepted today",
)];

#[test]
fn every_test_gives_its_verdict() {
    let Some(folder) = pki::corpora("x509/pkits") else { return };
    let table = fs::read_to_string(folder.join("expectations.tsv")).expect("expectations");
    let mut lines = table.lines();
    let columns: Vec<&str> = lines.next().expect("header").split('\t').collect();
    let (mut run, mut wrong) = (0, Vec::new());
    for line in lines {
        let row: HashMap<&str, &str> = columns.iter().copied().zip(line.split('\t')).collect();
        let number = row["test_number"];
        let expected = row["expected"] == "accept";
        let verdicts: Vec<_> = pki::providers().into_iter().map(|p| verdict(&folder, &row, p)).collect();
        assert!(verdicts.windows(2).all(|pair| pair[0] == pair[1]), "{number}: {verdicts:?}");
        let found = verdicts.into_iter().next().expect("a provider");
        let excepted = EXCEPTIONS.iter().any(|(known, _)| *known == number);
        run += 1;
        match (&found, excepted) {
            (Err(_), true) => {}
            (Ok(()), true) => wrong.push(format!("{number}: listed as an exception, but accepted")),
            (found, false) if found.is_ok() == expected => {}
            (found, false) => {
                wrong.push(format!("{}: expected {}, got {found:?}", row["id"], row["expected"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {run} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run >= 140, "only {run} tests were found");
}

fn verdict(folder: &Path, row: &HashMap<&str, &str>, provider: &dyn Provider) -> Result<(), String> {
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let parse = |name: &str| Certificate::from_der(&read(name)?).map_err(|error| format!("{name}: {error}"));
    let names: Vec<&str> = row["chain"].split_whitespace().collect();
    let others = row["other_certs"].split_whitespace();
    let (anchor, leaf) = (names.first().ok_or("no chain")?, names.last().ok_or("no chain")?);
    let between = names.get(1..names.len() - 1).unwrap_or_default();
    let anchors = TrustAnchors::new([parse(anchor)?]);
    let leaf = parse(leaf)?;
    // A certificate that cannot be read is no link.
    let candidates: Vec<Certificate> =
        between.iter().copied().chain(others).filter_map(|name| parse(name).ok()).collect();
    let mut revocation = RevocationData::default();
    for name in row["crls"].split_whitespace() {
        // A list that cannot be read says nothing.
        let _ = revocation.add_crl_der(&read(name)?);
    }
    let inputs = PathInputs {
        candidates: &candidates,
        revocation: &revocation,
        purpose: Purpose::Any,
        policies: policies(row["inputs"]),
        ..PathInputs::new(&anchors, datetime!(2012-01-01 0:00 UTC))
    };
    match validate(&leaf, &inputs, provider) {
        Ok(_) => Ok(()),
        Err(failure) => Err(format!("{} {failure}", failure.sub_indication())),
    }
}

fn policies(inputs: &str) -> PolicyInputs {
    let inputs: HashMap<String, String> =
        if inputs.is_empty() { HashMap::new() } else { serde_json::from_str(inputs).expect("inputs") };
    let is = |name: &str| inputs.get(name).is_some_and(|value| value == "true");
    let acceptable = inputs.get("InitialPolicySet").map(String::as_str).unwrap_or_default();
    PolicyInputs {
        acceptable: acceptable.split(',').filter(|name| !name.is_empty()).map(policy).collect(),
        require_explicit: is("InitialExplicitPolicy"),
        inhibit_mapping: is("InitialPolicyMappingInhibit"),
        inhibit_any: is("InitialInhibitAnyPolicy"),
    }
}

/// NIST-test-policy-n is 2.16.840.1.101.3.2.1.48.n.
fn policy(name: &str) -> Oid {
    if name == "anyPolicy" {
        return Oid::from_content(&[0x55, 0x1d, 32, 0]);
    }
    let number: u8 =
        name.strip_prefix("NIST-test-policy-").and_then(|n| n.parse().ok()).expect("policy name");
    Oid::from_content(&[0x60, 0x86, 0x48, 1, 0x65, 3, 2, 1, 48, number])
}

#[test]
fn vietnamese_authorities_are_read() {
    let Some(folder) = pki::corpora("vn/ca-certs") else { return };
    let mut read = 0;
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let bytes = fs::read(&path).expect("file");
        let certificate = match std::str::from_utf8(&bytes) {
            Ok(pem) if pem.contains("BEGIN CERTIFICATE") => {
                trinhky_pades::x509::certificates_from_pem(pem).expect("pem").remove(0)
            }
            _ => Certificate::from_der(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        };
        assert!(certificate.subject().common_name().is_some(), "{}", path.display());
        read += usize::from(certificate.is_ca());
    }
    assert!(read >= 15, "only {read} certificates of authorities");
}
