//! Every way we know to forge a signed file, tried on files that we signed ourselves (USF, SWA, ISA, shadow attacks,
//! evil annotation, sneaky signature, and what validators in use let through).

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
#[path = "../common/mod.rs"]
mod common;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
#[path = "../forge/mod.rs"]
mod forge;
mod honest;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
#[path = "../job/mod.rs"]
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
#[path = "../pki/mod.rs"]
mod pki;
mod shared;

use std::sync::LazyLock;

use forge::{catalog, dict, field, form, gap, next, page, plain, raw, revised, stream, with};
use job::{Job, text_page};
use pki::{Kind, Pki};
use proptest::prelude::*;
use time::OffsetDateTime;
use trinhky_pades::{
    Fill, ProvisionPlan,
    changes::{TailExpectation, check_tail},
    cms::{ID_DATA, SignatureValue, assemble, signed_attributes},
    crypto,
    pdf::{File, Limits, Object},
    prepare,
    verify::{Report, Verdict, VerifyPolicy, verify},
    x509::TrustAnchors,
};

/// One PKI and two documents for all tests: keys are slow to make.
static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);

#[expect(clippy::disallowed_methods, reason = "the PKI is made now; the engine takes the time from here")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

struct Desk {
    pki: Pki,
    anchors: TrustAnchors,
    /// Signed by the leader.
    signed: Vec<u8>,
    /// Then numbered and sealed with a lock on all fields.
    sealed: Vec<u8>,
}

impl Desk {
    fn new() -> Self {
        let pki = Pki::new();
        pki.signer("leader", Kind::P256);
        pki.signer("seal", Kind::P256);
        let anchors = pki.anchors();
        let mut job = Job::new(&text_page(), &ProvisionPlan::standard(1));
        job.sign(&pki, "leader", "Signer1", |_| {});
        let signed = job.bytes.clone();
        job.sign(&pki, "seal", "OrgSeal", |request| {
            request.fills = vec![
                Fill { field: "DocNumber".to_owned(), text: "29/2021/QĐ-UBND".to_owned() },
                Fill { field: "DocDate".to_owned(), text: "ngày 14 tháng 12 năm 2021".to_owned() },
            ];
        });
        Self { pki, anchors, signed, sealed: job.bytes }
    }

    fn report(&self, bytes: &[u8]) -> Option<Report> {
        let policy = VerifyPolicy::new(&self.anchors, now(), crypto::pure());
        verify(&bytes, &policy).ok()
    }

    /// The codes of what was found wrong with a forged file, which must not pass.
    fn caught(&self, bytes: &[u8]) -> Vec<String> {
        let report = self.report(bytes).unwrap();
        assert_ne!(report.verdict, Verdict::TotalPassed, "{report:#?}");
        let mut codes = Vec::new();
        for one in &report.signatures {
            let checks = [&one.checks.signature, &one.checks.integrity, &one.checks.certificate];
            codes.extend(checks.iter().filter(|check| !check.ok).filter_map(|check| check.reason.clone()));
            codes.extend(one.later_changes.iter().filter(|c| !c.allowed).map(|c| c.code.to_owned()));
        }
        codes
    }
}

fn assert_caught(bytes: &[u8], code: &str) {
    assert_caught_as("it", bytes, code);
}

fn assert_caught_as(what: &str, bytes: &[u8], code: &str) {
    let codes = DESK.caught(bytes);
    assert!(codes.iter().any(|found| found == code), "{what}: {code} is not among {codes:?}");
}

fn assert_passes(what: &str, bytes: &[u8]) {
    let report = DESK.report(bytes).unwrap();
    assert_eq!(report.verdict, Verdict::TotalPassed, "{what}: {report:#?}");
}

/// A file of these objects, signed by the leader as it is; `trailer`: what else its trailer says.
fn signed(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut job = Job::ingested(&plain(objects, trailer));
    job.sign(&DESK.pki, "leader", "Approval", |_| {});
    job.bytes
}

/// An appearance that draws a text.
fn drawn(text: &str) -> String {
    let font = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >> >> >>";
    stream(
        &format!("/Type /XObject /Subtype /Form /BBox [0 0 99 20] {font}"),
        &format!("BT /F 9 Tf ({text}) Tj ET"),
    )
}

