//! The stamp of urgency as people see it: frame of the decree's size, red, readable, beside a document that is signed and
//! sealed afterwards; and nobody takes it away.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod forge;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::path::Path;
use std::process::Command;

use forge::{dict, next, page, revised, stream, with};
use job::{Job, as_streams, text_page};
use pki::{Kind, Pki};
use trinhky_pades::{
    Fill, ProvisionPlan, Urgency,
    changes::{Fact, check_manifest, steps_after},
    ingest,
    pdf::{File, Limits, Object},
    provision,
};

const DOTS_PER_INCH: u32 = 300;

fn plan(urgency: Urgency) -> ProvisionPlan {
    ProvisionPlan { urgency: Some(urgency.into()), ..ProvisionPlan::standard(1) }
}

/// The red of page 1: left, top, right, bottom and the amount, in dots; `None` without poppler.
fn red(file: &Path) -> Option<([usize; 4], usize)> {
    let root = file.with_extension("");
    let dots = DOTS_PER_INCH.to_string();
    let drawn = Command::new("pdftoppm")
        .args(["-r", &dots, "-f", "1", "-l", "1", "-singlefile"])
        .arg(file)
        .arg(&root)
        .status();
    if !drawn.ok()?.success() {
        return None;
    }
    let ppm = std::fs::read(root.with_extension("ppm")).unwrap();
    let mut words = ppm.split(u8::is_ascii_whitespace).skip(1);
    let mut number = || -> usize { std::str::from_utf8(words.next().unwrap()).unwrap().parse().unwrap() };
    let (width, height) = (number(), number());
    let pixels = &ppm[ppm.len() - 3 * width * height..];
    let is_red = |pixel: &[u8]| pixel[0] > 200 && pixel[1] < 100 && pixel[2] < 100;
    let mut found = ([usize::MAX, usize::MAX, 0, 0], 0);
    for (at, _) in pixels.chunks_exact(3).enumerate().filter(|(_, pixel)| is_red(pixel)) {
        let (x, y) = (at % width, at / width);
        let ([left, top, right, bottom], count) = &mut found;
        (*left, *top, *right, *bottom) =
            ((*left).min(x), (*top).min(y), (*right).max(x + 1), (*bottom).max(y + 1));
        *count += 1;
    }
    Some(found)
}

fn millimetres(dots: usize) -> f64 {
    f64::from(u32::try_from(dots).unwrap()) * 25.4 / f64::from(DOTS_PER_INCH)
}

#[test]
fn a_stamped_document_is_signed_and_sealed() {
    let pki = Pki::new();
    pki.signer("leader", Kind::P256);
    pki.signer("seal", Kind::P256);
    for input in [text_page(), as_streams(&text_page())] {
        for urgency in Urgency::ALL {
            let taken = ingest(&input, &Limits::default()).unwrap();
            let mut base = Vec::new();
            let made = provision(&input, &taken, &plan(urgency), &mut base).unwrap();
            let mut job = Job { bytes: base, index: made.index, midstate: made.midstate };
            assert_eq!(ingest(&job.bytes, &Limits::default()).unwrap().index.fields, job.index.fields);
            job.sign(&pki, "leader", "Signer1", |_| {});
            job.sign(&pki, "seal", "OrgSeal", |request| {
                request.fills = vec![Fill { field: "DocNumber".to_owned(), text: "29".to_owned() }];
            });
            job.judge(&pki, urgency.code());
            let file = File::open_strict(&job.bytes, &Limits::default()).unwrap();
            check_manifest(&file, &made.manifest).unwrap();

            let path = pki.path(&format!("{}.pdf", urgency.code()));
            let (width, height) = urgency.millimetres();
            let place = made.urgency.unwrap().rect;
            if let Some(([left, top, right, bottom], count)) = red(&path) {
                let seen = (millimetres(right - left), millimetres(bottom - top));
                let close = |one: f64, other: f64| (one - other).abs() < 0.5;
                assert!(close(seen.0, width) && close(seen.1, height), "{urgency:?}: {seen:?}");
                let to_points = 25.4 / 72.0;
                assert!(close(millimetres(left), place.x0 * to_points), "{urgency:?}: {left} {place:?}");
                assert!(
                    close(millimetres(top), (842.0 - place.y1) * to_points),
                    "{urgency:?}: {top} {place:?}"
                );
                // The left column, and more ink than the frame alone has.
                assert!(millimetres(right) < 105.0);
                let frame = 2 * (right - left + bottom - top) * 5;
                assert!(count > frame, "{urgency:?}: {count} dots are red, and {frame} of the frame");
            }
            let said = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output();
            if let Ok(said) = said {
                let said = String::from_utf8_lossy(&said.stdout).into_owned();
                assert!(said.contains(urgency.words()), "{said}");
            }
        }
    }
}

#[test]
fn without_urgency_nothing_is_stamped() {
    let pki = Pki::new();
    let job = Job::new(&text_page(), &ProvisionPlan::standard(1));
    pki.write("plain.pdf", &job.bytes);
    assert!(red(&pki.path("plain.pdf")).is_none_or(|(_, count)| count == 0));
}

#[test]
fn nobody_changes_the_stamp_of_a_signed_document() {
    let pki = Pki::new();
    pki.signer("leader", Kind::P256);
    let mut job = Job::new(&text_page(), &plan(Urgency::Flash));
    job.sign(&pki, "leader", "Signer1", |_| {});
    let bytes = &job.bytes;
    let annotations = dict(bytes, page(bytes)).get("Annots").unwrap().as_ref().unwrap().number;
    let file = File::open_strict(bytes, &Limits::default()).unwrap();
    let items = file.latest().get(trinhky_pades::pdf::ObjRef::new(annotations)).unwrap();
    let items: Vec<u32> =
        items.as_array().unwrap().iter().map(|item| item.as_ref().unwrap().number).collect();
    let is_stamp = |at: &&u32| dict(bytes, **at).get("Subtype").is_some_and(|kind| kind.is_name(b"Stamp"));
    let stamp = *items.iter().find(is_stamp).unwrap();
    let drawn = dict(bytes, stamp).get("AP").and_then(|ap| ap.as_dict()?.get("N").and_then(Object::as_ref));
    let drawn = drawn.unwrap().number;
    let without: Vec<String> =
        items.iter().filter(|at| **at != stamp).map(|at| format!("{at} 0 R")).collect();
    let other = stream("/Type /XObject /Subtype /Form /BBox [0 0 85 22]", "1 0 0 rg 0 0 85 22 re f");
    let fresh = next(bytes);
    for (what, objects) in [
        ("taken away", vec![(annotations, format!("[{}]", without.join(" ")))]),
        ("hidden", vec![(stamp, with(bytes, stamp, &[("F", "2")]))]),
        ("moved", vec![(stamp, with(bytes, stamp, &[("Rect", "[0 0 9 9]")]))]),
        ("drawn over", vec![(drawn, other.clone())]),
        (
            "drawn anew",
            vec![(stamp, with(bytes, stamp, &[("AP", &*format!("<< /N {fresh} 0 R >>"))])), (fresh, other)],
        ),
    ] {
        let forged = revised(bytes, &objects);
        let file = File::open_strict(&forged, &Limits::default()).unwrap();
        let steps = steps_after(&file, 1, &trinhky_pades::changes::AnalysisLimits::default());
        let forbidden = |fact: &Fact| matches!(fact, Fact::Forbidden { .. });
        assert!(steps.iter().any(|step| step.facts.iter().any(forbidden)), "{what}: {steps:?}");
    }
}
