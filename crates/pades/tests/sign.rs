//! The main job on one file: provision, leader signs, number and date are filled in the seal's revision, long-term data
//! is added; judged by qpdf and, where there are, pyHanko and pdfsig.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod common;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod forge;
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use job::{Job, ring, text_page};
use pki::{Kind, Pki};
use trinhky_pades::{
    CopyForm, Digest, DssContent, Fill, Finding, Mark, PrepareError, PreparedImage, ProvisionPlan, TextPlan,
    ingest,
    pdf::{self, File, Limits},
    prepare, prepare_dss, provision,
};

#[test]
fn two_signatures_with_fill_then_long_term_data() {
    let pki = Pki::new();
    pki.signer("leader", Kind::Rsa(2048));
    pki.signer("seal", Kind::P256);
    for (name, input) in
        [("table", text_page()), ("minimal", pdf::minimal()), ("stream", job::as_streams(&text_page()))]
    {
        let mut job = Job::new(&input, &ProvisionPlan::standard(1));
        let base = job.bytes.clone();
        let blue = PreparedImage::from_png(&ring(300, 150, [20, 40, 200])).unwrap();
        job.sign(&pki, "leader", "Signer1", |request| request.image = Some(blue.clone()));
        let after_leader = job.bytes.clone();
        assert!(after_leader.starts_with(&base));
        let red = PreparedImage::from_png(&ring(300, 300, [210, 20, 30])).unwrap();
        job.sign(&pki, "seal", "OrgSeal", |request| {
            request.image = Some(red.clone());
            request.fills = vec![
                Fill { field: "DocNumber".to_owned(), text: "29/2021/QĐ-UBND".to_owned() },
                Fill { field: "DocDate".to_owned(), text: "ngày 14 tháng 12 năm 2021".to_owned() },
            ];
        });
        assert!(job.bytes.starts_with(&after_leader));
        let content = DssContent {
            certs: vec![pki.certificate("ca"), pki.certificate("root")],
            ..DssContent::default()
        };
        let dss = prepare_dss(&job.bytes, &job.index, &job.midstate, &content, &[9; 16]).unwrap().unwrap();
        job.append(&dss.tail, dss.index, dss.midstate);
        assert_eq!(prepare_dss(&job.bytes, &job.index, &job.midstate, &content, &[9; 16]).unwrap(), None);
        let file = File::open_strict(&job.bytes, &Limits::default()).unwrap();
        assert_eq!(file.revisions().len(), 4, "{name}");
        job.judge(&pki, name);
    }
}

/// A form of hundreds of fields: ours are found by name all the same, whenever the file is taken in.
#[test]
fn a_form_of_many_fields() {
    let pki = Pki::new();
    pki.signer("leader", Kind::P256);
    let names: Vec<String> = (4..604).map(|number| format!("{number} 0 R")).collect();
    let names = names.join(" ");
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{names}] >> >>"),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots [{names}] >>"),
    ];
    objects.extend((4..604).map(|number| {
        format!(
            "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Line {number}) /F 4 /Rect [9 9 20 20] /P 3 0 R >>"
        )
    }));
    let mut job = Job::new(&forge::plain(&objects, ""), &ProvisionPlan::standard(1));
    job.sign(&pki, "leader", "Signer1", |_| {});
    let again = ingest(&job.bytes, &Limits::default()).unwrap().index;
    for name in ["DocNumber", "DocDate", "Signer1", "OrgSeal"] {
        assert_eq!(again.field(name), job.index.field(name), "{name}");
        assert!(again.field(name).is_some(), "{name}");
    }
    job.judge(&pki, "many-fields");
}

