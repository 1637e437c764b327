//! One operation of `trinhky-pades` on one file, timed inside the process; whatever leads up to it is not counted.
//!
//! Times are processor time, here as for the floor and the peers: what others do on the machine is not part of the work.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use trinhky_pades::pdf::Limits;
use trinhky_pades::verify::{Report, VerifyPolicy, verify};
use trinhky_pades::{Concat, ProvisionPlan, Source, crypto, ingest, provision};

use crate::documents::{Base, Key, Positional, Signer, now_utc};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Operation {
    /// Parse, check and hash once.
    Ingest,
    /// Write the base with its declared fields.
    Provision,
    /// Append the signature revision and digest it, on an ingested base.
    Prepare,
    /// Check the CMS and embed it.
    Complete,
    /// Verify one signature.
    Verify,
    /// Verify a signature and the seal behind it with number and date, differences included.
    VerifyTwo,
    /// Verify five signatures and the differences between them.
    VerifyFive,
    /// All of it: taken in, provisioned, signed, sealed with number and date, verified.
    SignTwo,
}

impl Operation {
    /// All, in the order of a document's life.
    pub(crate) const ALL: [Self; 8] = [
        Self::Ingest,
        Self::Provision,
        Self::Prepare,
        Self::Complete,
        Self::Verify,
        Self::VerifyTwo,
        Self::VerifyFive,
        Self::SignTwo,
    ];

    /// As it is called in rows and on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Provision => "provision",
            Self::Prepare => "prepare",
            Self::Complete => "complete",
            Self::Verify => "verify",
            Self::VerifyTwo => "verify-two",
            Self::VerifyFive => "verify-five",
            Self::SignTwo => "sign-two",
        }
    }

    /// Signatures in the file it verifies.
    pub(crate) fn signatures(self) -> u16 {
        match self {
            Self::VerifyFive => 5,
            Self::VerifyTwo | Self::SignTwo => 2,
            _ => 1,
        }
    }
}

/// What a measuring process prints.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Milliseconds of processor time, in the order measured.
    pub ms: Vec<f64>,
    /// Peak resident memory, in kB.
    pub peak_kb: u64,
}

/// Measures `operation` on `file`.
///
/// # Errors
/// The file or the key cannot be used, or a signature does not verify.
pub(crate) fn run(operation: Operation, file: &Path, key: &Key, runs: u32) -> Result<Measured> {
    let signer = Signer::load(key)?;
    let source = Positional::open(file)?;
    let mut ms = Vec::new();
    match operation {
        Operation::Ingest => {
            for _ in 0..runs {
                ms.push(timed(|| ingest(&source, &Limits::default()))?.1);
            }
        }
        Operation::SignTwo => {
            for _ in 0..runs {
                ms.push(timed(|| sign_two(&source, &signer))?.1);
            }
        }
        Operation::Provision => {
            let taken = ingest(&source, &Limits::default())?;
            for _ in 0..runs {
                let mut out = tempfile::NamedTempFile::new()?;
                ms.push(timed(|| provision(&source, &taken, &ProvisionPlan::standard(1), &mut out))?.1);
            }
        }
        Operation::Prepare => {
            let base = provisioned(&source, 1)?;
            for round in 0..runs {
                ms.push(timed(|| base.prepare(&signer, round))?.1);
            }
        }
        Operation::Complete => {
            let base = provisioned(&source, 1)?;
            for round in 0..runs {
                let prepared = base.prepare(&signer, round)?;
                let assembled = signer.assembled(&prepared)?;
                ms.push(timed(|| signer.embed(prepared, &assembled))?.1);
            }
        }
        Operation::Verify | Operation::VerifyTwo | Operation::VerifyFive => {
            let signatures = operation.signatures();
            let base = provisioned(&source, if signatures == 2 { 1 } else { signatures })?;
            let tails = base.signed(&signer, signatures)?;
            let whole = Concat::new(&base.source, &tails);
            for _ in 0..runs {
                ms.push(timed(|| verified(&whole, &signer, signatures))?.1);
            }
        }
    }
    Ok(Measured { ms, peak_kb: peak_kb()? })
}

fn provisioned(source: &Positional, signers: u16) -> Result<Base> {
    Base::provision(source, &ingest(source, &Limits::default())?, signers)
}

fn sign_two(source: &Positional, signer: &Signer) -> Result<Report> {
    let base = provisioned(source, 1)?;
    let tails = base.signed(signer, 2)?;
    verified(&Concat::new(&base.source, &tails), signer, 2)
}

/// What is measured must also be right.
fn verified(whole: &dyn Source, signer: &Signer, signatures: u16) -> Result<Report> {
    let report = verify(whole, &VerifyPolicy::new(&signer.anchors, now_utc(), crypto::aws_lc()))?;
    ensure!(report.signatures.len() == usize::from(signatures), "{} signatures", report.signatures.len());
    for one in &report.signatures {
        ensure!(one.checks.integrity.ok && one.checks.signature.ok, "{}: {:?}", one.field, one.checks);
    }
    Ok(report)
}

/// The result and the milliseconds of processor time it took. Reading that takes microseconds, which a quiet machine's
/// clock need not count: the lesser of both is told.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
#[inline(never)]
pub(crate) fn timed<T, E: Into<anyhow::Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, f64)> {
    let before = processor_ms("self")?;
    let began = Instant::now();
    let done = counted(work).map_err(Into::into)?;
    let elapsed = began.elapsed().as_secs_f64() * 1000.0;
    Ok((done, elapsed.min(processor_ms("self")? - before)))
}

/// Runs a program to its end; whether it succeeded, its output, and the milliseconds of processor time it took, start
/// included.
///
/// # Errors
/// It cannot be started.
pub(crate) fn run_timed(command: &mut Command) -> Result<(ExitStatus, String, f64)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut said = Vec::new();
    child.stdout.take().context("its output")?.read_to_end(&mut said)?;
    // Once it has ended, its account is complete, and can be read until it is waited for.
    let process = child.id().to_string();
    while !std::fs::read_to_string(format!("/proc/{process}/stat"))?.contains(") Z ") {
        std::thread::yield_now();
    }
    let took = processor_ms(&process)?;
    Ok((child.wait()?, String::from_utf8_lossy(&said).into_owned(), took))
}

/// Milliseconds that the first thread of a process has run; none of those measured has another that works.
fn processor_ms(process: &str) -> Result<f64> {
    // The account of whoever runs is brought up to date when it gives way.
    std::thread::yield_now();
    let path = format!("/proc/{process}/schedstat");
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let nanoseconds: u64 = text.split(' ').next().context(path)?.parse()?;
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64() * 1000.0)
}

/// A frame with a name: callgrind collects what runs below it.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    std::hint::black_box(work())
}

/// Peak resident memory of this process, in kB.
///
/// # Errors
/// `/proc` is not there.
pub(crate) fn peak_kb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    line.trim().trim_end_matches(" kB").trim().parse().context("a number")
}
