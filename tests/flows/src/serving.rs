//! How soon `serve` answers on an existing database, what memory it takes when nothing is asked of it, and by how much a
//! large upload raises that.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::rig::{Part, Rig};

/// The product's promises.
pub mod limits {
    /// From the command to the ready line, in milliseconds.
    pub const START_MS: f64 = 1_000.0;
    /// Resident, in megabytes.
    pub const IDLE_MB: f64 = 60.0;
    /// From the submission of an urgent document to its message at the push service, in milliseconds.
    pub const URGENT_MS: f64 = 1_000.0;
    /// What one upload of 50 MB adds at its peak.
    pub const UPLOAD_MB: f64 = 32.0;
}

/// Long enough that whatever the start set going has come to rest.
const REST: Duration = Duration::from_secs(3);

/// Milliseconds from the command to the ready line, on the database as it is.
///
/// # Errors
/// It does not start.
pub async fn start(rig: &mut Rig) -> Result<f64> {
    rig.stop(Part::Serve).await?;
    let began = now();
    rig.up(Part::Serve, &[]).await?;
    Ok(began.elapsed().as_secs_f64() * 1_000.0)
}

/// Megabytes that `serve` takes when nothing is asked of it.
///
/// # Errors
/// It is not running.
pub async fn idle(rig: &mut Rig) -> Result<f64> {
    tokio::time::sleep(REST).await;
    resident(id(rig)?, "VmRSS")
}

/// By how many megabytes one upload raises `serve`, at its peak.
///
/// # Errors
/// The upload is refused.
pub async fn upload(rig: &mut Rig, pdf: &Path) -> Result<f64> {
    let drafter = rig.desk("drafter").await?;
    let id = id(rig)?;
    // From here on the peak is this upload's.
    std::fs::write(format!("/proc/{id}/clear_refs"), "5").context("resetting the peak")?;
    let before = resident(id, "VmRSS")?;
    drafter.upload(pdf).await?;
    Ok((resident(id, "VmHWM")? - before).max(0.0))
}

/// A PDF of so many bytes that do not compress: one page with an attachment's stream of noise.
///
/// # Errors
/// The disk is full.
pub fn large_pdf(folder: &Path, bytes: usize) -> Result<PathBuf> {
    let path = folder.join(format!("large-{bytes}.pdf"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path)?);
    let mut text = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for object in [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /PieceInfo << /Noise 4 0 R >> >>",
    ] {
        offsets.push(text.len());
        write!(text, "{} 0 obj\n{object}\nendobj\n", offsets.len())?;
    }
    offsets.push(text.len());
    write!(text, "4 0 obj\n<< /Length {bytes} >>\nstream\n")?;
    out.write_all(&text)?;
    let mut left = bytes;
    let mut block = Sha256::digest(b"noise");
    while left > 0 {
        let piece = block.get(..left.min(block.len())).unwrap_or_default();
        out.write_all(piece)?;
        left -= piece.len();
        block = Sha256::digest(block);
    }
    let xref = text.len() + bytes + "\nendstream\nendobj\n".len();
    write!(out, "\nendstream\nendobj\nxref\n0 5\n0000000000 65535 f \n")?;
    for offset in offsets {
        out.write_all(format!("{offset:010} 00000 n \n").as_bytes())?;
    }
    write!(out, "trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n")?;
    out.flush()?;
    Ok(path)
}

fn id(rig: &mut Rig) -> Result<u32> {
    rig.running(Part::Serve).and_then(|serve| serve.id()).context("serve is running")
}

/// A line of `/proc/PID/status`, in megabytes.
fn resident(id: u32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let value = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes: f64 =
        value.and_then(|value| value.split_whitespace().next()).context("a size")?.parse()?;
    Ok(kilobytes / 1_024.0)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}
