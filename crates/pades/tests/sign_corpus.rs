//! Real files nobody here wrote, carried through the main job: leader, then number, date and seal, then long-term data.
//!
//! Every one is signed and then accepted by the foreign judges, or refused with a reason a person can act on; of those
//! that `qpdf --check` calls fine and that are not encrypted, at least 95 % are signed. The judges are qpdf (a file that
//! was fine still is), and, where `TRINHKY_PYHANKO` names a Python that has it, pyHanko (both signatures trusted, all of
//! their revision covered, no change worse than form filling) and pdfsig.

#![expect(clippy::unwrap_used, reason = "helpers of a test, outside the test functions")]

mod common;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod job;
#[expect(dead_code, reason = "shared by several test programs, each uses a part")]
mod pki;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use job::{Job, ring};
use pki::{Kind, Pki};
use trinhky_pades::{
    DssContent, Fill, PreparedImage, ProvisionPlan, Refusal, ingest, pdf::Limits, prepare_dss, provision,
};

/// Files that we sign and a judge does not accept all the same: the end of its path, the judge, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("pdf.js/issue8702.pdf", "pyhanko", "an object within an object stream is broken, which others tolerate"),
    ("pyHanko/struct-tree-circular-ref.pdf", "pyhanko", "a structure tree that runs in a circle, on purpose"),
];

/// What became of one file.
struct Outcome {
    path: PathBuf,
    /// Whether `qpdf --check` has nothing to say against it.
    fine: bool,
    end: End,
}

enum End {
    Refused(Refusal),
    /// The name of the signed file, and whether it is as fine as the input was.
    Signed {
        name: String,
        kept_fine: bool,
    },
}

