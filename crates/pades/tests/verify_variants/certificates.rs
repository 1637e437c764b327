//! Certificates exchanged in the message, and files that are certified.

use trinhky_pades::cms::{ID_DATA, SignatureValue, assemble, signed_attributes};
use trinhky_pades::{ProvisionPlan, prepare};

use crate::desk::*;
use crate::forge::*;
use crate::job::Job;
use crate::pki::Kind;

#[test]
fn exchanged_certificates() {
    let pki = &DESK.pki;
    pki.issue("twin", Kind::P256, "/C=VN/CN=leader", "signer", "ca");
    let (own, others) =
        (pki.certificate("leader"), ["seal", "twin", "tsa", "ca"].map(|who| pki.certificate(who)));
    for (base, bytes) in DESK.bases.iter().filter(|(base, _)| base.ends_with("signed")) {
        let digits = gap(bytes);
        let cms: Vec<u8> = hex(&bytes[digits.clone()]);
        for other in &others {
            let value = pki.sign("seal", "-sha256", &[], b"anything");
            let value = SignatureValue::from_raw(&value, &pki.certificate("seal")).unwrap();
            let digest =
                trinhky_pades::Digest::of(&[&bytes[..digits.start - 1], &bytes[digits.end + 1..]].concat());
            // The signer's own attributes with a value of another key, or another's certificate beside the signer's.
            let attributes = signed_attributes(&digest, &own, ID_DATA).unwrap();
            let forged = assemble(&attributes, &value, &own, &[other]).unwrap();
            let swapped = replaced(&cms, &own, other);
            for forged in [forged, swapped] {
                let mut out = bytes.clone();
                for (at, byte) in (digits.start..).step_by(2).zip(&forged) {
                    out[at..at + 2].copy_from_slice(format!("{byte:02x}").as_bytes());
                }
                assert!(!DESK.passes(&out), "{base}");
            }
        }
    }
}

fn hex(digits: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(digits).unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The first occurrence of one certificate replaced by another, cut or filled to its length.
fn replaced(cms: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = cms.windows(from.len()).position(|window| window == from).unwrap();
    let mut out = cms.to_vec();
    for (slot, byte) in out[at..at + from.len()].iter_mut().zip(to.iter().chain(std::iter::repeat(&0))) {
        *slot = *byte;
    }
    out
}

/// A certified file (DocMDP 1, 2 and 3), made by somebody's program: nothing is added to it unseen.
#[test]
fn certified_files() {
    for level in [1, 2, 3] {
        let job = Job::new(&pages(), &ProvisionPlan::standard(1));
        let mut request = Job::request(&DESK.pki, "leader", "Signer1");
        request.reason = Some("x".repeat(80));
        let prepared = prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap();
        let key = b"/Reason ";
        let start = prepared.tail.windows(key.len()).position(|window| window == key).unwrap();
        let rest = &prepared.tail[start + key.len()..];
        let end = start + key.len() + rest.iter().position(|byte| [b'>', b')'].contains(byte)).unwrap() + 1;
        let reference =
            format!("/Reference [<< /TransformMethod /DocMDP /TransformParams << /P {level} /V /1.2 >> >>]");
        let width = end - start;
        assert!(reference.len() <= width, "{width}");
        let mut tail = prepared.tail.clone();
        tail[start..end].copy_from_slice(format!("{reference:<width$}").as_bytes());
        let certified = signed_tail(&job.bytes, &tail);
        assert!(DESK.passes(&certified), "level {level}");
        let (fresh, page) = (next(&certified), page_numbers(&certified)[1]);
        for kind in ["FreeText", "Stamp", "Redact", "Text"] {
            let note =
                format!("<< /Type /Annot /Subtype /{kind} /Rect [0 0 595 842] /Contents (pay 9999) >>");
            let evil = revised(&certified, &[annotated(&certified, page, fresh), (fresh, note)]);
            assert!(!DESK.passes(&evil), "{kind} at level {level}");
        }
        if level == 1 {
            let number = field(&certified, "DocNumber");
            let font =
                "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >> >> >>";
            let drawn = stream(
                &format!("/Type /XObject /Subtype /Form /BBox [0 0 99 20] {font}"),
                "BT /F 9 Tf (30) Tj ET",
            );
            let filled = with(&certified, number, &[("V", "(30)"), ("AP", &format!("<< /N {fresh} 0 R >>"))]);
            assert!(
                !DESK.passes(&revised(&certified, &[(number, filled), (fresh, drawn)])),
                "filled at level 1"
            );
        }
    }
}

/// Signs a tail as it is with the leader's key.
fn signed_tail(base: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut whole = [base, tail].concat();
    let digits = gap(&whole);
    let digest = trinhky_pades::Digest::of(&[&whole[..digits.start - 1], &whole[digits.end + 1..]].concat());
    let certificate = DESK.pki.certificate("leader");
    let attributes = signed_attributes(&digest, &certificate, ID_DATA).unwrap();
    let value = DESK.pki.sign("leader", "-sha256", &[], attributes.as_der());
    let value = SignatureValue::from_raw(&value, &certificate).unwrap();
    let cms = assemble(&attributes, &value, &certificate, &[&DESK.pki.certificate("ca")]).unwrap();
    for (at, byte) in (digits.start..).step_by(2).zip(&cms) {
        whole[at..at + 2].copy_from_slice(format!("{byte:02x}").as_bytes());
    }
    whole
}
