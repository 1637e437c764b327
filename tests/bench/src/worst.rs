//! The file of a corpus that costs most: no file may take 10 s or 512 MB, whatever is in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use trinhky_pades::pdf::Limits;
use trinhky_pades::verify::{VerifyPolicy, verify};
use trinhky_pades::x509::TrustAnchors;
use trinhky_pades::{ProvisionPlan, crypto, ingest, provision};

use crate::documents::{Positional, now_utc};
use crate::measure::{Measured, peak_kb};

/// Where to look.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder; every `.pdf` below it.
    folder: PathBuf,
}

const LONGEST_MS: f64 = 10_000.0;
const MOST_KB: u64 = 512 << 10;

/// Looks at every file and prints the worst by time and by memory.
///
/// # Errors
/// One exceeds its bounds or makes the process fail.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut files = Vec::new();
    walk(&arguments.folder, &mut files)?;
    let (mut slowest, mut largest) = ((0.0, PathBuf::new()), (0, PathBuf::new()));
    let mut broken = Vec::new();
    for file in &files {
        let output = Command::new(std::env::current_exe()?).arg("look").arg(file).output()?;
        let Ok(Measured { ms, peak_kb }) = serde_json::from_slice(&output.stdout) else {
            broken.push(format!("{}: {}", file.display(), output.status));
            continue;
        };
        let took: f64 = ms.iter().sum();
        if took > LONGEST_MS || peak_kb > MOST_KB {
            broken.push(format!("{}: {took:.0} ms, {peak_kb} kB", file.display()));
        }
        if took > slowest.0 {
            slowest = (took, file.clone());
        }
        if peak_kb > largest.0 {
            largest = (peak_kb, file.clone());
        }
    }
    eprintln!("{} files", files.len());
    eprintln!("slowest  {:>10.1} ms  {}", slowest.0, slowest.1.display());
    eprintln!("largest  {:>10} kB  {}", largest.0, largest.1.display());
    if files.is_empty() || !broken.is_empty() {
        bail!("beyond {LONGEST_MS} ms or {MOST_KB} kB, or no answer:\n  {}", broken.join("\n  "));
    }
    Ok(())
}

/// Takes a file in, provisions it if it may be, and verifies it: three times in milliseconds. Refusals are answers.
///
/// # Errors
/// The file cannot be opened.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
pub(crate) fn look(file: &Path) -> Result<Measured> {
    let source = Positional::open(file)?;
    let mut ms = Vec::new();
    let began = Instant::now();
    let taken = ingest(&source, &Limits::default());
    ms.push(began.elapsed().as_secs_f64() * 1000.0);
    if let Ok(taken) = taken {
        let began = Instant::now();
        let _ = provision(&source, &taken, &ProvisionPlan::standard(1), &mut std::io::sink());
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let (anchors, began) = (TrustAnchors::default(), Instant::now());
    let _ = verify(&source, &VerifyPolicy::new(&anchors, now_utc(), crypto::aws_lc()));
    ms.push(began.elapsed().as_secs_f64() * 1000.0);
    Ok(Measured { ms, peak_kb: peak_kb()? })
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdf")) {
            files.push(path);
        }
    }
    Ok(())
}