#[test]
fn untouched_documents_pass() {
    for bytes in [&DESK.signed, &DESK.sealed] {
        assert_passes("untouched", bytes);
    }
}

#[test]
fn bytes_where_none_may_be() {
    let gap = gap(&DESK.signed);
    let mut padding = DESK.signed.clone();
    padding[gap.end - 1] = b'1';
    assert_caught(&padding, "padding_not_zero");
    let mut smuggled = DESK.signed.clone();
    smuggled[gap.end - 12..gap.end - 5].copy_from_slice(b">/Name<");
    assert_caught(&smuggled, "byte_range_gap");
    let mut broken = DESK.signed.clone();
    broken[gap.end - 12..gap.end - 3].copy_from_slice(b">/Name(x)");
    assert_caught(&broken, "signature_malformed");
    for junk in ["\n\n", "% a comment\n", "9 0 obj\n<< /Type /Catalog >>\nendobj\n", "\0"] {
        let behind = [&DESK.signed[..], junk.as_bytes()].concat();
        assert_caught(&behind, "bytes_outside_revision");
    }
    // Objects that no cross-reference names, in front of a harmless revision: for readers that repair.
    let hidden = [&DESK.signed[..], b"4 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\n"].concat();
    let harmless = "<< /Producer (x) >>".to_owned();
    let mut revised = revised(&DESK.signed, &[(next(&DESK.signed), harmless)]);
    let shift = hidden.len() - DESK.signed.len();
    let tail = revised.split_off(DESK.signed.len());
    // The offsets of the appended revision move by what was put in front of it.
    let moved = String::from_utf8(tail).unwrap();
    let old_at = format!("{:010}", DESK.signed.len());
    let new_at = format!("{:010}", DESK.signed.len() + shift);
    let moved = moved.replace(&old_at, &new_at);
    let xref: usize = moved.split("startxref\n").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    let moved = moved.replace(&format!("startxref\n{xref}"), &format!("startxref\n{}", xref + shift));
    assert_caught(&[&hidden[..], moved.as_bytes()].concat(), "bytes_outside_revision");
}

#[test]
fn content_after_signing() {
    let bytes = &DESK.signed;
    let (page, catalog, form, fresh) = (page(bytes), catalog(bytes), form(bytes), next(bytes));
    let draw = stream("", "BT ET");
    let cases: Vec<(&str, Vec<(u32, String)>)> = vec![
        (
            "page_changed",
            vec![(page, with(bytes, page, &[("Contents", &format!("{fresh} 0 R"))])), (fresh, draw.clone())],
        ),
        ("page_changed", vec![(page, with(bytes, page, &[("Rotate", "90")]))]),
        ("content_changed", vec![(4, draw.clone())]),
        ("page_tree_changed", vec![(2, with(bytes, 2, &[("Kids", "[]"), ("Count", "0")]))]),
        (
            "catalog_changed",
            vec![(catalog, with(bytes, catalog, &[("OpenAction", "<< /S /JavaScript /JS (x) >>")]))],
        ),
        ("catalog_changed", vec![(catalog, with(bytes, catalog, &[("Names", "<< >>")]))]),
        ("page_tree_changed", vec![(catalog, with(bytes, catalog, &[("Pages", "3 0 R")]))]),
        ("need_appearances", vec![(form, with(bytes, form, &[("NeedAppearances", "true")]))]),
        ("form_changed", vec![(form, with(bytes, form, &[("XFA", "(x)")]))]),
    ];
    for (code, objects) in cases {
        assert_caught(&revised(bytes, &objects), code);
    }
}

