//! The corpus of signed files that others made, each with the verdict that others gave it.
//!
//! Runs where `TRINHKY_CORPORA` (or `../shared/corpora/public` beside the clone) exists; the runner names it as not
//! selected otherwise. Every row must give its verdict, but for the exceptions below, each with its reason.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use time::{OffsetDateTime, macros::datetime};
use trinhky_pades::{
    crypto,
    verify::{Indication, Report, SignatureReport, Unreadable, VerifyPolicy, verify},
    x509::{Certificate, TrustAnchors},
};

#[path = "common/clock.rs"]
mod clock;

use clock::soon;

/// File (or, with a `*`, the beginning of its name) whose verdict here differs from the corpus, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    // Changes that a human might wave through but that no signature allows: pyHanko calls them OTHER as well.
    (
        "files/LibreOffice/pdfsigning/data/partial-in-between.pdf",
        "an annotation was added between the signatures",
    ),
    ("files/dss/validation/pades-signed-annot-added.pdf", "an annotation was added after signing"),
    ("files/dss/validation/DSS-2821.pdf", "a page and the structure tree were changed after signing"),
    ("files/dss/validation/Signature-P-DE_SCI-4.pdf", "a page's resources were changed after signing"),
    ("files/dss/validation/dss-1376/DSS1376-rev_n.pdf", "a visible field was added after certification"),
    ("files/dss/validation/test-with-vri.pdf", "a field was changed that the signature locks"),
    // Stricter than others on purpose (what others accept here is how files are forged).
    ("files/dss/validation/DSS-2155.pdf", "foreign bytes in the padding of /Contents"),
    ("files/dss/validation/pdf-double-signer-info.pdf", "two signers in one CMS"),
    ("files/dss/validation/signature-referenced-from-multiple-fields.pdf", "one signature in two fields"),
    ("files/pyHanko-run/test_pades/test_interrupted_nonstrict_with_psi.pdf", "the cross-reference is broken"),
    ("files/pyHanko-run/test_signing/test_timestamp_with_nonsense_key_usage_*", "RFC 3161 2.3: key purpose"),
    (
        "files/pyHanko-run/test_signing/test_do_not_enforce_key_usage_if_signer_is_root.pdf",
        "key usage holds for anchors too",
    ),
    ("files/pyHanko-run/test_seed_values/test_sv_sign_md_hint.pdf", "SHA-1 in 2020"),
    ("files/pyHanko-run/test_seed_values/test_sv_sign_subfilter_hint.pdf", "SHA-1 in 2020"),
    (
        "files/dss/validation/Signature-P-HU_POL-7.pdf",
        "what the signature saw in the security store was taken away",
    ),
    // Not supported, and said so: INDETERMINATE, or refused as unreadable.
    ("files/LibreOffice/pdfsigning/data/pdf14lowin.pdf", "digestAlgorithm names a signature algorithm"),
    ("files/pyHanko-run/test_cms/test_sign_with_dsa_trust.pdf", "DSA"),
    ("files/dss/validation/dss-PLAIN-ECDSA/*", "plain ECDSA (BSI TR-03111) in CMS"),
    ("files/SiVa-Test/hellopades-lt-sha1.pdf", "the signer's RSA modulus is encoded as a negative number"),
    ("files/SiVa-Test/hellopades-lt-sha512.pdf", "the signer's RSA modulus is encoded as a negative number"),
    (
        "files/SiVa-Test/hellopades-pades-lt-sha256-sign.pdf",
        "the signer's RSA modulus is encoded as a negative number",
    ),
    ("files/endesive/test-signed-cms-hsm-Google.pdf", "the certificate has an empty list of extensions"),
    ("files/dss/protected/edition_protected_signing_allowed_with_field_signed.pdf", "encrypted"),
    ("files/qpdf/minimal-signed-restricted.pdf", "encrypted"),
    ("files/pyHanko-run/test_sign_encrypted/*", "encrypted"),
    ("files/pyHanko-run/test_pdfmac/*", "encrypted"),
    // The row is about something else than the file: an option of the test, or what the test fetched.
    (
        "files/pyHanko-run/test_diff_analysis/test_skip_diff_scenario_*",
        "the test switches the difference analysis off",
    ),
    (
        "files/pyHanko-run/test_diff_analysis/test_orphan_False_.pdf",
        "the test forbids unused objects; its twin allows them",
    ),
    ("files/pyHanko-run/test_cms/test_forbidden_signature_algorithm.pdf", "the test forbids an algorithm"),
    (
        "files/pyHanko-run/test_signing/test_allow_hybrid_sign_validate_fail.pdf",
        "the test forbids hybrid files",
    ),
    (
        "files/pyHanko-run/test_pades/test_standalone_document_timestamp.pdf",
        "the test calls the wrong function",
    ),
    (
        "files/pyHanko-run/test_signing/test_sign_with_later_revoked_nots.pdf",
        "the revocation was fetched by the test",
    ),
    (
        "files/SiVa-Test/hellopades-lt-sha256-rsa2048-ocsp-before-ts.pdf",
        "about the trusted list's OCSP, which is not here",
    ),
    ("files/pyHanko-run/test_seed_values/test_sv_*", "seed values bind the signer's program, not a verifier"),
    ("files/pyHanko-run/test_seed_values/test_add_revinfo_wrong_subfilter.pdf", "seed values, as above"),
];

