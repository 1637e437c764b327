//! The main job on real documents: released, accepted by every judge, one SIM prompt each, no earlier byte moved.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use trinhky_cluster::Durability;
use trinhky_flows::judges::{self, Case, python, repository};
use trinhky_flows::logs;
use trinhky_flows::main_job::{self, Cast, Outcome, Steps};
use trinhky_flows::process::{command, output};
use trinhky_flows::rig::{Engine, Plan, Rig};

/// Documents nobody here wrote, one of each kind of construct, as they are.
const REAL: &[&str] = &[
    "LibreOffice/hello-world.pdf",
    "OpenPDF/Simple_PDF_2.0_file.pdf",
    "sample-files/pdflatex-4-pages.pdf",
    "sample-files/with-attachment.pdf",
    "pyHanko/minimal-hybrid-xref.pdf",
    "OpenPDF/PDF_2.0_with_offset_start.pdf",
    "pdf-reader/rotate-180.pdf",
    "format-corpus/032270.pdf",
    "format-corpus/javascript.pdf",
    "veraPDF-corpus/veraPDF_test_suite_6-1-12-t04-pass-a.pdf",
    "endesive/pdf-XRef.pdf",
    "pdf.js/bug1937438_from_word.pdf",
];

#[tokio::test]
async fn number_after_the_leaders_signature() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    logs::talk(&mut rig).await?;
    let cast = Cast::gather(&rig).await?;
    let pdf = rig.world.demo_pdf.clone();
    let outcome = released_and_accepted(&rig, &cast, &pdf, "after-sign").await?;
    ensure!(outcome.document.numbering == "after_sign");
    ensure!(outcome.report.number.ends_with("/QĐ-UBND"), "{}", outcome.report.number);
    says_the_number(&outcome.released, &outcome.report.number).await?;
    logs::told_nothing(&rig, &["Về việc ban hành", "Các phòng, ban, đơn vị", "quyet-dinh.pdf"])
}

#[tokio::test]
async fn the_same_on_postgres() -> Result<()> {
    for profile in ["nd30_default", "kien_giang_2017"] {
        let engine = Engine::Postgres(Durability::None);
        let rig = Rig::start(&Plan { profile, engine, ..Plan::default() }).await?;
        let cast = Cast::gather(&rig).await?;
        let pdf = rig.world.demo_pdf.clone();
        released_and_accepted(&rig, &cast, &pdf, profile).await.with_context(|| profile)?;
    }
    Ok(())
}

#[tokio::test]
async fn number_before_the_leaders_signature() -> Result<()> {
    let rig = Rig::start(&Plan { profile: "kien_giang_2017", ..Plan::default() }).await?;
    let cast = Cast::gather(&rig).await?;
    let pdf = rig.world.demo_pdf.clone();
    let outcome = released_and_accepted(&rig, &cast, &pdf, "before-sign").await?;
    ensure!(outcome.document.numbering == "before_sign");
    says_the_number(&outcome.bases[0], &outcome.report.number).await
}

#[tokio::test]
async fn documents_that_nobody_here_wrote() -> Result<()> {
    let Some(corpus) = corpus("pdf-unsigned/files")? else { return Ok(()) };
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    for name in REAL {
        let pdf = corpus.join(name);
        released_and_accepted(&rig, &cast, &pdf, &name.replace('/', "-"))
            .await
            .with_context(|| (*name).to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn five_hundred_pages_and_fifty_megabytes() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let page = match corpus("pdf-unsigned/files")? {
        Some(corpus) => corpus.join("LibreOffice/hello-world.pdf"),
        None => rig.world.demo_pdf.clone(),
    };
    let folder = rig.folder.path().join("inputs");
    let mut make = command(python());
    make.current_dir(repository()).env("PYTHONPATH", "tests").args(["-m", "judges.make_inputs"]);
    make.arg(&page).arg(&folder);
    let listed = output(make).await?;
    let cast = Cast::gather(&rig).await?;
    let mut count = 0;
    for pdf in listed.lines().map(PathBuf::from) {
        let name = pdf.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        released_and_accepted(&rig, &cast, &pdf, &name).await.with_context(|| name.clone())?;
        count += 1;
    }
    ensure!(count == 6, "made {count} inputs, not 6:\n{listed}");
    Ok(())
}

async fn released_and_accepted(rig: &Rig, cast: &Cast, pdf: &Path, name: &str) -> Result<Outcome> {
    let out = rig.folder.path().join("out").join(name);
    let outcome = main_job::run(rig, cast, pdf, &out, &mut Steps::default()).await?;
    ensure!(outcome.report.cms_from == "device", "the CMS came from {:?}", outcome.report.cms_from);
    ensure!(outcome.report.sim_requests == 1, "the SIM was asked {} times", outcome.report.sim_requests);
    let trust = rig.world.roots_pem.display().to_string();
    let released = outcome.released.display().to_string();
    rig.trinhky(&["verify", &released, "--trust", &trust, "--revocation", "require", "--offline"]).await?;
    judges::ask(&Case {
        pdf: &outcome.released,
        trust: &rig.world.roots_pem,
        bases: &outcome.bases,
        pages_of: Some(pdf),
        signatures: 2,
    })
    .await?;
    Ok(outcome)
}

/// Page 1 says the number, once and whole, whatever the page had of it before.
async fn says_the_number(pdf: &Path, number: &str) -> Result<()> {
    let mut pdftotext = command("pdftotext");
    pdftotext.args(["-f", "1", "-l", "1", "-layout"]).arg(pdf).arg("-");
    let text = output(pdftotext).await?;
    let packed: String = text.split_whitespace().collect();
    ensure!(packed.contains(&format!("Số:{number}")), "page 1 does not say Số: {number}:\n{text}");
    Ok(())
}

/// The corpus folder; `None` (said in a line) where there is none and none was asked for.
fn corpus(folder: &str) -> Result<Option<PathBuf>> {
    let Some(root) = std::env::var_os("TRINHKY_CORPORA") else {
        println!("not selected: TRINHKY_CORPORA is unset");
        return Ok(None);
    };
    let path = PathBuf::from(root).join(folder);
    ensure!(path.is_dir(), "TRINHKY_CORPORA is set, but {} is no folder", path.display());
    Ok(Some(path))
}