#[test]
fn annotations_and_fields_after_signing() {
    let bytes = &DESK.signed;
    let (page, form, fresh) = (page(bytes), form(bytes), next(bytes));
    let annotations = dict(bytes, page).get("Annots").unwrap().as_ref().unwrap().number;
    let file = File::open_strict(bytes, &Limits::default()).unwrap();
    let list = |key: &Object, more: &str| {
        let mut items = file.latest().resolve(key).unwrap().as_array().unwrap().to_vec();
        items.push(raw(more));
        let items: Vec<String> = items.iter().map(|item| item.as_ref().unwrap().to_string()).collect();
        format!("[{}]", items.join(" "))
    };
    let more = list(dict(bytes, page).get("Annots").unwrap(), &format!("{fresh} 0 R"));
    let note = "<< /Type /Annot /Subtype /FreeText /Rect [0 0 300 300] /Contents (x) >>".to_owned();
    assert_caught(&revised(bytes, &[(annotations, more), (fresh, note)]), "annotation_changed");
    let number = field(bytes, "DocNumber");
    assert_caught(
        &revised(bytes, &[(number, with(bytes, number, &[("Rect", "[0 0 500 500]")]))]),
        "field_moved",
    );
    assert_caught(&revised(bytes, &[(number, with(bytes, number, &[("AA", "<< >>")]))]), "field_changed");
    let fields = dict(bytes, form).get("Fields").unwrap().as_ref().unwrap().number;
    let longer = list(dict(bytes, form).get("Fields").unwrap(), &format!("{fresh} 0 R"));
    let text = "<< /FT /Tx /T (New) /Subtype /Widget /Rect [0 0 9 9] >>".to_owned();
    assert_caught(&revised(bytes, &[(fields, longer.clone()), (fresh, text)]), "field_added");
    assert_caught(&revised(bytes, &[(fields, "[]".to_owned())]), "signature_removed");
    // The signature once more, in a field of another name.
    let value = dict(bytes, field(bytes, "Signer1")).get("V").unwrap().as_ref().unwrap();
    let copy = format!("<< /FT /Sig /T (Copy) /Subtype /Widget /Rect [0 0 0 0] /V {value} >>");
    assert_caught(&revised(bytes, &[(fields, longer), (fresh, copy)]), "signature_in_two_fields");
    let signer = field(bytes, "Signer1");
    let forged = with(bytes, value.number, &[("Reason", "(forged)")]);
    assert_caught(&revised(bytes, &[(value.number, forged.clone())]), "signature_replaced");
    let other =
        revised(bytes, &[(signer, with(bytes, signer, &[("V", &format!("{fresh} 0 R"))])), (fresh, forged)]);
    assert_caught(&other, "signature_replaced");
}

#[test]
fn values_that_are_not_what_is_drawn() {
    let bytes = &DESK.signed;
    let (number, fresh) = (field(bytes, "DocNumber"), next(bytes));
    assert_caught(
        &revised(bytes, &[(number, with(bytes, number, &[("V", "(30)")]))]),
        "value_without_appearance",
    );
    let filled = |value: &str, text: &str| {
        let changes = [("V", value), ("AP", &format!("<< /N {fresh} 0 R >>"))];
        revised(bytes, &[(number, with(bytes, number, &changes)), (fresh, drawn(text))])
    };
    assert_caught(&filled("(30)", "31"), "appearance_not_value");
    assert_passes("30", &filled("(30)", "30"));
    // A new appearance that brings up content that was there, unseen, when the leader signed.
    let old = dict(bytes, field(bytes, "Signer1"))
        .get("AP")
        .and_then(|ap| ap.as_dict()?.get("N")?.as_ref())
        .unwrap();
    let replay = stream(
        &format!("/Type /XObject /Subtype /Form /BBox [0 0 99 20] /Resources << /XObject << /X {old} >> >>"),
        "/X Do",
    );
    let changes = [("V", "()"), ("AP", &format!("<< /N {fresh} 0 R >>"))];
    let hidden = revised(bytes, &[(number, with(bytes, number, &changes)), (fresh, replay)]);
    assert_caught(&hidden, "appearance_uses_old_content");
    // After the seal, which locks all fields.
    let bytes = &DESK.sealed;
    let (number, fresh) = (field(bytes, "DocNumber"), next(bytes));
    let changes = [("V", "(30)"), ("AP", &format!("<< /N {fresh} 0 R >>"))];
    let refilled = revised(bytes, &[(number, with(bytes, number, &changes)), (fresh, drawn("30"))]);
    assert_caught(&refilled, "field_locked");
}

