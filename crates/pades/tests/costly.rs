//! Small files that are built to cost a lot: each took minutes or gigabytes once. None may take long now, and what cannot be
//! looked at within the limits is refused, never passed over.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[path = "common/clock.rs"]
mod clock;

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _};

use clock::soon;
use flate2::{Compression, write::ZlibEncoder};
use time::OffsetDateTime;
use trinhky_pades::{
    ProvisionPlan, Refusal, crypto, ingest,
    pdf::{File, Limits, PdfError, Place},
    provision,
    verify::{Report, Unreadable, VerifyPolicy, verify},
    x509::TrustAnchors,
};

/// A file in the making.
#[derive(Clone)]
struct Made {
    bytes: Vec<u8>,
    prev: Option<usize>,
    size: u32,
}

type Objects = BTreeMap<u32, Vec<u8>>;

impl Made {
    fn new(objects: &Objects) -> Self {
        Self { bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), prev: None, size: 1 }.then(objects)
    }

    /// One more revision.
    fn then(mut self, objects: &Objects) -> Self {
        let mut table = String::from("xref\n");
        if self.prev.is_none() {
            table += "0 1\n0000000000 65535 f \n";
        }
        for (number, object) in objects {
            write!(table, "{number} 1\n{:010} 00000 n \n", self.bytes.len()).unwrap();
            writeln!(self.bytes, "{number} 0 obj").unwrap();
            self.bytes.extend_from_slice(object);
            self.bytes.extend(b"\nendobj\n");
            self.size = self.size.max(number + 1);
        }
        let at = self.bytes.len();
        let prev = self.prev.map_or(String::new(), |prev| format!("/Prev {prev}"));
        write!(
            self.bytes,
            "{table}trailer\n<< /Size {} /Root 1 0 R {prev} >>\nstartxref\n{at}\n%%EOF\n",
            self.size
        )
        .unwrap();
        self.prev = Some(at);
        self
    }

    /// A cross-reference stream instead: objects in the file, and objects in the object streams `(number, container)`.
    fn with_streams(objects: &Objects, held: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut rows: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        let row = |kind: u8, value: u32, index: u16| {
            [&[kind][..], &value.to_be_bytes(), &index.to_be_bytes()].concat()
        };
        let mut places: BTreeMap<u32, u16> = BTreeMap::new();
        for (number, container) in held {
            let index = places.entry(*container).or_default();
            rows.insert(*number, row(2, *container, *index));
            *index += 1;
        }
        for (number, object) in objects {
            rows.insert(*number, row(1, u32::try_from(bytes.len()).unwrap(), 0));
            writeln!(bytes, "{number} 0 obj").unwrap();
            bytes.extend_from_slice(object);
            bytes.extend(b"\nendobj\n");
        }
        let own = rows.keys().next_back().unwrap() + 1;
        let at = bytes.len();
        rows.insert(own, row(1, u32::try_from(at).unwrap(), 0));
        let free = row(0, 0, 0);
        let rows: Vec<u8> = (0..=own).flat_map(|number| rows.get(&number).unwrap_or(&free).clone()).collect();
        writeln!(bytes, "{own} 0 obj").unwrap();
        bytes.extend(deflated(&rows, &format!("/Type /XRef /Size {} /Root 1 0 R /W [1 4 2]", own + 1)));
        write!(bytes, "\nendobj\nstartxref\n{at}\n%%EOF\n").unwrap();
        bytes
    }
}

fn deflated(data: &[u8], entries: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    stream(&encoder.finish().unwrap(), &format!("/Filter /FlateDecode {entries}"))
}

