//! One operation of `trinhky-pades` on one file, timed inside the process; whatever leads up to it is not counted.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use trinhky_pades::cms::{self, ID_DATA, SignatureValue};
use trinhky_pades::pdf::Limits;
use trinhky_pades::verify::{VerifyPolicy, verify};
use trinhky_pades::x509::{TrustAnchors, certificates_from_pem};
use trinhky_pades::{
    BaseIndex, Concat, Ingested, Midstate, Prepared, ProvisionPlan, SignRequest, SignedTail, Source,
    SourceError, crypto, ingest, prepare, provision,
};

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
    /// Verify one signature, differences included.
    Verify,
}

/// What a measuring process prints.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Milliseconds, in the order measured.
    pub ms: Vec<f64>,
    /// Peak resident memory, in kB.
    pub peak_kb: u64,
}

/// Measures `operation` on `file`.
///
/// # Errors
/// The file or the key cannot be used.
pub(crate) fn run(operation: Operation, file: &Path, cert: &Path, key: &Path, runs: u32) -> Result<Measured> {
    let leader = Signer::load(cert, key)?;
    let source = Positional::open(file)?;
    let limits = Limits::default();
    let mut ms = Vec::new();
    if operation == Operation::Ingest {
        for _ in 0..runs {
            ms.push(timed(|| ingest(&source, &limits))?.1);
        }
        return Ok(Measured { ms, peak_kb: peak_kb()? });
    }
    let taken = ingest(&source, &limits)?;
    if operation == Operation::Provision {
        for _ in 0..runs {
            let mut out = tempfile::NamedTempFile::new()?;
            ms.push(timed(|| provision(&source, &taken, &ProvisionPlan::standard(1), &mut out))?.1);
        }
        return Ok(Measured { ms, peak_kb: peak_kb()? });
    }
    let base = Base::provision(&source, &taken)?;
    for round in 0..runs {
        let (prepared, took) = timed(|| base.prepare(&leader, round))?;
        if operation == Operation::Prepare {
            ms.push(took);
            continue;
        }
        let (signed, took) = leader.complete(prepared)?;
        if operation == Operation::Complete {
            ms.push(took);
            continue;
        }
        let whole = Concat::new(&base.source, &signed.tail);
        let (report, took) =
            timed(|| verify(&whole, &VerifyPolicy::new(&leader.anchors, now_utc(), crypto::aws_lc())))?;
        anyhow::ensure!(report.signatures.len() == 1, "{} signatures", report.signatures.len());
        ms.push(took);
    }
    Ok(Measured { ms, peak_kb: peak_kb()? })
}

struct Base {
    source: Positional,
    index: BaseIndex,
    midstate: Midstate,
    _file: tempfile::NamedTempFile,
}

impl Base {
    fn provision(source: &Positional, taken: &Ingested) -> Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        let made = provision(source, taken, &ProvisionPlan::standard(1), &mut file)?;
        file.flush()?;
        Ok(Self {
            source: Positional::open(file.path())?,
            index: made.index,
            midstate: made.midstate,
            _file: file,
        })
    }

    fn prepare(&self, signer: &Signer, round: u32) -> Result<Prepared> {
        let mut seed = [0; 16];
        seed[..4].copy_from_slice(&round.to_be_bytes());
        let request = SignRequest::new("Signer1", &signer.certificate, now_utc(), seed);
        Ok(prepare(&self.source, &self.index, &self.midstate, &request)?)
    }
}

struct Signer {
    key: RsaKeyPair,
    certificate: Vec<u8>,
    anchors: TrustAnchors,
}

impl Signer {
    fn load(cert: &Path, key: &Path) -> Result<Self> {
        let pem = std::fs::read_to_string(cert)?;
        let certificate = certificates_from_pem(&pem)?.first().context("a certificate")?.as_der().to_vec();
        let der = std::process::Command::new("openssl")
            .args(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in"])
            .arg(key)
            .output()?;
        let key = RsaKeyPair::from_pkcs8(&der.stdout).map_err(|error| anyhow!("the key: {error}"))?;
        Ok(Self { key, certificate, anchors: TrustAnchors::from_pem(&pem)? })
    }

    fn complete(&self, prepared: Prepared) -> Result<(SignedTail, f64)> {
        let attributes = cms::signed_attributes(&prepared.digest, &self.certificate, ID_DATA)?;
        let mut raw = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), attributes.as_der(), &mut raw)
            .map_err(|error| anyhow!("signing: {error}"))?;
        let value = SignatureValue::from_raw(&raw, &self.certificate)?;
        let assembled = cms::assemble(&attributes, &value, &self.certificate, &[])?;
        timed(|| -> Result<SignedTail> {
            let checked = cms::check(&assembled, &prepared.digest, &self.certificate, crypto::aws_lc())?;
            Ok(prepared.complete(&checked)?)
        })
    }
}

/// A file read by position.
struct Positional {
    file: File,
    len: u64,
}

impl Positional {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }
}

impl Source for Positional {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        self.file.read_exact_at(buf, at).map_err(|error| SourceError::Medium(error.to_string()))
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn timed<T, E: Into<anyhow::Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, f64)> {
    let began = Instant::now();
    let done = work().map_err(Into::into)?;
    Ok((done, began.elapsed().as_secs_f64() * 1000.0))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark runs at real time")]
fn now_utc() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn peak_kb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    line.trim().trim_end_matches(" kB").trim().parse().context("a number")
}