/// The value is drawn as it is, and then something over it or beside it: no frame, and nothing passes.
#[test]
fn values_that_are_drawn_over() {
    let bytes = &DESK.signed;
    let (number, fresh) = (field(bytes, "DocNumber"), next(bytes));
    let filled = |under: &str, over: &str| {
        let resources = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >> >> \
                         /ExtGState << /Wide << /LW 30 >> >> >>";
        let content = format!("{under} BT 0 g /F 9 Tf 4 5 Td (30) Tj ET {over}");
        let drawn = stream(&format!("/Type /XObject /Subtype /Form /BBox [0 0 99 20] {resources}"), &content);
        let changes = [("V", "(30)"), ("AP", &*format!("<< /N {fresh} 0 R >>"))];
        revised(bytes, &[(number, with(bytes, number, &changes)), (fresh, drawn)])
    };
    for (under, over) in
        [("", ""), ("0.9 g 0 0 99 20 re f", "0.5 0.5 98 19 re S"), ("q 1 1 97 18 re W n", "Q 0 0 m 99 0 l S")]
    {
        assert_passes(&format!("{under} {over}"), &filled(under, over));
    }
    for (what, under, over) in [
        ("a strike through the text", "", "0 8 m 99 8 l S"),
        ("a strike as a box", "", "0 8 99 1 re f"),
        ("a strike under the text", "4 8 m 20 8 l S", ""),
        ("a 1 of one line", "15 4 m 15 12 l S", ""),
        ("a 7 of two lines", "", "15 12 m 19 12 l 16 4 l S"),
        ("a 1 as a box", "15 4 1 8 re f", ""),
        ("an 8 of two boxes", "", "15 4 4 4 re 15 8 4 4 re S"),
        ("a box over a digit", "", "1 g 9 2 9 16 re f"),
        ("a box over all of it", "", "1 g 0 0 99 20 re f"),
        ("the same of lines", "", "1 g 0 0 m 99 0 l 99 20 l 0 20 l f"),
        ("the same of a line", "", "1 G 40 w 0 0 m 99 0 l S"),
        ("the same by a graphics state", "", "1 G /Wide gs 0 0 m 99 0 l S"),
        ("a box over half of it", "", "1 g 0 0 50 20 re f"),
        ("dividers without a comb", "", "33 0 m 33 20 l 66 0 m 66 20 l S"),
        ("a picture", "", "BI /W 1 /H 1 /BPC 8 /CS /G ID x EI"),
    ] {
        assert_caught_as(what, &filled(under, over), "appearance_not_value");
    }
}

#[test]
fn an_object_that_fills_a_dangling_reference() {
    let page = String::from_utf8_lossy(&text_page()).replace("/Rotate 0", "");
    let input = page.replace("/F1 5 0 R >>", "/F1 5 0 R >> /XObject << /X 99 0 R >>");
    // Length and offsets of what follows the page have moved: qpdf-like repair is not wanted, so write it anew.
    let input = rebuilt(&input);
    let mut job = Job::ingested(&input);
    job.sign(&DESK.pki, "leader", "Approval", |_| {});
    assert_passes("before", &job.bytes);
    let form = stream("/Type /XObject /Subtype /Form /BBox [0 0 99 20]", "BT ET");
    assert_caught(&revised(&job.bytes, &[(99, form)]), "hidden_reference");
}

/// Objects of a simple file with a fresh table.
fn rebuilt(text: &str) -> Vec<u8> {
    let object = |number: u32| {
        let head = format!("{number} 0 obj");
        let start = text.find(&head).unwrap() + head.len();
        let end = start + text[start..].find("endobj").unwrap();
        text[start..end].trim().to_owned()
    };
    plain(&(1..=5).map(object).collect::<Vec<_>>(), "")
}

