//! Annotations and fields that come or change after signing.

use crate::desk::*;
use crate::forge::*;
use crate::job::{Job, as_streams, ring};
use trinhky_pades::{PagePlace, PreparedImage, ProvisionPlan, pdf::Rect};

#[test]
fn evil_annotations() {
    const KINDS: [&str; 22] = [
        "Text",
        "Link",
        "FreeText",
        "Line",
        "Square",
        "Circle",
        "Polygon",
        "PolyLine",
        "Highlight",
        "Underline",
        "Squiggly",
        "StrikeOut",
        "Stamp",
        "Caret",
        "Ink",
        "Popup",
        "FileAttachment",
        "Sound",
        "Screen",
        "Watermark",
        "Redact",
        "Widget",
    ];
    none_passes(|bytes| {
        let fresh = next(bytes);
        let drawn = stream("/Type /XObject /Subtype /Form /BBox [0 0 595 842]", "1 g 0 0 595 842 re f");
        let mut forged = Vec::new();
        for page in page_numbers(bytes) {
            for kind in KINDS {
                // What is hidden may be shown later, by a script or another revision.
                for hidden in if kind == "FreeText" { &["", "/F 2"][..] } else { &[""] } {
                    let note = format!(
                        "<< /Type /Annot /Subtype /{kind} /Rect [0 0 595 842] {hidden} /Contents (x) /AP << /N {} 0 R >> >>",
                        fresh + 1
                    );
                    let objects = [annotated(bytes, page, fresh), (fresh, note), (fresh + 1, drawn.clone())];
                    forged.push((format!("{kind} {hidden} on page {page}"), revised(bytes, &objects)));
                }
            }
        }
        forged
    });
}

#[test]
fn sneaky_fields() {
    none_passes(|bytes| {
        let fresh = next(bytes);
        let form = form(bytes);
        let drawn = stream("/Type /XObject /Subtype /Form /BBox [0 0 595 842]", "1 g 0 0 595 842 re f");
        let list: Vec<String> = fields(bytes).iter().map(|at| format!("{at} 0 R")).collect();
        let longer = format!("[{} {fresh} 0 R]", list.join(" "));
        let with_field = match dict(bytes, form).get("Fields").unwrap().as_ref() {
            Some(array) => (array.number, longer),
            None => (form, with(bytes, form, &[("Fields", &longer)])),
        };
        let known = signed_fields(bytes);
        let value = written(&dict(bytes, number(bytes, known[0], "V")));
        let mut forged = Vec::new();
        for page in page_numbers(bytes) {
            for (what, field) in [
                ("a text field", "/FT /Tx /V (pay 9999)".to_owned()),
                ("a check box", "/FT /Btn /V /Yes /AS /Yes".to_owned()),
                ("an empty signature field", "/FT /Sig".to_owned()),
                ("a signature of nothing", format!("/FT /Sig /V {} 0 R", fresh + 2)),
                ("a signature of a dictionary within", "/FT /Sig /V << /Type /Sig >>".to_owned()),
                ("a known signature", format!("/FT /Sig /V {} 0 R", number(bytes, known[0], "V"))),
                ("a copied signature", format!("/FT /Sig /V {} 0 R", fresh + 3)),
            ] {
                let field = format!(
                    "<< /Type /Annot /Subtype /Widget {field} /T (Sneaky) /Rect [0 0 595 842] /F 4 /P {page} 0 R /AP << /N {} 0 R >> >>",
                    fresh + 1
                );
                let objects = [
                    with_field.clone(),
                    annotated(bytes, page, fresh),
                    (fresh, field),
                    (fresh + 1, drawn.clone()),
                    (fresh + 2, "<< /Type /Sig /Filter /Adobe.PPKLite >>".to_owned()),
                    (fresh + 3, value.clone()),
                ];
                forged.push((format!("{what} on page {page}"), revised(bytes, &objects)));
            }
        }
        forged
    });
}

/// A signature of somebody who is trusted, in a field that hides a page or a field; over the frame of another signature
/// it may lie, as a seal does.
#[test]
fn trusted_signatures_that_hide_something() {
    let image = PreparedImage::from_png(&ring(60, 60, [210, 20, 30])).unwrap();
    for input in [pages(), as_streams(&pages())] {
        for page in 1..=u32::try_from(PAGES).unwrap() {
            let signed = |rect: Rect| {
                let mut job = Job::ingested(&input);
                job.sign(&DESK.pki, "leader", "First", |request| {
                    request.image = Some(image.clone());
                    request.place = Some(PagePlace { page, rect: Rect::of(40.0, 40.0, 90.0, 60.0) });
                });
                job.sign(&DESK.pki, "seal", "Second", |request| {
                    request.image = Some(image.clone());
                    request.place = Some(PagePlace { page, rect });
                });
                job.bytes
            };
            assert!(DESK.passes(&signed(Rect::of(300.0, 40.0, 90.0, 60.0))), "beside it, on page {page}");
            assert!(DESK.passes(&signed(Rect::of(60.0, 50.0, 90.0, 60.0))), "over its frame, on page {page}");
            assert!(!DESK.passes(&signed(Rect::of(0.0, 110.0, 595.0, 700.0))), "all of page {page}");
        }
    }
}