#[test]
fn every_row_gives_its_verdict() {
    let Some(corpus) = corpus() else { return };
    let rows = rows(&corpus);
    let mut wrong = Vec::new();
    let mut excused = Vec::new();
    let mut counted = 0;
    let mut cache: BTreeMap<(String, String), Result<Report, Unreadable>> = BTreeMap::new();
    for row in &rows {
        let key = (row.file.clone(), row.trust_context.clone());
        let answer = cache.entry(key).or_insert_with(|| soon(&row.file, || look(&corpus, row)));
        counted += 1;
        if let Err(why) = grade(row, answer) {
            let line = format!(
                "{} {} [{}]: {why} (expected {}: {})",
                row.file, row.field, row.trust_context, row.expected, row.reason
            );
            match EXCEPTIONS.iter().find(|(file, _)| names(file, &row.file)) {
                Some(exception) => excused.push(exception.0),
                None => wrong.push(line),
            }
        }
    }
    for (file, _) in EXCEPTIONS {
        assert!(excused.contains(file), "{file} is no exception any more: take it off the list");
    }
    assert!(wrong.is_empty(), "{} of {counted} rows:\n{}", wrong.len(), wrong.join("\n"));
}

fn names(pattern: &str, file: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == file, |start| file.starts_with(start))
}

