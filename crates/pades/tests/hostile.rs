//! Damaged and hostile files: read, taken in, provisioned and prepared without a panic; and what holds for every
//! revision that is appended to a file that was accepted.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;
mod rich;

use std::sync::LazyLock;

use proptest::prelude::*;
use time::OffsetDateTime;
use trinhky_pades::{
    Digest, Fill, PreparedImage, ProvisionPlan, Refusal, SignRequest, TextPlan, crypto, ingest,
    pdf::{self, File, Limits, ObjRef, Place},
    prepare, provision,
    verify::{VerifyPolicy, verify},
    x509::TrustAnchors,
};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let page = job::text_page();
    let streams = job::as_streams(&page);
    let provisioned = job::Job::new(&streams, &ProvisionPlan::standard(2)).bytes;
    let job = job::Job::new(&page, &ProvisionPlan::standard(1));
    let prepared = prepare(&job.bytes, &job.index, &job.midstate, &request("Signer1")).unwrap();
    let signed = [job.bytes, prepared.tail].concat();
    vec![page, streams, provisioned, signed, rich::page()]
});

fn request(field: &str) -> SignRequest {
    SignRequest::new(field, b"a certificate", OffsetDateTime::UNIX_EPOCH, [3; 16])
}

/// What nobody expects where a number is: the ends of what integers hold, and other things.
fn absurd() -> Vec<&'static str> {
    let integers = "0 -1 255 256 65536 1048576 999999 1000001 2147483647 2147483648 4294967295 4294967296 \
                    9223372036854775807 -9223372036854775808 99999999999999999999";
    integers.split(' ').chain(["1e308", "-0.5", "null", "[]", "/X", "(s)", "<< /A 1 >>"]).collect()
}

/// A change to a few bytes, or to where the file ends.
#[derive(Debug, Clone)]
enum Harm {
    Set(prop::sample::Index, u8),
    Digit(prop::sample::Index, u8),
    Number(prop::sample::Index, &'static str),
    Refer(prop::sample::Index, u8),
    Remove(prop::sample::Index, u8),
    Repeat(prop::sample::Index, prop::sample::Index, u8),
    Cut(prop::sample::Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Harm::Set(at, byte)),
        4 => (at(), b'0'..=b'9').prop_map(|(at, digit)| Harm::Digit(at, digit)),
        8 => (at(), prop::sample::select(absurd())).prop_map(|(at, number)| Harm::Number(at, number)),
        8 => (at(), 0..20_u8).prop_map(|(at, number)| Harm::Refer(at, number)),
        2 => (at(), any::<u8>()).prop_map(|(at, count)| Harm::Remove(at, count)),
        2 => (at(), at(), any::<u8>()).prop_map(|(from, to, count)| Harm::Repeat(from, to, count)),
        1 => at().prop_map(Harm::Cut),
    ]
}

fn harmed(mut bytes: Vec<u8>, harms: &[Harm]) -> Vec<u8> {
    for harm in harms {
        if bytes.is_empty() {
            break;
        }
        let len = bytes.len();
        match harm {
            Harm::Set(at, byte) => bytes[at.index(len)] = *byte,
            Harm::Digit(at, digit) => {
                let from = at.index(len);
                if let Some(found) = bytes[from..].iter().position(u8::is_ascii_digit) {
                    bytes[from + found] = *digit;
                }
            }
            Harm::Number(at, number) => {
                let from = at.index(len);
                if let Some(found) = bytes[from..].iter().position(u8::is_ascii_digit) {
                    let start = from + found;
                    let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    bytes.splice(start..start + digits, number.bytes());
                }
            }
            Harm::Refer(at, number) => {
                let from = at.index(len);
                if let Some(end) = bytes[from..].windows(4).position(|window| window == b" 0 R") {
                    let before = bytes[..from + end].iter().rev();
                    let digits = before.take_while(|byte| byte.is_ascii_digit()).count();
                    // As long as before, so that offsets stay right.
                    let other = format!("{number:0digits$}");
                    bytes.splice(from + end - digits..from + end, other.bytes());
                }
            }
            Harm::Remove(at, count) => {
                let from = at.index(len);
                bytes.drain(from..(from + usize::from(*count)).min(len));
            }
            Harm::Repeat(from, to, count) => {
                let from = from.index(len);
                let copy = bytes[from..(from + usize::from(*count)).min(len)].to_vec();
                let to = to.index(len);
                bytes.splice(to..to, copy);
            }
            Harm::Cut(at) => bytes.truncate(at.index(len)),
        }
    }
    bytes
}