/// What strict readers refuse is put right before anybody signs: fields that share a name or have a full stop in it, names
/// with raw bytes, references to nothing, and a size out of the air.
#[test]
fn loose_files_are_put_right_first() {
    let pki = Pki::new();
    pki.signer("leader", Kind::P256);
    let widget = |name: &str| {
        format!("<< /Type /Annot /Subtype /Widget /FT /Tx /T ({name}) /F 4 /Rect [9 9 20 20] /P 3 0 R >>")
    };
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R 5 0 R 6 0 R 7 0 R 9 0 R] >> >>"
            .to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> \
         /Annots [4 0 R 5 0 R 6 0 R 8 0 R 10 0 R 11 0 R] >>"
            .to_owned(),
        widget("Line"),
        widget("Line"),
        widget("Line_2"),
        "<< /T (Group) /Kids [8 0 R] >>".to_owned(),
        widget("Line").replace("/P 3 0 R", "/P 3 0 R /Parent 7 0 R"),
        "<< /T (Group) /Kids [10 0 R] >>".to_owned(),
        widget("Line").replace("/P 3 0 R", "/P 3 0 R /Parent 9 0 R"),
        widget("Line.2"),
        "(no field)".to_owned(),
    ];
    let taken = ingest(&forge::plain(&objects, ""), &Limits::default()).unwrap();
    assert_eq!(taken.report.findings, [Finding::FieldNames, Finding::HasForm]);
    assert!(taken.index.fields.iter().all(|field| field.name != "Line_3"), "as the file has them");
    let mut same = Job::new(&forge::plain(&objects, ""), &ProvisionPlan::standard(1));
    let mut names: Vec<&str> = same.index.fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "DocDate",
            "DocNumber",
            "Group.Line",
            "Group_2.Line",
            "Line",
            "Line_2",
            "Line_2_2",
            "OrgSeal",
            "Signer1"
        ]
    );
    same.sign(&pki, "leader", "Signer1", |_| {});
    same.judge(&pki, "same-names");

    let mut within = objects.clone();
    within[6] = format!("<< /T (Group) /Kids [{}] >>", within[7]);
    let taken = ingest(&forge::plain(&within, ""), &Limits::default()).unwrap();
    let refused = provision(&forge::plain(&within, ""), &taken, &ProvisionPlan::standard(1), &mut Vec::new());
    assert_eq!(refused.unwrap_err().code(), "broken");

    let small = |catalog: &str, page: &str| {
        let objects = [
            format!("<< /Type /Catalog /Pages 2 0 R {catalog} >>"),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> {page} >>"),
        ];
        forge::plain(&objects, "")
    };
    let mut raw = small("/Private << /Caf? 1 >>", "");
    let at = raw.iter().position(|&byte| byte == b'?').unwrap();
    raw[at] = 0xe9;
    let mut raw = Job::new(&raw, &ProvisionPlan::standard(1));
    assert!(raw.bytes.windows(6).any(|part| part == b"Caf#E9"), "escaped");
    raw.sign(&pki, "leader", "Signer1", |_| {});
    raw.judge(&pki, "raw-names");

    // A reference to nothing does not come to mean something new, and a strict reader finds none.
    let holes = small("", "/Hole 100 0 R /Holes [4 0 R 5 0 R 6 0 R 30 0 R]");
    let mut holes = Job::new(&holes, &ProvisionPlan::standard(1));
    let page = forge::dict(&holes.bytes, 3);
    assert_eq!(page.get("Hole"), None);
    assert_eq!(page.get("Holes"), Some(&forge::raw("[null null null null]")));
    holes.sign(&pki, "leader", "Signer1", |_| {});
    holes.judge(&pki, "holes");

    let vast = String::from_utf8(small("", "")).unwrap().replace("/Size 4", "/Size 999999");
    let mut vast = Job::new(vast.as_bytes(), &ProvisionPlan::standard(1));
    assert!(vast.index.size < 100, "{}", vast.index.size);
    vast.sign(&pki, "leader", "Signer1", |_| {});
    vast.judge(&pki, "vast");
}