#[test]
fn trusted_signatures_over_the_number() {
    let image = PreparedImage::from_png(&ring(60, 60, [210, 20, 30])).unwrap();
    for input in [pages(), as_streams(&pages())] {
        let signed = |aside: f64| {
            let mut job = Job::new(&input, &ProvisionPlan::standard(1));
            job.sign(&DESK.pki, "leader", "Signer1", |_| {});
            let number = job.index.field("DocNumber").unwrap().rect;
            let place = Rect::of(number.x0, number.y0 + aside, number.width(), number.height());
            job.sign(&DESK.pki, "seal", "Another", |request| {
                request.image = Some(image.clone());
                request.place = Some(PagePlace { page: 1, rect: place });
            });
            job.bytes
        };
        assert!(DESK.passes(&signed(-60.0)), "below it");
        assert!(!DESK.passes(&signed(-3.0)), "over it");
    }
}

#[test]
fn changed_fields() {
    none_passes(|bytes| {
        let (fresh, form) = (next(bytes), form(bytes));
        let drawn = stream("/Type /XObject /Subtype /Form /BBox [0 0 99 20]", "1 0 0 rg 0 0 99 20 re f");
        let mut forged = Vec::new();
        for field in fields(bytes) {
            let signature = dict(bytes, field).get("FT").unwrap().is_name(b"Sig");
            let filled = dict(bytes, field).contains("V");
            for (key, value) in [
                ("Rect", "[0 0 595 842]"),
                ("F", "2"),
                ("F", "0"),
                ("T", "(Other)"),
                ("FT", "/Btn"),
                ("MK", "<< /BG [1 0 0] >>"),
                ("AA", "<< /F << /S /JavaScript /JS (x) >> >>"),
                ("A", "<< /S /URI /URI (http://example.vn) >>"),
                ("Kids", "[]"),
                ("Parent", "1 0 R"),
                ("OC", "<< /Type /OCG /Name (x) >>"),
                ("BS", "<< /W 500 >>"),
                ("Subtype", "/FreeText"),
                ("AP", "<< >>"),
                ("Lock", "<< /Type /SigFieldLock /Action /All >>"),
                ("V", "(30)"),
                ("V", "null"),
            ] {
                // Nothing is there that could be taken away, or it says so already.
                let nothing = (key == "V" && value == "null" && !filled)
                    || (key == "AP" && !filled && !signature)
                    || dict(bytes, field).get(key) == Some(&raw(value));
                if !nothing {
                    let objects = [(field, with(bytes, field, &[(key, value)]))];
                    forged.push((format!("{field} {key} {value}"), revised(bytes, &objects)));
                }
            }
            let shown = with(bytes, field, &[("AP", &format!("<< /N {fresh} 0 R >>"))]);
            forged.push((
                format!("{field} drawn anew"),
                revised(bytes, &[(field, shown), (fresh, drawn.clone())]),
            ));
            if let Some(old) = dict(bytes, field).get("AP").and_then(|ap| ap.as_dict()?.get("N")?.as_ref()) {
                forged.push((format!("{field} drawn over"), revised(bytes, &[(old.number, drawn.clone())])));
            }
            if signature && filled {
                let value = number(bytes, field, "V");
                for (key, changed) in [
                    ("Reason", "(forged)"),
                    ("Name", "(Somebody else)"),
                    ("M", "(D:20200101000000Z)"),
                    ("SubFilter", "/adbe.pkcs7.sha1"),
                    ("Filter", "/Other"),
                    ("Type", "/DocTimeStamp"),
                    ("ByteRange", "[0 10 20 10]"),
                    ("ByteRange", "null"),
                    ("Contents", "<00>"),
                    ("Contents", "null"),
                    ("Reference", "[]"),
                ] {
                    let objects = [(value, with(bytes, value, &[(key, changed)]))];
                    forged.push((format!("signature {value} {key} {changed}"), revised(bytes, &objects)));
                }
            }
        }
        for (key, value) in [
            ("NeedAppearances", "true"),
            ("XFA", "(x)"),
            ("CO", "[3 0 R]"),
            ("SigFlags", "0"),
            ("Fields", "[]"),
        ] {
            forged
                .push((format!("form {key}"), revised(bytes, &[(form, with(bytes, form, &[(key, value)]))])));
        }
        forged
    });
}
