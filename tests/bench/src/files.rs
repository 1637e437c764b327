//! The driver: every operation on every file, with the floor and the peer measured in the same run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::measure::{Measured, Operation};
use crate::row::{Row, median};

/// Files are `SIZE-STYLE.pdf`, e.g. `5MB-stream.pdf`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of input files.
    folder: PathBuf,
    /// Signer's certificate, PEM.
    #[arg(long)]
    cert: PathBuf,
    /// Signer's key, PEM.
    #[arg(long)]
    key: PathBuf,
    /// Python with pyHanko; without it there are no peer figures.
    #[arg(long)]
    python: Option<PathBuf>,
    /// The peer's script.
    #[arg(long, default_value = "tests/bench/peer.py")]
    peer: PathBuf,
    /// How often each thing is measured.
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// Where the rows go.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Default, Deserialize)]
struct Peer {
    prepare: Vec<f64>,
    complete: Vec<f64>,
    verify: Vec<f64>,
}

const OPERATIONS: [(Operation, &str); 5] = [
    (Operation::Ingest, "ingest"),
    (Operation::Provision, "provision"),
    (Operation::Prepare, "prepare"),
    (Operation::Complete, "complete"),
    (Operation::Verify, "verify"),
];

/// Measures everything and writes the rows.
///
/// # Errors
/// An operation fails on a file: a missing row is a failure.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(&arguments.folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pdf"));
    files.sort_by_key(|path| std::fs::metadata(path).map_or(0, |data| data.len()));
    if files.is_empty() {
        bail!("{} holds no PDF", arguments.folder.display());
    }
    let mut rows = Vec::new();
    for file in &files {
        let name = file.file_stem().context("a name")?.to_string_lossy().replace('-', "/");
        let floor = floor(file, arguments.runs)?;
        let peer = peer(arguments, file)?;
        for (operation, word) in OPERATIONS {
            let measured = measure(arguments, operation, file)?;
            let peers = match operation {
                Operation::Prepare => peer.prepare.as_slice(),
                Operation::Complete => peer.complete.as_slice(),
                Operation::Verify => peer.verify.as_slice(),
                Operation::Ingest | Operation::Provision => &[],
            };
            let peer = (!peers.is_empty()).then(|| median(peers));
            let row =
                Row::of(format!("{word}/{name}"), &measured.ms, Some(floor), peer, Some(measured.peak_kb));
            eprintln!("{}", line(&row));
            rows.push(row);
        }
    }
    std::fs::write(&arguments.out, serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(())
}

fn line(row: &Row) -> String {
    let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
    format!(
        "{:<24} {:>10.3} ms   floor ×{:<7} pyHanko ×{:<7} {:>8} kB",
        row.name,
        row.value,
        ratio(row.ratio_to_floor),
        ratio(row.ratio_to_peer),
        row.peak_kb.unwrap_or_default()
    )
}

fn measure(arguments: &Arguments, operation: Operation, file: &Path) -> Result<Measured> {
    let word = OPERATIONS.iter().find(|(known, _)| *known == operation).map_or("", |(_, word)| word);
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["measure", word])
        .arg(file)
        .arg("--cert")
        .arg(&arguments.cert)
        .arg("--key")
        .arg(&arguments.key);
    command.args(["--runs", &arguments.runs.to_string()]);
    let output = command.output()?;
    if !output.status.success() {
        bail!("{word} of {}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// One SHA-256 pass by `openssl dgst`, process start included, as anybody would run it.
fn floor(file: &Path, runs: u32) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..runs {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
        let began = Instant::now();
        let status = Command::new("openssl").args(["dgst", "-sha256", "-r"]).arg(file).output()?.status;
        if !status.success() {
            bail!("openssl dgst of {}: {status}", file.display());
        }
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(&times))
}

fn peer(arguments: &Arguments, file: &Path) -> Result<Peer> {
    let Some(python) = &arguments.python else { return Ok(Peer::default()) };
    let mut command = Command::new(python);
    command.arg(&arguments.peer).arg(file).arg(&arguments.key).arg(&arguments.cert);
    command.arg(arguments.runs.min(3).to_string());
    let output = command.output()?;
    if !output.status.success() {
        bail!("the peer on {}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
