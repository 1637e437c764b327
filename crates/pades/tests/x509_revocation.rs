//! OCSP and CRLs: stored vectors of others, and a life of a certificate with the `openssl` command as issuer.

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use pki::{Kind, Pki, pem_block};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use trinhky_pades::crl::{Crl, RevocationReason};
use trinhky_pades::crypto::{self, Weakness};
use trinhky_pades::ocsp::{CertificateStatus, OcspRequest, OcspResponse};
use trinhky_pades::x509::path::{
    Evidence, PathFailure, PathInputs, Purpose, RevocationData, RevocationMode, RevocationStatus, ValidPath,
    revocation_status, validate,
};
use trinhky_pades::x509::{Certificate, TrustAnchors, certificates_from_pem};

fn table(folder: &Path) -> Vec<HashMap<String, String>> {
    let text = fs::read_to_string(folder.join("expectations.tsv")).expect("expectations");
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let columns = lines.next().expect("header");
    lines.map(|row| columns.iter().cloned().zip(row).collect()).collect()
}

/// The status of `target` below `issuers` as path validation sees it (these issuers are no CAs, so no path holds).
fn status(
    target: &Certificate,
    issuers: &[Certificate],
    revocation: &RevocationData,
    at: OffsetDateTime,
) -> &'static str {
    let anchors = TrustAnchors::default();
    let inputs = PathInputs { revocation, ..PathInputs::new(&anchors, at) };
    match revocation_status(target, issuers, &inputs, crypto::pure()) {
        // The vectors are about form; many of their keys are small.
        RevocationStatus::Good(_) | RevocationStatus::Weak(Weakness::RsaBits(_)) => "good",
        RevocationStatus::Revoked(_) => "revoked",
        RevocationStatus::Unknown => "unknown",
        RevocationStatus::Weak(Weakness::Hash(_)) => "weak",
    }
}

/// Vectors with another verdict here, each with its reason and ours.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("bad_idp_indirectcrl.pem", "good", "indirect lists are supported here (PKITS 4.14.22)"),
    ("bad_thisupdate_too_old.pem", "good", "no maximum age of our own: nextUpdate has not passed"),
    ("good_fake_extension_no_nextupdate.pem", "unknown", "RFC 5280 5.1.2.5 demands nextUpdate"),
    (
        "invalid_idp_onlycontainsusercerts_v1_leaf.pem",
        "good",
        "RFC 5280 6.3.3 (b)(2)(ii): only cA TRUE excludes",
    ),
    (
        "invalid_idp_empty_sequence.pem",
        "good",
        "a national CA's lists have an empty one, and it restricts nothing",
    ),
    ("invalid_revoked_empty_sequence.pem", "good", "an empty list of entries lists nothing"),
    (
        "produced_early_response.pem",
        "GOOD",
        "RFC 6960 sets no such bound; the chain's validity is checked by itself",
    ),
    ("produced_late_response.pem", "GOOD", "the same"),
];

fn expected<'a>(file: &str, expected: &'a str) -> &'a str {
    DIFFERENT.iter().find(|(name, ..)| *name == file).map_or(expected, |(_, ours, _)| ours)
}