/// Files that were never signed, many of them broken on purpose: an answer for each, in time, and never a pass.
#[test]
fn every_unsigned_file_gets_an_answer() {
    let Some(corpus) = corpus() else { return };
    let anchors = TrustAnchors::new([]);
    let policy = VerifyPolicy::new(&anchors, datetime!(2026-11-22 00:00 UTC), crypto::pure());
    let mut folders = vec![corpus.with_file_name("pdf-unsigned").join("files")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the corpus") {
            let path = entry.expect("an entry of the corpus").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file of the corpus");
            let answer = soon(&path.display().to_string(), || verify(&bytes, &policy));
            assert!(!answer.is_ok_and(|report| report.passed()), "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 100, "only {files} files");
}

fn grade(row: &Row, answer: &Result<Report, Unreadable>) -> Result<(), String> {
    let report = match answer {
        Ok(report) => report,
        Err(error) => {
            return match row.expected.as_str() {
                "error" | "no-hang" | "parse-ok" | "unspecified" | "invalid" | "no-signature" => Ok(()),
                _ => Err(format!("unreadable: {error}")),
            };
        }
    };
    let only = match report.signatures.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let found = report.signatures.iter().find(|one| one.field == row.field).or(only);
    let whole = row.sound();
    let Some(one) = found else {
        return match row.expected.as_str() {
            "valid" | "indeterminate" => {
                Err(format!("no signature {:?} among {}", row.field, report.signatures.len()))
            }
            _ => Ok(()),
        };
    };
    let sound = intact(one);
    let told = told(one);
    match row.expected.as_str() {
        "valid" if whole && !sound => Err(told),
        "valid" if !whole && one.indication != Indication::TotalPassed => Err(told),
        "invalid" if whole && sound => Err(told),
        "invalid" | "indeterminate" | "error" if !whole && one.indication == Indication::TotalPassed => {
            Err(told)
        }
        _ => Ok(()),
    }
}

fn told(one: &SignatureReport) -> String {
    let checks =
        [&one.checks.signature, &one.checks.integrity, &one.checks.certificate, &one.checks.timestamp];
    let failed: Vec<&str> =
        checks.iter().filter(|check| !check.ok).filter_map(|check| check.reason.as_deref()).collect();
    let changes = one.later_changes.iter().filter(|change| !change.allowed);
    let changes: Vec<&str> = changes.map(|c| c.what.split(" / ").nth(1).unwrap_or(&c.what)).collect();
    format!("{:?} {failed:?} {changes:?}", one.indication)
}

/// What rows that leave trust aside are about.
fn intact(one: &SignatureReport) -> bool {
    let weak = one.checks.signature.reason.as_deref() == Some("weak_algorithm");
    one.checks.integrity.ok && (one.checks.signature.ok || weak)
}

fn look(corpus: &Path, row: &Row) -> Result<Report, Unreadable> {
    let bytes = std::fs::read(corpus.join(&row.file)).expect("a file of the corpus");
    let (anchors, at) = row.context(corpus);
    let policy = VerifyPolicy::new(&anchors, at, crypto::pure());
    verify(&bytes, &policy)
}

struct Row {
    file: String,
    field: String,
    expected: String,
    reason: String,
    trust_context: String,
}

impl Row {
    /// Whether the row is about form and integrity only.
    fn sound(&self) -> bool {
        !self.trust_context.starts_with("trust/")
    }

    /// Anchors and time: `trust/a.crt trust/b.crt | time 2020-11-01T00:00:00`.
    fn context(&self, corpus: &Path) -> (TrustAnchors, OffsetDateTime) {
        let (files, at) = self.trust_context.split_once(" | time ").unwrap_or((&self.trust_context, ""));
        let at = format!("{at}Z");
        let at = OffsetDateTime::parse(&at, &time::format_description::well_known::Rfc3339);
        let mut anchors = Vec::new();
        for file in files.split(' ').filter(|file| file.starts_with("trust/")) {
            let der = std::fs::read(corpus.join(file)).expect("an anchor of the corpus");
            anchors.push(Certificate::from_der(&der).expect("an anchor in DER"));
        }
        (TrustAnchors::new(anchors), at.unwrap_or(datetime!(2026-11-22 00:00 UTC)))
    }
}

fn rows(corpus: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(corpus.join("expectations.tsv")).expect("the list of the corpus");
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let column = |name: &str| header.iter().position(|title| *title == name).expect("a column");
    let (file, field, expected) = (column("file"), column("field"), column("expected"));
    let (reason, context) = (column("reason"), column("trust_context"));
    lines
        .map(|cells| Row {
            file: cells[file].to_owned(),
            field: cells[field].to_owned(),
            expected: cells[expected].to_owned(),
            reason: cells[reason].to_owned(),
            trust_context: cells[context].to_owned(),
        })
        .collect()
}

fn corpus() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora/public");
    let root = std::env::var_os("TRINHKY_CORPORA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let corpus = root.join("pdf-signed");
    if std::env::var_os("TRINHKY_CORPORA").is_some() {
        assert!(corpus.is_dir(), "TRINHKY_CORPORA is set, and {} is not there", corpus.display());
    }
    corpus.is_dir().then_some(corpus)
}
