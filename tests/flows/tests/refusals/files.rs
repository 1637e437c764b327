//! Files at the door.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;
use trinhky_flows::kept::Kept;
use trinhky_flows::main_job::{self, Cast};
use trinhky_flows::process::{command, output};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_protos::problem::Code;

use crate::said::refused;

/// Uploads beyond this are refused in these tests.
const UPLOAD_LIMIT: u64 = 2_000_000;

#[tokio::test]
async fn files_that_are_not_taken() -> Result<()> {
    let limits = format!("[limits]\nupload_bytes = {UPLOAD_LIMIT}\n");
    let rig = Rig::start(&Plan { settings: limits, ..Plan::default() }).await?;
    let desk = rig.desk("drafter").await?;
    let folder = rig.folder.path();
    let good = std::fs::read(&rig.world.demo_pdf)?;

    let write = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    };
    let encrypted = folder.join("encrypted.pdf");
    let mut qpdf = command("qpdf");
    qpdf.args(["--encrypt", "secret", "owner", "256", "--"]).arg(&rig.world.demo_pdf).arg(&encrypted);
    output(qpdf).await?;
    let cases = [
        (write("text.pdf", b"Kinh gui: day khong phai la PDF")?, Code::NotAPdf),
        (write("png.pdf", b"\x89PNG\r\n\x1a\n0000000000000000")?, Code::NotAPdf),
        (write("cut.pdf", &good[..good.len() / 2])?, Code::Truncated),
        (encrypted, Code::Encrypted),
        (write("empty.pdf", b"")?, Code::EmptyFile),
        (
            write("no-pages.pdf", &pdf("/Pages 2 0 R", "<< /Type /Pages /Kids [] /Count 0 >>"))?,
            Code::BrokenPdf,
        ),
        (
            write("dynamic.pdf", &pdf(DYNAMIC_FORM, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"))?,
            Code::UnsupportedPdf,
        ),
        (write("large.pdf", &[good.as_slice(), &vec![b' '; 2_100_000]].concat())?, Code::TooLarge),
    ];
    let before = Kept::now(&rig).await?;
    for (pdf, code) in cases {
        refused(desk.upload(&pdf).await, code).with_context(|| pdf.display().to_string())?;
        let digest = main_job::sha256_of(&pdf)?;
        refused(desk.get::<Value>(&format!("/v1/files/{digest}")).await, Code::NotFound)?;
    }
    before.unchanged(&rig).await
}

#[tokio::test]
async fn a_file_that_already_carries_an_invalid_signature() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let out = rig.folder.path().join("out");
    let pdf = rig.world.demo_pdf.clone();
    let outcome = main_job::run(&rig, &cast, &pdf, &out, &mut main_job::Steps::default()).await?;
    let mut bytes = std::fs::read(&outcome.released)?;
    let at = bytes.windows(9).position(|window| window == b"/MediaBox").context("a page")?;
    let digit = bytes[at..].iter().position(u8::is_ascii_digit).context("a number")? + at;
    bytes[digit] ^= 1;
    let broken = out.join("broken.pdf");
    std::fs::write(&broken, bytes)?;
    let before = Kept::now(&rig).await?;
    refused(cast.drafter.upload(&broken).await, Code::InvalidSignaturePresent)?;
    before.unchanged(&rig).await
}

/// A form that only shows itself when a program of the form's maker runs it.
const DYNAMIC_FORM: &str = "/Pages 2 0 R /NeedsRendering true /AcroForm << /Fields [] /XFA (<xdp/>) >>";

/// A PDF of three objects.
fn pdf(catalog: &str, pages: &str) -> Vec<u8> {
    let objects = [
        format!("1 0 obj\n<< /Type /Catalog {catalog} >>\nendobj\n"),
        format!("2 0 obj\n{pages}\nendobj\n"),
        "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>\nendobj\n"
            .to_owned(),
    ];
    let mut text = "%PDF-1.7\n".to_owned();
    let mut table = vec!["xref\n0 4\n0000000000 65535 f \n".to_owned()];
    for object in objects {
        table.push(format!("{:010} 00000 n \n", text.len()));
        text += &object;
    }
    let table = table.concat();
    let at = text.len();
    format!("{text}{table}trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n").into_bytes()
}
