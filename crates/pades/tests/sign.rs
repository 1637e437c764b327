//! The main job on one file: provision, leader signs, number and date are filled in the seal's revision, long-term data
//! is added; judged by qpdf and, where there are, pyHanko and pdfsig.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod common;
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use job::{Job, ring, text_page};
use pki::{Kind, Pki};
use trinhky_pades::{
    Digest, DssContent, Fill, PrepareError, PreparedImage, ProvisionPlan, TextPlan,
    pdf::{self, File, Limits},
    prepare, prepare_dss,
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
