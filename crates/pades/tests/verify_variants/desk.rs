//! The signed files that are attacked, and what every attack needs to know of them.

use std::sync::LazyLock;

use time::OffsetDateTime;
use trinhky_pades::crypto;
use trinhky_pades::pdf::{File, Limits, Object};
use trinhky_pades::verify::{Verdict, VerifyPolicy, verify};
use trinhky_pades::x509::TrustAnchors;
use trinhky_pades::{DssContent, Fill, ProvisionPlan, prepare_dss};

use crate::forge::{dict, form, stream, with};
use crate::job::{Job, as_streams};
use crate::pki::{Kind, Pki};

pub(crate) const PAGES: usize = 3;

/// A forged file and what was done.
pub(crate) type Forged = (String, Vec<u8>);

pub(crate) struct Desk {
    pub(crate) pki: Pki,
    anchors: TrustAnchors,
    /// Signed files by name.
    pub(crate) bases: Vec<Forged>,
}

pub(crate) static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);

impl Desk {
    fn new() -> Self {
        let pki = Pki::new();
        pki.signer("leader", Kind::P256);
        pki.signer("seal", Kind::P256);
        let anchors = pki.anchors();
        let mut bases = Vec::new();
        for (style, input) in [("table", pages()), ("stream", as_streams(&pages()))] {
            let mut job = Job::ingested(&input);
            job.sign(&pki, "leader", "Approval", |_| {});
            bases.push((format!("{style}, as it came"), job.bytes));
            let mut job = Job::new(&input, &ProvisionPlan::standard(1));
            job.sign(&pki, "leader", "Signer1", |_| {});
            bases.push((format!("{style}, signed"), job.bytes.clone()));
            job.sign(&pki, "seal", "OrgSeal", |request| {
                request.fills = vec![
                    Fill { field: "DocNumber".to_owned(), text: "29/2021/QĐ-UBND".to_owned() },
                    Fill { field: "DocDate".to_owned(), text: "ngày 14 tháng 12 năm 2021".to_owned() },
                ];
            });
            bases.push((format!("{style}, sealed"), job.bytes.clone()));
            let content = DssContent { certs: vec![pki.certificate("root")], ..DssContent::default() };
            let dss =
                prepare_dss(&job.bytes, &job.index, &job.midstate, &content, &[9; 16]).unwrap().unwrap();
            job.append(&dss.tail, dss.index, dss.midstate);
            bases.push((format!("{style}, with long-term data"), job.bytes));
        }
        Self { pki, anchors, bases }
    }

    pub(crate) fn passes(&self, bytes: &[u8]) -> bool {
        let policy = VerifyPolicy::new(&self.anchors, now(), crypto::pure());
        verify(&bytes, &policy).is_ok_and(|report| report.verdict == Verdict::TotalPassed)
    }
}

#[expect(clippy::disallowed_methods, reason = "the PKI is made now; the engine takes the time from here")]
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Three pages, each with its own content, and objects that nothing shows: what a shadow attack prepares.
pub(crate) fn pages() -> Vec<u8> {
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    let kids: Vec<String> = (0..PAGES).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    objects.push(format!("<< /Type /Pages /Kids [{}] /Count {PAGES} >>", kids.join(" ")));
    objects.push(
        "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>".to_owned(),
    );
    for page in 0..PAGES {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + 2 * page
        ));
        objects.push(stream("", &format!("BT /F1 13 Tf 85 700 Td (Page {page}: pay 100) Tj ET")));
    }
    let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let xref = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        file.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    file.extend(
        format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n", objects.len() + 1).bytes(),
    );
    file
}

/// Every variant of one class on every base; none may pass.
pub(crate) fn none_passes(class: impl Fn(&[u8]) -> Vec<Forged>) {
    let (mut tried, mut passed) = (0, Vec::new());
    for (base, bytes) in &DESK.bases {
        for (what, forged) in class(bytes) {
            tried += 1;
            if DESK.passes(&forged) {
                passed.push(format!("{base}: {what}"));
            }
        }
    }
    assert!(tried >= DESK.bases.len(), "only {tried} variants");
    assert!(passed.is_empty(), "{} of {tried} pass:\n{}", passed.len(), passed.join("\n"));
}

pub(crate) fn page_numbers(bytes: &[u8]) -> Vec<u32> {
    let file = File::open_strict(&bytes, &Limits::default()).unwrap();
    file.latest().pages().unwrap().iter().map(|page| page.number).collect()
}

pub(crate) fn number(bytes: &[u8], of: u32, key: &str) -> u32 {
    dict(bytes, of).get(key).unwrap().as_ref().unwrap().number
}

/// The fields of the form, by object number.
pub(crate) fn fields(bytes: &[u8]) -> Vec<u32> {
    let fields = dict(bytes, form(bytes)).get("Fields").unwrap().clone();
    let file = File::open_strict(&bytes, &Limits::default()).unwrap();
    let fields = file.latest().resolve(&fields).unwrap();
    fields.as_array().unwrap().iter().map(|item| item.as_ref().unwrap().number).collect()
}

pub(crate) fn signed_fields(bytes: &[u8]) -> Vec<u32> {
    fields(bytes)
        .into_iter()
        .filter(|&at| dict(bytes, at).contains("V") && dict(bytes, at).get("FT").unwrap().is_name(b"Sig"))
        .collect()
}

/// The page with one more annotation, which may be indirect or within the page.
pub(crate) fn annotated(bytes: &[u8], page: u32, annotation: u32) -> (u32, String) {
    let file = File::open_strict(&bytes, &Limits::default()).unwrap();
    let key = dict(bytes, page).get("Annots").cloned().unwrap_or(Object::Array(Vec::new()));
    let items = file.latest().resolve(&key).unwrap();
    let items: Vec<String> =
        items.as_array().unwrap().iter().map(|item| item.as_ref().unwrap().to_string()).collect();
    let list = format!("[{} {annotation} 0 R]", items.join(" "));
    match key.as_ref() {
        Some(array) => (array.number, list),
        None => (page, with(bytes, page, &[("Annots", &list)])),
    }
}