/// Everything the engine does with an upload; what it accepts, it must be able to go on with.
fn use_all(bytes: &[u8]) {
    let limits = Limits::default();
    if let Ok(file) = File::open(&bytes, &limits) {
        let view = file.latest();
        for page in view.pages().unwrap_or_default() {
            if let Ok(page) = view.page(page) {
                let _ = view.text_lines(&page);
            }
        }
    }
    let Ok(taken) = ingest(&bytes, &limits) else { return };
    let _ = prepare(&bytes, &taken.index, &taken.midstate, &request("Elsewhere"));
    let mut base = Vec::new();
    let Ok(made) = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base) else { return };
    assert_eq!(Digest::of(&base), made.sha256);
    let prepared = prepare(&base, &made.index, &made.midstate, &request("Signer1")).unwrap();
    let whole = [base, prepared.tail].concat();
    let file = File::open_strict(&whole, &limits).unwrap();
    assert_eq!(file.revisions().len(), 2);
    assert_eq!(file.latest().pages().unwrap().len(), taken.report.pages as usize);
    let again = ingest(&whole, &limits).unwrap();
    assert_eq!((again.report.pages, again.report.signatures), (taken.report.pages, 1));
    let anchors = TrustAnchors::new([]);
    let policy = VerifyPolicy::new(&anchors, OffsetDateTime::UNIX_EPOCH, crypto::pure());
    assert_eq!(verify(&whole, &policy).unwrap().signatures.len(), 1);
}

proptest! {
    #[test]
    fn harm_never_panics(seed in 0..5_usize, harms in prop::collection::vec(harm(), 1..6)) {
        use_all(&harmed(SEEDS[seed].clone(), &harms));
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..600)) {
        use_all(&[b"%PDF-1.7\n".to_vec(), noise].concat());
    }

    #[test]
    fn an_appended_revision_changes_what_it_says_and_nothing_else(
        streams in any::<bool>(),
        number in "[0-9]{1,4}(/20[0-9]{2})?/(QĐ|TB|KH)-[A-ZĐƯÂ]{2,6}",
        seed in any::<[u8; 16]>(),
        reserve in 2000_u32..40_000,
        picture in any::<bool>(),
    ) {
        let page = job::text_page();
        let input = if streams { SEEDS[1].clone() } else { page };
        let job = job::Job::new(&input, &ProvisionPlan::standard(1));
        let mut request = request("OrgSeal");
        request.file_id_seed = seed;
        request.reserve = Some(reserve);
        request.fills = vec![Fill { field: "DocNumber".to_owned(), text: number }];
        if picture {
            request.image = Some(PreparedImage::from_png(&job::ring(20, 20, [200, 0, 0])).unwrap());
        }
        let prepared = prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap();
        let whole = [job.bytes.clone(), prepared.tail.clone()].concat();
        // The gap is exactly `<`, zeros, `>`; the rest is what the digest covers; together they are the file.
        let [start, gap, behind, rest] = prepared.byte_range.map(|value| usize::try_from(value).unwrap());
        prop_assert_eq!((start, behind + rest), (0, whole.len()));
        prop_assert!(gap > job.bytes.len());
        let hole = &whole[gap..behind];
        prop_assert_eq!((hole[0], hole[hole.len() - 1]), (b'<', b'>'));
        prop_assert!(hole[1..hole.len() - 1].iter().all(|&digit| digit == b'0'));
        prop_assert_eq!(hole.len(), 2 * usize::try_from(reserve).unwrap() + 2);
        prop_assert_eq!(Digest::of(&[&whole[..gap], &whole[behind..]].concat()), prepared.digest);
        // Every object of the base is what it was, but for the two widgets.
        let file = File::open_strict(&whole, &Limits::default()).unwrap();
        let (before, after) = (file.at(0), file.latest());
        prop_assert!(file.oddities() == &pdf::Oddities::default());
        prop_assert_eq!(file.revisions()[0].kind(), file.revisions()[1].kind());
        let touched: Vec<u32> = ["DocNumber", "OrgSeal"].iter().map(|name| job.index.field(name).unwrap().id.number).collect();
        for number in 1..job.index.size {
            let same = before.located(number) == after.located(number);
            prop_assert_eq!(same, !touched.contains(&number), "object {}", number);
        }
        for number in job.index.size..after.size() {
            let place = after.place(number);
            let appended = matches!(place, Place::At { offset, .. } if offset >= job.index.len);
            prop_assert!(appended && after.get(ObjRef::new(number)).is_ok());
        }
    }
}