#[test]
fn ocsp_vectors_give_their_status() {
    let Some(folder) = pki::corpora("ocsp/boringssl") else { return };
    let (mut run, mut wrong) = (0, Vec::new());
    for row in table(&folder) {
        let text = fs::read_to_string(folder.join(&row["file"])).expect("file");
        let parse = |label| Certificate::from_der(&pem_block(&text, label)).expect(label);
        let (target, issuer) = (parse("CERTIFICATE"), parse("CA CERTIFICATE"));
        let at = OffsetDateTime::parse(&row["verify_time"], &Rfc3339).expect("time");
        let mut revocation = RevocationData::default();
        let _ = revocation.add_ocsp_der(&pem_block(&text, "OCSP RESPONSE"));
        // These certificates have expired: only the status is asked, as of a time when the answer was fresh.
        let found = match revocation.ocsps.first().map(|r| r.status(&target, &issuer, crypto::pure())) {
            Some(Ok(found)) => {
                let until = found.next_update.unwrap_or(found.this_update + Duration::days(7));
                match found.status {
                    _ if at < found.this_update || until < at => "UNKNOWN",
                    CertificateStatus::Good => "GOOD",
                    CertificateStatus::Revoked(_) => "REVOKED",
                    CertificateStatus::Unknown => "UNKNOWN",
                }
            }
            _ => "UNKNOWN",
        };
        run += 1;
        if found != expected(&row["file"], &row["expected_status"]) {
            wrong.push(format!("{}: expected {}, got {found}", row["file"], row["expected_status"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {run} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run >= 20, "only {run} vectors");
}

#[test]
fn responders_are_told_from_strangers() {
    let Some(folder) = pki::corpora("ocsp/openssl") else { return };
    let (mut run, mut wrong) = (0, Vec::new());
    for row in table(&folder) {
        let name = row["response"].split_whitespace().next().expect("response");
        let read = |name: &str| fs::read_to_string(folder.join(name)).expect("file");
        let issuers = certificates_from_pem(&read(&row["ca_file"])).unwrap_or_default();
        let response = OcspResponse::from_der(&pki::base64(&read(name)));
        // Accepted if one of the issuers stands behind it, and it is about a certificate of that issuer.
        let stands = |response: &OcspResponse| {
            let by = |issuer: &&Certificate| response.signer(issuer, crypto::pure()).is_ok();
            issuers.iter().find(by).is_some_and(|issuer| response.serials(issuer).next().is_some())
        };
        let found = response.as_ref().is_ok_and(stands);
        run += 1;
        if found != (row["expected"] == "accept") {
            wrong.push(format!("{}: expected {}, got {found}", row["id"], row["expected"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {run} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run >= 30, "only {run} vectors");
}

#[test]
fn crl_vectors_give_their_status() {
    let Some(folder) = pki::corpora("x509/boringssl-crl") else { return };
    let (mut run, mut wrong) = (0, Vec::new());
    for row in table(&folder) {
        let text = fs::read_to_string(folder.join(&row["file"])).expect("file");
        let target = Certificate::from_der(&pem_block(&text, "CERTIFICATE")).expect("target");
        let labels = ["CA CERTIFICATE", "CA CERTIFICATE 2"];
        let issuers: Vec<_> =
            labels.iter().filter_map(|l| Certificate::from_der(&pem_block(&text, l)).ok()).collect();
        let mut revocation = RevocationData::default();
        let _ = revocation.add_crl_der(&pem_block(&text, "CRL"));
        let at = OffsetDateTime::parse(&row["verify_time"], &Rfc3339).expect("time");
        let found = status(&target, &issuers, &revocation, at);
        run += 1;
        if !expected(&row["file"], &row["expected"]).starts_with(found) {
            wrong.push(format!("{}: expected {}, got {found}", row["file"], row["expected"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {run} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run >= 38, "only {run} vectors");
}

#[test]
fn stored_responses_and_lists_are_read() {
    let Some(folder) = pki::corpora("ocsp/from-pdf") else { return };
    let mut read = 0;
    for row in table(&folder) {
        let der = fs::read(folder.join(&row["file"])).expect("file");
        let response =
            OcspResponse::from_der(&der).unwrap_or_else(|error| panic!("{}: {error}", row["file"]));
        let produced = OffsetDateTime::parse(&row["produced_at"], &Rfc3339).expect("time");
        assert_eq!(response.produced_at(), produced, "{}", row["file"]);
        read += 1;
    }
    assert!(read >= 80, "only {read} responses");
    let Some(folder) = pki::corpora("x509/crl-from-pdf") else { return };
    for row in table(&folder) {
        let der = fs::read(folder.join(&row["file"])).expect("file");
        let crl = Crl::from_der(&der).unwrap_or_else(|error| panic!("{}: {error}", row["file"]));
        let this_update = OffsetDateTime::parse(&row["this_update"], &Rfc3339).expect("time");
        assert_eq!(crl.this_update(), this_update, "{}", row["file"]);
        assert_eq!(crl.lookup(crl.issuer(), &[0x77; 9]).expect("entries"), None);
    }
}

/// An issuing CA with an OCSP responder and a CRL, all by `openssl`.
struct Authority {
    pki: Pki,
    leaf: Certificate,
    ca: Certificate,
    anchors: TrustAnchors,
    now: OffsetDateTime,
}

impl Authority {
    fn new() -> Self {
        let pki = Pki::new();
        pki.signer("sim", Kind::P256);
        pki.issue("responder", Kind::P256, "/CN=OCSP", "ocsp", "ca");
        pki.issue("stranger", Kind::P256, "/CN=OCSP", "ocsp", "root");
        pki.write(
            "ca.cnf",
            b"[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ncrlnumber=crlnumber\n\
            default_crl_days=2\nunique_subject=no\n[e]\nauthorityKeyIdentifier=keyid\n",
        );
        pki.write("crlnumber", b"01\n");
        pki.write("root-index.txt", b"");
        let parse = |name: &str| Certificate::from_der(&pki.certificate(name)).expect("certificate");
        let (leaf, ca, root) = (parse("sim"), parse("ca"), parse("root"));
        // The certificates were made a moment ago; a minute later everything below is fresh.
        let now = leaf.not_before() + Duration::minutes(1);
        let anchors = TrustAnchors::new([root]);
        let authority = Self { pki, leaf, ca, anchors, now };
        authority.index(None);
        authority
    }

    /// Writes the CA's database: the leaf valid, or revoked at a time.
    fn index(&self, revoked: Option<&str>) {
        let (state, at) = revoked.map_or(("V", String::new()), |at| ("R", format!("{at},keyCompromise")));
        let line = format!(
            "{state}\t390101000000Z\t{at}\t{}\tunknown\t/CN=x\n",
            self.leaf.serial_hex().to_uppercase()
        );
        self.pki.write("index.txt", line.as_bytes());
        self.pki.write("index.txt.attr", b"unique_subject = no\n");
    }

    fn crl(&self, issuer: &str) -> Vec<u8> {
        let (certificate, key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        self.pki.run(&[
            "ca",
            "-config",
            "ca.cnf",
            "-gencrl",
            "-cert",
            &certificate,
            "-keyfile",
            &key,
            "-crlexts",
            "e",
            "-out",
            "out.crl",
        ]);
        self.pki.run(&["crl", "-in", "out.crl", "-outform", "DER"])
    }

    fn ocsp(&self, request: &[u8], responder: &str) -> Vec<u8> {
        self.pki.write("request.der", request);
        let (certificate, key) = (format!("{responder}.pem"), format!("{responder}.key"));
        self.pki.run(&[
            "ocsp",
            "-index",
            "index.txt",
            "-rsigner",
            &certificate,
            "-rkey",
            &key,
            "-CA",
            "ca.pem",
            "-reqin",
            "request.der",
            "-respout",
            "response.der",
            "-ndays",
            "1",
        ]);
        fs::read(self.pki.path("response.der")).expect("response")
    }

    fn request(&self) -> OcspRequest {
        OcspRequest::new(&self.leaf, &self.ca, Some([7; 16])).expect("request")
    }

    fn validate(&self, revocation: &RevocationData, at: OffsetDateTime) -> Result<ValidPath, PathFailure> {
        let inputs = PathInputs {
            candidates: std::slice::from_ref(&self.ca),
            revocation,
            at,
            now: self.now,
            ..PathInputs::new(&self.anchors, at)
        };
        validate(&self.leaf, &inputs, crypto::pure())
    }
}

#[test]
fn a_certificate_lives_and_is_revoked() {
    let authority = Authority::new();
    let (root_crl, now) = (authority.crl("root"), authority.now);
    let mut nothing = RevocationData::default();
    let unknown = authority.validate(&nothing, now).expect_err("no information");
    assert_eq!((unknown.sub_indication(), unknown.is_leaf), ("TRY_LATER", false));
    nothing.add_crl_der(&root_crl).expect("crl");
    let unknown = authority.validate(&nothing, now).expect_err("none for the leaf");
    assert_eq!((unknown.sub_indication(), unknown.is_leaf), ("TRY_LATER", true));

    // Good by OCSP of a delegated responder, of the CA itself, and by CRL.
    for responder in ["responder", "ca"] {
        let request = authority.request();
        let response = authority.ocsp(request.as_der(), responder);
        let checked = request.accept(&response, now, crypto::pure()).expect("good");
        assert_eq!(checked.status, CertificateStatus::Good);
        let mut data = nothing.clone();
        data.add_ocsp_der(&response).expect("response");
        let path = authority.validate(&data, now).expect("valid");
        assert!(matches!(path.evidence.as_slice(), [Evidence::Ocsp(_), Evidence::Crls(_)]));
        assert_eq!(path.certificates.len(), 3);
        // Not for ever.
        let later = request.accept(&response, now + Duration::days(3), crypto::pure()).expect_err("stale");
        assert_eq!(later.code(), "ocsp_not_fresh");
    }
    let mut by_list = nothing.clone();
    by_list.add_crl_der(&authority.crl("ca")).expect("crl");
    assert!(authority.validate(&by_list, now).is_ok());

    // Revoked an hour before the certificate's own minute.
    authority.index(Some("200101000000Z"));
    let request = authority.request();
    let response = authority.ocsp(request.as_der(), "responder");
    let checked = request.accept(&response, now, crypto::pure()).expect("an answer");
    let CertificateStatus::Revoked(revoked) = checked.status else { panic!("revoked") };
    assert_eq!(revoked.reason, RevocationReason::KeyCompromise);
    for (name, add) in [("ocsp", true), ("crl", false)] {
        // The older good list is there as well: revoked wins.
        let mut data = by_list.clone();
        if add {
            data.add_ocsp_der(&response).expect("response");
        } else {
            data.add_crl_der(&authority.crl("ca")).expect("crl");
        }
        let failure = authority.validate(&data, now).expect_err(name);
        assert_eq!((failure.sub_indication(), failure.is_leaf), ("REVOKED", true), "{name}");
        assert_eq!(failure.revoked(), Some(revoked), "{name}");
    }
}

#[test]
fn a_revocation_after_the_time_asked_about_does_not_count() {
    let authority = Authority::new();
    let at = authority.leaf.not_before() + Duration::seconds(10);
    let revoked_at = authority.leaf.not_before() + Duration::seconds(20);
    let format = time::macros::format_description!("[year repr:last_two][month][day][hour][minute][second]Z");
    authority.index(Some(&revoked_at.format(&format).expect("time")));
    let mut data = RevocationData::default();
    data.add_crl_der(&authority.crl("ca")).expect("crl");
    // Made with today's clock, a few seconds after the certificate: may lie before or after `at`.
    let this_update = data.crls[0].this_update();
    data.add_crl_der(&authority.crl("root")).expect("crl");
    let before = authority.validate(&data, at.min(this_update));
    assert!(before.is_ok(), "{before:?}");
    let after = authority.validate(&data, revoked_at + Duration::seconds(1)).expect_err("revoked");
    assert_eq!(after.sub_indication(), "REVOKED");
}

#[test]
fn answers_of_strangers_say_nothing() {
    let authority = Authority::new();
    let now = authority.now;
    let request = authority.request();
    let refused =
        |response: &[u8]| request.accept(response, now, crypto::pure()).expect_err("refused").code();
    // A responder of another CA with the same name, and the leaf answering for itself.
    assert_eq!(refused(&authority.ocsp(request.as_der(), "stranger")), "ocsp_not_authoritative");
    assert_eq!(refused(&authority.ocsp(request.as_der(), "sim")), "ocsp_not_authoritative");
    // The answer to somebody else's nonce.
    let other = OcspRequest::new(&authority.leaf, &authority.ca, Some([8; 16])).expect("request");
    assert_eq!(refused(&authority.ocsp(other.as_der(), "responder")), "ocsp_nonce");
    // About another certificate.
    let about_ca = OcspRequest::new(&authority.ca, &authority.ca, Some([7; 16])).expect("request");
    assert_eq!(refused(&authority.ocsp(about_ca.as_der(), "responder")), "ocsp_not_authoritative");
    // Without a nonce: tolerated. Flipped: never good.
    let plain = OcspRequest::new(&authority.leaf, &authority.ca, None).expect("request");
    let response = authority.ocsp(plain.as_der(), "responder");
    assert!(request.accept(&response, now, crypto::pure()).is_ok());
    for at in 0..response.len() {
        let mut changed = response.clone();
        changed[at] ^= 0x10;
        if let Ok(checked) = request.accept(&changed, now, crypto::pure()) {
            // Only bytes that nothing signs may differ: there are none but in parts that are not used.
            assert_eq!(
                checked.this_update,
                request.accept(&response, now, crypto::pure()).expect("good").this_update
            );
        }
    }
    assert_eq!(refused(b"\x30\x03\x0a\x01\x03"), "ocsp_unreadable");
    assert_eq!(refused(b""), "ocsp_unreadable");
}

#[test]
fn validity_and_purpose_have_their_words() {
    let authority = Authority::new();
    let data = RevocationData::none();
    let ask = |leaf: &Certificate, at, purpose| {
        let inputs = PathInputs {
            candidates: std::slice::from_ref(&authority.ca),
            revocation: &data,
            mode: RevocationMode::Off,
            purpose,
            ..PathInputs::new(&authority.anchors, at)
        };
        validate(leaf, &inputs, crypto::pure()).map(|_| ()).map_err(|failure| failure.sub_indication())
    };
    let leaf = &authority.leaf;
    let signing = Purpose::DocumentSigning;
    assert_eq!(ask(leaf, authority.now, signing), Ok(()));
    assert_eq!(ask(leaf, leaf.not_after() + Duration::SECOND, signing), Err("EXPIRED"));
    assert_eq!(ask(leaf, leaf.not_before() - Duration::SECOND, signing), Err("NOT_YET_VALID"));
    assert_eq!(ask(leaf, authority.now, Purpose::TimeStamping), Err("CHAIN_CONSTRAINTS_FAILURE"));
    let tsa = Certificate::from_der(&authority.pki.certificate("tsa")).expect("tsa");
    assert_eq!(ask(&tsa, authority.now, Purpose::TimeStamping), Ok(()));
    assert_eq!(ask(&tsa, authority.now, signing), Err("CHAIN_CONSTRAINTS_FAILURE"));
    let other = TrustAnchors::new([Certificate::from_der(&authority.pki.certificate("tsa")).expect("tsa")]);
    let failure =
        validate(leaf, &PathInputs::new(&other, authority.now), crypto::pure()).expect_err("no chain");
    assert_eq!(failure.sub_indication(), "NO_CERTIFICATE_CHAIN_FOUND");
    assert_eq!(failure.chain.len(), 1);
}