#[test]
fn malicious_preparation() {
    let job = Job::new(&text_page(), &ProvisionPlan::standard(1));
    let mut request = Job::request(&DESK.pki, "leader", "Signer1");
    request.reason = Some("x".to_owned());
    let prepared = prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap();
    // What a server that lies could put into the tail.
    let replaced = |from: &[u8], to: &[u8]| {
        let at = prepared.tail.windows(from.len()).position(|window| window == from).unwrap();
        let mut tail = prepared.tail.clone();
        tail[at..at + from.len()].copy_from_slice(to);
        tail
    };
    let expected = TailExpectation { field: "Signer1", ..TailExpectation::default() };
    let refusal = |tail: &[u8]| check_tail(&job.bytes, &job.index, tail, &expected).unwrap_err().code();
    assert_eq!(refusal(&replaced(b"/Reason", b"/Filter")), "tail_signature_malformed");
    assert_eq!(refusal(&replaced(b"/Reason", b"/Extras")), "tail_signature_malformed");
    assert_eq!(refusal(&replaced(b"/Type /Sig", b"/Type /Sag")), "tail_signature_malformed");
    assert_eq!(refusal(&replaced(b"/ByteRange [0", b"/ByteRange [1")), "tail_signature_malformed");
    let with_page = |code: &str, objects: &[(u32, String)]| {
        let prepared_file = [&job.bytes[..], &prepared.tail].concat();
        let more = revised(&prepared_file, objects);
        assert_eq!(refusal(&more[job.bytes.len()..]), code);
    };
    let page = page(&job.bytes);
    with_page("tail_not_one_revision", &[(page, with(&job.bytes, page, &[("Rotate", "90")]))]);
    let lone = revised(&job.bytes, &[(page, with(&job.bytes, page, &[("Rotate", "90")]))]);
    assert_eq!(refusal(&lone[job.bytes.len()..]), "tail_changes_page");
    let junk = [&prepared.tail[..], b"% more\n"].concat();
    assert_eq!(refusal(&junk), "tail_not_one_revision");
    assert_eq!(refusal(b""), "tail_not_one_revision");
    // A duplicate key within what was signed.
    let tail = replaced(b"/Reason", b"/Filter");
    assert_caught(&signed_tail(&job.bytes, &tail, "leader"), "duplicate_keys");
    // The signature of another person's key under the leader's name.
    let forged = signed_tail(&job.bytes, &prepared.tail, "seal");
    assert!(!DESK.caught(&forged).is_empty());
}

/// Signs a tail as it is, with whatever key, and claims the leader's certificate.
fn signed_tail(base: &[u8], tail: &[u8], key: &str) -> Vec<u8> {
    let mut whole = [base, tail].concat();
    let digits = gap(&whole);
    let covered = [&whole[..digits.start - 1], &whole[digits.end + 1..]].concat();
    let certificate = DESK.pki.certificate("leader");
    let digest = trinhky_pades::Digest::of(&covered);
    let attributes = signed_attributes(&digest, &certificate, ID_DATA).unwrap();
    let value = DESK.pki.sign(key, "-sha256", &[], attributes.as_der());
    let value = SignatureValue::from_raw(&value, &certificate).unwrap();
    let cms = assemble(&attributes, &value, &certificate, &[&DESK.pki.certificate("ca")]).unwrap();
    for (at, byte) in (digits.start..).step_by(2).zip(&cms) {
        whole[at..at + 2].copy_from_slice(format!("{byte:02x}").as_bytes());
    }
    whole
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Any one flipped byte in a covered range is found.
    #[test]
    fn one_flipped_byte(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let digits = gap(&DESK.signed);
        let covered = DESK.signed.len() - digits.len() - 2;
        let at = at.index(covered);
        let at = if at < digits.start - 1 { at } else { at + digits.len() + 2 };
        let mut bytes = DESK.signed.clone();
        bytes[at] ^= 1 << bit;
        let passed = DESK.report(&bytes).is_some_and(|report| report.passed());
        prop_assert!(!passed, "byte {at}");
    }

    /// Whatever is appended: no panic, and nothing but a lone line end passes.
    #[test]
    fn anything_appended(junk in proptest::collection::vec(any::<u8>(), 1..200)) {
        prop_assume!(!matches!(junk.as_slice(), b"\n" | b"\r" | b"\r\n"));
        let bytes = [&DESK.sealed[..], &junk].concat();
        let passed = DESK.report(&bytes).is_some_and(|report| report.passed());
        prop_assert!(!passed);
    }

    /// Broken files end in an answer.
    #[test]
    fn anything_broken(cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = DESK.sealed.clone();
        let len = bytes.len();
        for (at, byte) in cuts {
            bytes[at.index(len)] = byte;
        }
        let _ = DESK.report(&bytes);
        bytes.truncate(len / 2);
        let _ = DESK.report(&bytes);
    }
}