/// The first occurrence replaced; offsets behind it are then wrong.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn every_refusal_has_its_code() {
    let code = |bytes: &[u8]| ingest(&bytes, &Limits::default()).map_err(|refusal| refusal.code());
    let page = job::text_page();
    assert_eq!(code(b"").unwrap_err(), "empty");
    assert_eq!(code(b"<html></html>").unwrap_err(), "not_a_pdf");
    assert_eq!(code(&page[..page.len() / 2]).unwrap_err(), "truncated");
    let locked = replaced(&page, b"/Size 6", b"/Size 6 /Encrypt << /Filter /Standard >>");
    assert_eq!(code(&locked).unwrap_err(), "encrypted");
    let small = Limits { file_len: 100, ..Limits::default() };
    assert_eq!(ingest(&page, &small).unwrap_err(), Refusal::TooLarge { limit: 100 });
    let long = "9".repeat(70);
    let number = Some(TextPlan { text: Some(long), ..TextPlan::default() });
    let plan = ProvisionPlan { number, ..ProvisionPlan::default() };
    let taken = ingest(&page, &Limits::default()).unwrap();
    assert_eq!(provision(&page, &taken, &plan, &mut Vec::new()).unwrap_err().code(), "text_not_drawable");
    let twice = job::Job::new(&page, &ProvisionPlan::standard(1));
    let taken = ingest(&twice.bytes, &Limits::default()).unwrap();
    let refused = provision(&twice.bytes, &taken, &ProvisionPlan::standard(1), &mut Vec::new()).unwrap_err();
    assert_eq!(refused.code(), "field_taken");
}

#[test]
fn an_object_has_one_role_and_a_field_one_place() {
    let made = |from: &str, to: &str| {
        let bytes = replaced(&rich::page(), from.as_bytes(), to.as_bytes());
        use_all(&bytes);
        let taken = ingest(&bytes, &Limits::default())?;
        let mut base = Vec::new();
        provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base).map(|_| base)
    };
    // A form that is nowhere gets a place of its own, however high the number was.
    let base = made("/AcroForm 10 0 R", "/AcroForm 1048576 0 R").unwrap();
    assert!(!String::from_utf8_lossy(&base).contains("1048576"));
    // What is also something else stays that, and is left alone here.
    for (from, to) in [
        ("/AcroForm 10 0 R", "/AcroForm 3 0 R"),
        ("/AcroForm 10 0 R", "/AcroForm 2 0 R"),
        ("/Fields [11 0 R]", "/Fields 2 0 R"),
        ("/StructTreeRoot 12 0 R", "/StructTreeRoot 3 0 R"),
        ("/ParentTree << /Nums [0 [13 0 R] 1 13 0 R] >>", "/ParentTree 2 0 R"),
        ("/K [13 0 R]", "/K [3 0 R]"),
        ("/Annots [11 0 R 14 0 R]", "/Annots 10 0 R"),
    ] {
        made(from, to).unwrap();
    }
    // What the list names twice stands in it once; what hangs in two places, or in itself, is no tree.
    made("/Fields [11 0 R]", "/Fields [11 0 R 11 0 R]").unwrap();
    let twice = made("/Fields [11 0 R]", "/Fields [<< /T (A) /Kids [11 0 R] >> 11 0 R]");
    assert_eq!(twice.unwrap_err().code(), "broken");
    let within = made("/Subtype /Widget /FT", "/Kids [<< /T (B) /Parent 11 0 R >>] /FT");
    assert_eq!(within.unwrap_err().code(), "broken");
    assert_eq!(made("/Subtype /Widget /FT", "/Kids [11 0 R] /FT").unwrap_err().code(), "too_complex");
}

#[test]
fn no_object_has_the_number_0() {
    // The catalog under that number, and the file so damaged that it is looked for.
    let page = replaced(&job::text_page(), b"1 0 obj", b"0 0 obj");
    for bytes in
        [replaced(&page, b"/Root 1 0 R", b"/Root 0 0 R"), replaced(&page, b"startxref\n", b"startxref\n9")]
    {
        assert_eq!(ingest(&bytes, &Limits::default()).unwrap_err().code(), "broken");
    }
}

#[test]
fn scripts_are_stripped_and_named() {
    let catalog = "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> /AA << /WC << /S /JavaScript /JS (x) >> >> /Pages 2 0 R";
    let scripted = replaced(&job::text_page(), b"/Pages 2 0 R", catalog.as_bytes());
    let taken = ingest(&scripted, &Limits::default()).unwrap();
    assert!(taken.report.needs_normalising());
    let mut base = Vec::new();
    let made = provision(&scripted, &taken, &ProvisionPlan::standard(1), &mut base).unwrap();
    assert!(made.normalised && made.why.contains(&trinhky_pades::Finding::JavaScript));
    assert!(!String::from_utf8_lossy(&base).contains("JavaScript"));
    assert_eq!(ingest(&base, &Limits::default()).unwrap().report.findings, [trinhky_pades::Finding::HasForm]);
}