#[test]
fn every_file_is_signed_and_accepted_or_refused() {
    let files = common::pdfs("pdf-unsigned/files");
    if files.is_empty() {
        return;
    }
    let pki = Pki::new();
    pki.signer("leader", Kind::Rsa(2048));
    pki.signer("seal", Kind::P256);
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("KEEP").map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let outcomes = carried(&files, &pki, &folder);
    assert_eq!(outcomes.len(), files.len());

    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut signed, mut wrong) = (BTreeMap::new(), Vec::new());
    for Outcome { path, end, .. } in &outcomes {
        match end {
            End::Refused(refusal) => *refused.entry(reason(refusal)).or_default() += 1,
            End::Signed { name, kept_fine } => {
                signed.insert(name.clone(), path.clone());
                if !kept_fine {
                    wrong.push(format!("{}: qpdf: fine before, and not after", path.display()));
                }
            }
        }
    }
    let encrypted = encrypted();
    let of_fine: Vec<_> = outcomes.iter().filter(|one| one.fine && !encrypted(&one.path)).collect();
    let lost = of_fine.iter().filter(|one| matches!(one.end, End::Refused(_)));
    let lost: Vec<_> = lost.map(|one| one.path.display().to_string()).collect();
    let (clean, kept) = (of_fine.len(), of_fine.len() - lost.len());
    let off_page = |one: &&Outcome| matches!(&one.end, End::Refused(Refusal::OffPage { .. }));
    for one in outcomes.iter().filter(off_page) {
        println!("too small: {}", one.path.display());
    }
    println!(
        "{} files: {} signed, {} refused {refused:?}; of {clean} that qpdf calls fine and that are not encrypted, {kept} \
         are signed ({:.1} %), not {lost:?}",
        files.len(),
        signed.len(),
        files.len() - signed.len(),
        100.0 * f64::from(u32::try_from(kept).unwrap()) / f64::from(u32::try_from(clean).unwrap()),
    );
    assert!(clean > 150, "qpdf calls only {clean} files fine");
    assert!(lost.len() * 20 <= clean, "fewer than 95 % of the fine files are signed: {kept} of {clean}");

    if let Some(python) = std::env::var_os("TRINHKY_PYHANKO") {
        let said = judged(&python, &pki, &folder);
        assert_eq!(said.len(), signed.len(), "a verdict on every signed file");
        let mut excused = Vec::new();
        for (name, verdict) in said.iter().filter(|(_, verdict)| *verdict != "ok") {
            let path = signed[name].display().to_string();
            let known =
                EXCEPTIONS.iter().find(|(file, judge, _)| path.ends_with(file) && verdict.starts_with(judge));
            match known {
                Some((file, ..)) => excused.push(*file),
                None => wrong.push(format!("{path}: {verdict}")),
            }
        }
        println!("pyHanko and pdfsig accept {} of {}", said.len() - excused.len() - wrong.len(), said.len());
        for (file, ..) in EXCEPTIONS {
            assert!(excused.contains(file), "{file} is no exception any more: take it off the list");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Carries every file, on as many threads as there are cores.
fn carried(files: &[PathBuf], pki: &Pki, folder: &Path) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(at) else { break outcomes };
            let fine = qpdf(path);
            let end = match signed(path, pki) {
                Err(refusal) => End::Refused(refusal),
                Ok(bytes) => {
                    let name = format!("{at:03}.pdf");
                    let out = folder.join(&name);
                    std::fs::write(&out, bytes).unwrap();
                    End::Signed { kept_fine: !fine || qpdf(&out), name }
                }
            };
            outcomes.push(Outcome { path: path.clone(), fine, end });
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// Leader, number, date and seal, long-term data.
fn signed(path: &Path, pki: &Pki) -> Result<Vec<u8>, Refusal> {
    let bytes = std::fs::read(path).unwrap();
    let taken = ingest(&bytes, &Limits::default())?;
    let mut base = Vec::new();
    let made = provision(&bytes, &taken, &ProvisionPlan::standard(1), &mut base)?;
    let mut job = Job { bytes: base, index: made.index, midstate: made.midstate };
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
    Ok(job.bytes)
}

/// The code of a refusal of the file itself (a page may be too small for our fields). Any other would be our own failure.
fn reason(refusal: &Refusal) -> &'static str {
    let theirs = matches!(
        refusal,
        Refusal::Empty
            | Refusal::NotAPdf
            | Refusal::Truncated
            | Refusal::Encrypted
            | Refusal::XfaDynamic
            | Refusal::Broken(_)
            | Refusal::TooComplex(_)
            | Refusal::AlreadySigned
            | Refusal::FieldTaken(_)
            | Refusal::OffPage { .. }
    );
    assert!(theirs, "{} is no reason: {refusal}", refusal.code());
    refusal.code()
}

/// The verdicts of pyHanko and pdfsig, by file.
fn judged(python: &std::ffi::OsStr, pki: &Pki, folder: &Path) -> BTreeMap<String, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/job/judge_folder.py");
    let output = Command::new(python).arg(script).arg(folder).arg(pki.path("root.pem")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, why)| (name.to_owned(), why.to_owned()))
        .collect()
}

/// Whether a file of the corpus is encrypted, by the corpus's own table.
fn encrypted() -> impl Fn(&Path) -> bool {
    let table = common::folder("pdf-unsigned").join("classification.tsv");
    let table = std::fs::read_to_string(table).unwrap();
    let rows: BTreeMap<String, bool> = table
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('\t');
            Some((cells.next()?.to_owned(), cells.nth(2)? == "yes"))
        })
        .collect();
    move |path| {
        let path = path.to_string_lossy();
        let at = path.rfind("pdf-unsigned/").unwrap() + "pdf-unsigned/".len();
        *rows.get(&path[at..]).unwrap_or_else(|| panic!("{path} is not in the table of the corpus"))
    }
}

fn qpdf(path: &Path) -> bool {
    let output = Command::new("qpdf").arg("--check").arg(path).output();
    output.expect("the qpdf command is needed for this test").status.code() == Some(0)
}