#[test]
fn a_number_taken_before_is_drawn_in_the_base() {
    let pki = Pki::new();
    pki.signer("leader", Kind::P384);
    let text = |text: &str| Some(TextPlan { text: Some(text.to_owned()), ..TextPlan::default() });
    let plan = ProvisionPlan {
        number: text("29/2021/QĐ-UBND"),
        date: text("ngày 14 tháng 12 năm 2021"),
        ..ProvisionPlan::standard(1)
    };
    let mut job = Job::new(&text_page(), &plan);
    pki.signer("seal", Kind::Rsa(2048));
    job.sign(&pki, "leader", "Signer1", |_| {});
    job.sign(&pki, "seal", "OrgSeal", |_| {});
    let content = DssContent { certs: vec![pki.certificate("root")], ..DssContent::default() };
    let dss = prepare_dss(&job.bytes, &job.index, &job.midstate, &content, &[9; 16]).unwrap().unwrap();
    job.append(&dss.tail, dss.index, dss.midstate);
    job.judge(&pki, "before");
    let job = Job::new(&text_page(), &plan);
    let mut request = Job::request(&pki, "leader", "OrgSeal");
    request.fills = vec![Fill { field: "DocNumber".to_owned(), text: "30".to_owned() }];
    let refused = prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap_err();
    assert_eq!(refused, PrepareError::AlreadyFilled("DocNumber".to_owned()));
}

/// Whoever hands in a file may call a font as ours is called, and let it draw a 3 for a 2.
#[test]
fn a_font_of_our_name_that_is_not_ours_draws_no_fill() {
    let font = |bytes: &Vec<u8>| ingest(bytes, &Limits::default()).unwrap().index.form.unwrap().font;
    let ours = Job::new(&text_page(), &ProvisionPlan::standard(1)).bytes;
    assert!(font(&ours).is_some());
    let at = ours.windows(8).position(|window| window == b"/DW 1000").unwrap();
    let mut forged = ours;
    forged[at + 4] = b'9';
    assert_eq!(font(&forged), None);
}

#[test]
fn a_file_that_was_not_provisioned_takes_one_signature() {
    let pki = Pki::new();
    pki.signer("leader", Kind::Rsa(3072));
    for input in [text_page(), job::as_streams(&text_page())] {
        let mut job = Job::ingested(&input);
        job.sign(&pki, "leader", "Approval", |_| {});
        job.judge(&pki, "unprovisioned");
    }
}

#[test]
fn an_attachment_and_a_copy_are_marked_in_the_corner() {
    let pki = Pki::new();
    pki.signer("seal", Kind::P256);
    let marks = [
        Mark::Attachment { number: "29/2021/QĐ-UBND".to_owned() },
        Mark::Copy {
            form: CopyForm::SaoY, organisation: "Ủy ban nhân dân phường Mường Thanh".to_owned()
        },
    ];
    for (n, mark) in marks.into_iter().enumerate() {
        let mut job = Job::ingested(&text_page());
        let lines = std::cell::OnceCell::new();
        job.sign(&pki, "seal", "OrgSeal", |request| {
            request.mark = Some(mark.clone());
            lines.set(mark.lines(request.claimed_time)).unwrap();
        });
        let site = job.index.field("OrgSeal").unwrap();
        // Page 1 is 595 × 842: right and top margins of 10 mm.
        assert!(
            (site.rect.x1 - 566.65).abs() < 0.1 && (site.rect.y1 - 813.65).abs() < 0.1,
            "{:?}",
            site.rect
        );
        let name = format!("mark-{n}");
        job.judge(&pki, &name);
        let text =
            std::process::Command::new("pdftotext").arg(pki.path(&format!("{name}.pdf"))).arg("-").output();
        if let Ok(text) = text {
            let text = String::from_utf8_lossy(&text.stdout).into_owned();
            assert!(lines.get().unwrap().iter().all(|line| text.contains(line.as_str())), "{text}");
        }
    }
}

#[test]
fn the_stored_half_is_the_same_after_a_restart() {
    let pki = Pki::new();
    pki.signer("leader", Kind::P256);
    let job = Job::new(&text_page(), &ProvisionPlan::standard(1));
    let request = Job::request(&pki, "leader", "Signer1");
    let prepared = prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap();
    assert!(prepared == prepare(&job.bytes, &job.index, &job.midstate, &request).unwrap());
    let stored = serde_json::to_string(&prepared).unwrap();
    assert!(serde_json::from_str::<trinhky_pades::Prepared>(&stored).unwrap() == prepared);
    let whole = [job.bytes.clone(), prepared.tail.clone()].concat();
    let [_, gap, behind, _] = prepared.byte_range.map(|value| usize::try_from(value).unwrap());
    let signed = [&whole[..gap], &whole[behind..]].concat();
    assert_eq!(Digest::of(&signed), prepared.digest);
}