fn stream(data: &[u8], entries: &str) -> Vec<u8> {
    let head = format!("<< /Length {} {entries} >>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

fn objects(texts: impl IntoIterator<Item = (u32, String)>) -> Objects {
    texts.into_iter().map(|(number, text)| (number, text.into_bytes())).collect()
}

const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R >>";

/// Catalog, pages and a page with these entries: 1 to 3.
fn page(entries: &str) -> Objects {
    objects([
        (1, CATALOG.to_owned()),
        (2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned()),
        (3, format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {entries} >>")),
    ])
}

/// The same with content (4).
fn drawing(content: &[u8], entries: &str) -> Objects {
    let mut all = page(&format!("/Contents 4 0 R {entries}"));
    all.insert(4, deflated(content, ""));
    all
}

/// A document with something like a signature (5) in the field 4, and further fields.
fn signed(fields: &str, catalog: &str) -> Objects {
    let mut all = page("");
    all.extend(objects([
        (
            1,
            format!(
                "<< /Type /Catalog /Pages 2 0 R /AcroForm << /SigFlags 3 /Fields [4 0 R {fields}] >> {catalog} >>"
            ),
        ),
        (4, "<< /FT /Sig /T (S) /V 5 0 R >>".to_owned()),
        (5, signature("00")),
    ]));
    all
}

fn signature(contents: &str) -> String {
    format!(
        "<< /Type /Sig /Filter /A /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3] /Contents <{contents}> >>"
    )
}

fn references(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().fold(String::new(), |mut text, number| {
        write!(text, "{number} 0 R ").unwrap();
        text
    })
}

/// What comes of taking it in and provisioning it: the code of the refusal, if there is one.
fn provisioned(what: &str, bytes: &[u8], limits: &Limits) -> Result<(), &'static str> {
    soon(what, || {
        let source = bytes.to_vec();
        let taken = ingest(&source, limits).map_err(|refusal: Refusal| refusal.code())?;
        let made = provision(&source, &taken, &ProvisionPlan::standard(1), &mut Vec::new());
        made.map(|_| ()).map_err(|refusal| refusal.code())
    })
}

fn verified(what: &str, bytes: &[u8], limits: &Limits) -> Result<Report, Unreadable> {
    let anchors = TrustAnchors::default();
    let mut policy = VerifyPolicy::new(&anchors, OffsetDateTime::UNIX_EPOCH, crypto::pure());
    policy.limits = limits.clone();
    soon(what, || verify(&bytes.to_vec(), &policy))
}

/// The codes of what is told of the first signature.
fn codes(what: &str, bytes: &[u8]) -> Vec<&'static str> {
    let report = verified(what, bytes, &Limits::default()).unwrap();
    report.signatures[0].later_changes.iter().map(|change| change.code).collect()
}

fn is_limit<T>(answer: &Result<T, Unreadable>) -> bool {
    matches!(answer, Err(Unreadable::Pdf(PdfError::Limit(_))))
}

/// Less work than usual, so that tests end soon.
fn little() -> Limits {
    Limits { work: 128 << 20, ..Limits::default() }
}

#[test]
fn forms_are_not_tried_for_ever() {
    let calls = b"/B Do ".repeat(200_000);
    let resources = |more: &str| format!("/Resources << /XObject << /B 5 0 R {more} >> >>");
    // Not to be decoded; and larger each time than what is left.
    for form in [
        stream(&vec![0; 1 << 20], "/Subtype /Form /Filter /DCTDecode"),
        deflated(&vec![b' '; 60 << 20], "/Subtype /Form"),
    ] {
        let mut all = drawing(&calls, &resources(""));
        all.insert(5, form);
        assert_eq!(provisioned("a form", &Made::new(&all).bytes, &Limits::default()), Err("too_complex"));
    }
}

#[test]
fn one_object_holds_so_many_values() {
    let numbers = [&b"[ "[..], &b"0 ".repeat(12 << 20), b"]"].concat();
    let bytes = Made::new(&drawing(&[&numbers[..], b" TJ"].concat(), "")).bytes;
    assert_eq!(provisioned("an operand", &bytes, &Limits::default()), Ok(()));
    let mut all = page("/Annots 10 0 R");
    all.insert(9, deflated(&[b"10 0 ", &numbers[..]].concat(), "/Type /ObjStm /N 1 /First 5"));
    let bytes = Made::with_streams(&all, &[(10, 9)]);
    let file = File::open(&bytes, &Limits::default()).unwrap();
    let read = file.latest().get(trinhky_pades::pdf::ObjRef::new(10));
    assert!(matches!(read, Err(PdfError::Limit(_))), "{:?}", read.map(|_| ()));
}

#[test]
fn an_object_stream_that_cannot_be_read_is_not_read_again_and_again() {
    let count = 3000;
    let mut all = page("");
    all.insert(2, format!("<< /Type /Pages /Kids [3 0 R {}] >>", references(10..10 + count)).into_bytes());
    let index = [&b"1 1 ".repeat(1000)[..], b"x", &vec![b' '; 24 << 20]].concat();
    all.insert(9, deflated(&index, "/Type /ObjStm /N 100000 /First 20000000"));
    let held: Vec<(u32, u32)> = (10..10 + count).map(|number| (number, 9)).collect();
    let bytes = Made::with_streams(&all, &held);
    assert_eq!(provisioned("a container", &bytes, &Limits::default()), Err("too_complex"));
}

#[test]
fn fields_are_not_walked_for_ever() {
    // One field again and again, each time with all its kids.
    let mut all = page("");
    all.extend(objects([
        (
            1,
            format!(
                "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{}] >> >>",
                "5 0 R ".repeat(40_000)
            ),
        ),
        (5, format!("<< /FT /Tx /T (A) /Kids [{}] >>", "6 0 R ".repeat(50_000))),
        (6, "<< /Subtype /Widget /Rect [0 0 1 1] >>".to_owned()),
    ]));
    assert_eq!(provisioned("kids", &Made::new(&all).bytes, &little()), Err("too_complex"));
    // A long name that every kid has as the front of its own.
    let kids = 10..10_010;
    let mut all = signed("6 0 R", "");
    all.extend(objects([(
        6,
        format!("<< /FT /Tx /T ({}) /Kids [{}] >>", "a".repeat(1 << 19), references(kids.clone())),
    )]));
    all.extend(objects(kids.map(|number| (number, "<< /T (b) >>".to_owned()))));
    let bytes = Made::new(&all).bytes;
    assert_eq!(provisioned("names", &bytes, &Limits::default()), Err("too_complex"));
    assert!(is_limit(&verified("names", &bytes, &Limits::default())));
}

#[test]
fn a_tree_of_pages_has_only_so_many_kids_waiting() {
    let kids = "1 0 R ".repeat(100_000);
    let mut all = page("");
    all.insert(2, b"<< /Type /Pages /Kids [100 0 R] >>".to_vec());
    let mut held = Vec::new();
    for level in 0..30 {
        let node = format!("{} 0 << /Kids [{} 0 R {kids}] >>", 100 + level, 101 + level);
        all.insert(10 + level, deflated(node.as_bytes(), "/Type /ObjStm /N 1 /First 6"));
        held.push((100 + level, 10 + level));
    }
    let bytes = Made::with_streams(&all, &held);
    assert_eq!(provisioned("pages", &bytes, &Limits::default()), Err("too_complex"));
}

#[test]
fn a_scan_reads_only_so_much() {
    let with = |body: &[u8]| {
        let mut bytes = b"%PDF-1.7\n".to_vec();
        for (number, object) in page("") {
            writeln!(bytes, "{number} 0 obj").unwrap();
            bytes.extend(object);
            bytes.extend(b"\nendobj\n");
        }
        [&bytes[..], body, b"\nstartxref\n0\n%%EOF\n"].concat()
    };
    // What begins and never ends.
    for body in ["9 0 obj(\n", "9 0 obj<<>>stream\n", "trailer<</A(\n"] {
        let bytes = with(&body.as_bytes().repeat((1 << 20) / body.len()));
        assert_eq!(provisioned(body, &bytes, &Limits::default()), Err("too_complex"));
        assert!(is_limit(&verified(body, &bytes, &Limits::default())));
    }
    // Lengths that are no lengths.
    let lengths = "9 0 obj<</Length 8 0 R>>stream\n\nendstream endobj\n".repeat(10_000);
    let bytes = with(format!("8 0 obj [{}] endobj\n{lengths}", "0 ".repeat(1 << 19)).as_bytes());
    assert_eq!(provisioned("lengths", &bytes, &Limits::default()), Ok(()));
    // Object streams that expand to a lot.
    let inner = format!("{}[{}]", "7 0 ", "0 ".repeat(4 << 20));
    let held = deflated(inner.as_bytes(), "/Type /ObjStm /N 1 /First 4");
    let held = [b"9 0 obj ", &held[..], b" endobj\n"].concat();
    let few = Limits { inflated_total: 40 << 20, ..Limits::default() };
    assert_eq!(provisioned("object streams", &with(&held.repeat(50)), &few), Err("too_complex"));
}

#[test]
fn sections_do_not_lie_within_each_other() {
    let base = Made::new(&page(""));
    let step = "xref\n0 0\ntrailer<</Size 9/Root 1 0 R/Prev 0000000000/X(\n".len();
    let (first, count) = (base.bytes.len(), 1000);
    let mut bytes = base.bytes;
    for nth in 1..=count {
        let next = if nth == count { base.prev.unwrap() } else { first + nth * step };
        write!(bytes, "xref\n0 0\ntrailer<</Size 9/Root 1 0 R/Prev {next:010}/X(\n").unwrap();
    }
    bytes.extend(vec![b'a'; 2 << 20]);
    bytes.extend(b")>>".repeat(count));
    write!(bytes, "\nstartxref\n{first}\n%%EOF\n").unwrap();
    assert_eq!(provisioned("sections", &bytes, &Limits::default()), Err("too_complex"));
}

#[test]
fn many_revisions_say_what_few_say() {
    let mut made = Made::new(&page(""));
    let mut written = vec![vec![1, 2, 3]];
    for revision in 1..40_u32 {
        let numbers: Vec<u32> = (4..20).filter(|number| (number * 7 + revision) % 5 == 0).collect();
        made = made.then(&objects(numbers.iter().map(|number| (*number, format!("({revision})")))));
        written.push(numbers);
    }
    let file = File::open_strict(&made.bytes, &Limits::default()).unwrap();
    for revision in 0..40 {
        let view = file.at(revision);
        for number in 0..25 {
            let last = (0..=revision).rev().find(|revision| written[*revision].contains(&number));
            let located = view.located(number).filter(|(place, _)| *place != Place::Free);
            assert_eq!(located.map(|(_, revision)| revision), last, "{number} in {revision}");
        }
        let expected: Vec<u32> =
            (1..25).filter(|number| written[..=revision].iter().any(|all| all.contains(number))).collect();
        assert_eq!(view.numbers(), expected);
    }
}

#[test]
fn streams_within_each_other_are_not_written_one_by_one() {
    let count = 2000;
    let base = Made::new(&page(&format!("/PieceInfo [{}]", references(10..10 + count))));
    let (mut bytes, mut table) = (base.bytes, String::new());
    for number in 10..10 + count {
        write!(table, "{number} 1\n{:010} 00000 n \n", bytes.len()).unwrap();
        writeln!(bytes, "{number} 0 obj<</Length 0>>stream").unwrap();
    }
    bytes.extend(vec![b'x'; 1 << 20]);
    bytes.extend(b"\nendstream endobj\n");
    let at = bytes.len();
    let prev = base.prev.unwrap();
    write!(
        bytes,
        "xref\n0 1\n0000000000 65535 f \n{table}trailer\n<</Size 9000/Root 1 0 R/Prev {prev}>>\nstartxref\n{at}\n%%EOF\n"
    )
    .unwrap();
    assert_eq!(provisioned("streams", &bytes, &Limits::default()), Err("too_complex"));
}

#[test]
fn a_page_without_end_has_no_place() {
    for size in ["9".repeat(30), "9".repeat(400)] {
        let all = page(&format!(
            "/Rotate -9223372036854775808 /MediaBox [-{size} -{size} {size} {size}] /Annots [<< /Rect [-{size} -{size} {size} {size}] >>]"
        ));
        let bytes = Made::new(&all).bytes;
        assert!(provisioned("a page", &bytes, &Limits::default()).is_err());
        let source = bytes.clone();
        let file = File::open(&source, &Limits::default()).unwrap();
        soon("a place", || {
            let _ = trinhky_pades::place::signature_place(&file.latest(), None);
        });
    }
}

#[test]
fn keys_and_lists_are_compared_in_one_pass() {
    let keys = (0..60_000).fold(String::new(), |mut keys, key| {
        write!(keys, "/A{key} 0 ").unwrap();
        keys
    });
    let base = signed("", &keys);
    let changed = objects([(1, String::from_utf8(base[&1].clone()).unwrap().replace("/A0 0", "/A0 1"))]);
    let bytes = Made::new(&base).then(&changed).bytes;
    assert_eq!(codes("keys", &bytes), ["catalog_changed"]);

    let mut all = page("/PieceInfo 5 0 R");
    all.insert(5, format!("<< {keys} >>").into_bytes());
    let bytes = Made::new(&all).then(&objects([(6, "0".to_owned())])).bytes;
    assert_eq!(provisioned("keys", &bytes, &Limits::default()), Ok(()));

    let mut base = signed("", "");
    base.extend(objects([(4, format!("<< /FT /Sig /T (S) /V 5 0 R /Lock << {keys} >> >>"))]));
    let bytes = Made::new(&base).then(&objects([(20, "0".to_owned())])).bytes;
    assert_eq!(codes("a lock", &bytes), ["unreferenced_objects"]);

    let certificates = references(10..40_010);
    let base = signed("", &format!("/DSS << /Certs [{certificates}] >>"));
    let fewer = String::from_utf8(base[&1].clone()).unwrap().replace("[10 0 R ", "[");
    let bytes = Made::new(&base).then(&objects([(1, fewer)])).bytes;
    assert_eq!(codes("certificates", &bytes), ["security_store"]);
}

#[test]
fn changes_to_many_fields_are_found_in_one_pass() {
    let count = 10_000;
    let numbers = 10..10 + count;
    let field =
        |number: u32, value: &str| format!("<</FT/Tx/T(f{number})/Rect[0 0 9 9]/V({value})/AP<</N 9 0 R>>>>");
    let form = "<</Subtype/Form/BBox[0 0 9 9]/Length 0>>stream\n\nendstream".to_owned();
    let mut base = signed(&references(numbers.clone()), "");
    base.extend(objects(numbers.clone().map(|number| (number, field(number, "1")))));
    base.extend(objects([(9, form)]));
    let base = Made::new(&base);
    let filled = base.clone().then(&objects(numbers.clone().map(|number| (number, field(number, "2")))));
    let told = codes("filled", &filled.bytes);
    assert_eq!((told.len(), told[0]), (1000, "value_without_appearance"));
    // Nothing but new objects, before each field is looked at.
    let added = base.then(&objects((20_000..20_000 + count).map(|number| (number, "(x)".to_owned()))));
    assert_eq!(codes("added", &added.bytes), ["unreferenced_objects"]);

    // Widgets of one field.
    let widget = |drawn: &str| format!("<</Rect[0 0 9 9]/Parent 9 0 R/AP<<{drawn}>>>>");
    let field = |value: &str| format!("<</FT/Tx/T(f)/V({value})/Kids[{}]>>", references(numbers.clone()));
    let mut base = signed("9 0 R", "");
    base.extend(objects(numbers.clone().map(|number| (number, widget("")))));
    base.extend(objects([(9, field("a"))]));
    let mut new = objects(numbers.clone().map(|number| (number, widget("/D 8 0 R"))));
    new.extend(objects([(9, field("b"))]));
    assert!(codes("widgets", &Made::new(&base).then(&new).bytes).contains(&"appearance_not_value"));
}

#[test]
fn what_many_widgets_draw_is_compared_only_so_often() {
    // One long text, drawn by each widget of the field.
    let widgets = 20..1020;
    let mut base = signed("9 0 R", "");
    let kids = references(widgets.clone());
    let field = |value: &str| format!("<</FT/Tx/T(f)/V({value})/Kids[{kids}]>>");
    let widget = |drawn: &str| format!("<</Rect[0 0 9 9]/Parent 9 0 R/AP<<{drawn}>>>>");
    base.extend(objects([(9, field("a"))]));
    base.extend(objects(widgets.clone().map(|number| (number, widget("")))));
    let mut new = objects([
        (9, field(&"A".repeat(500_000))),
        (11, "<</Type/Font/Subtype/Type1/ToUnicode 12 0 R>>".to_owned()),
    ]);
    new.extend(objects(widgets.map(|number| (number, widget("/N 10 0 R")))));
    let content = format!("/F 1 Tf ({}) Tj", "A".repeat(2500));
    let entries = "/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F 11 0 R>>>>";
    new.insert(10, deflated(content.as_bytes(), entries));
    let map = format!("1 beginbfchar <41> <{}> endbfchar\n", "0041".repeat(200));
    new.insert(12, deflated(map.as_bytes(), ""));
    assert!(is_limit(&verified("widgets", &Made::new(&base).then(&new).bytes, &little())));
}

#[test]
fn leftovers_in_a_row_are_followed_once() {
    let numbers = 10..20_010_u32;
    let mut base = signed("", "");
    base.extend(objects(numbers.clone().map(|number| (number, "[]".to_owned()))));
    base.extend(objects([(30_000, "[20009 0 R]".to_owned())]));
    let new = objects(numbers.map(|number| (number, format!("[{} 0 R]", number - 1))));
    let told = codes("leftovers", &Made::new(&base).then(&new).bytes);
    assert_eq!((told.len(), told[0]), (1000, "content_changed"));
}

#[test]
fn an_appearance_costs_only_so_much() {
    let drawn = |content: String, map: Vec<u8>| {
        let base = Made::new(&{
            let mut base = signed("10 0 R", "");
            base.extend(objects([(10, "<</FT/Tx/T(f)/Rect[0 0 9 9]>>".to_owned())]));
            base
        });
        let mut new = objects([
            (10, "<</FT/Tx/T(f)/Rect[0 0 9 9]/V(A)/AP<</N 11 0 R>>>>".to_owned()),
            (12, "<</Type/Font/Subtype/Type1/ToUnicode 13 0 R>>".to_owned()),
        ]);
        let entries = "/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F 12 0 R>>>>";
        new.insert(11, deflated(content.as_bytes(), entries));
        new.insert(13, deflated(&map, ""));
        base.then(&new).bytes
    };
    let long = format!("1 beginbfchar <41> <{}> endbfchar\n", "0041".repeat(1 << 18));
    for (what, content, map) in [
        ("a long text", format!("/F 1 Tf {}", "(AAAAAAAA) Tj ".repeat(2000)), long.into_bytes()),
        ("ranges", "/F 1 Tf (A) Tj".to_owned(), b"<0000> <ffff> <0041> ".repeat(100_000)),
        (
            "colours",
            format!("[{}] sc {} {}", "0 ".repeat(1 << 14), "q ".repeat(60), "3 3 3 3 re f ".repeat(500)),
            Vec::new(),
        ),
        ("operands", "0 ".repeat(100_000), Vec::new()),
    ] {
        // With ranges again and again, or operands that no operator takes, nobody knows what is drawn.
        let told = codes(what, &drawn(content, map));
        let expected = ["appearance_not_value", "too_much_to_analyse"];
        assert!(told.iter().any(|code| expected.contains(code)), "{what}: {told:?}");
    }
}

#[test]
fn signatures_take_only_so_much() {
    // Many fields, one large signature.
    let numbers = 10..400;
    let mut all = signed(&references(numbers.clone()), "");
    all.extend(objects([(5, signature(&"00".repeat(1 << 18)))]));
    all.extend(objects(numbers.map(|number| (number, format!("<</FT/Sig/T(f{number})/V 5 0 R>>")))));
    let report = verified("contents", &Made::new(&all).bytes, &Limits::default()).unwrap();
    let shared =
        report.signatures.iter().map(|one| one.checks.signature.reason.as_deref().unwrap_or_default());
    assert!(shared.filter(|reason| *reason == "contents_shared").count() > 380);
    assert!(report.signatures.iter().all(|one| !one.checks.integrity.ok));
    // A signature that locks the same names again and again.
    let mut all = signed("", "");
    let names = (0..1000).fold(String::new(), |mut names, name| {
        write!(names, "(a{name})").unwrap();
        names
    });
    let lock = format!("<</TransformMethod/FieldMDP/TransformParams<</Action/Include/Fields[{names}]>>>>");
    let locked = signature("00").replace(">> >>", "");
    let locked = format!("{} /Reference [{}] >>", locked.trim_end_matches(">>"), "9 0 R ".repeat(50_000));
    all.extend(objects([(5, locked), (9, lock)]));
    let bytes = Made::new(&all).then(&objects([(20, "0".to_owned())])).bytes;
    assert_eq!(codes("locks", &bytes), ["unreferenced_objects"]);
}

#[test]
fn an_analysis_beyond_the_limits_is_no_answer() {
    // A form walked for every revision.
    let numbers = 10..2010;
    let mut base = signed(&references(numbers.clone()), "");
    base.extend(objects(numbers.map(|number| (number, format!("<</FT/Tx/T(f{number})/V(x)>>")))));
    let mut made = Made::new(&base);
    for revision in 0..200 {
        made = made.then(&objects([(5000, format!("({revision})"))]));
    }
    assert!(is_limit(&verified("revisions", &made.bytes, &little())));
    // An appearance of many objects, in many fields.
    let (fields, parts) = (10..2010, 3000..6000);
    let mut base = signed(&references(fields.clone()), "");
    base.extend(objects(fields.map(|number| (number, format!("<</FT/Tx/T(f{number})/AP 9 0 R>>")))));
    base.extend(objects([(9, format!("[{}]", references(parts.clone())))]));
    base.extend(objects(parts.map(|number| (number, "0".to_owned()))));
    let new = objects([(3005, "1".to_owned()), (2, "<< /Type /Pages /Kids [3 0 R] /Count 2 >>".to_owned())]);
    assert!(is_limit(&verified("an appearance", &Made::new(&base).then(&new).bytes, &little())));
}
