//! Makes the signed files that the foreign judges judge (`tests/judges/matrix.py` drives it and asks them).
//!
//! `page` writes our own demo document, from which the driver builds the inputs; `pki` makes keys, certificates and
//! revocation data; `make` signs every input in the selected cases and prints one JSON line a file. Nothing here judges.

mod axes;
mod making;
mod pictures;
mod pki;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand};
use serde_json::json;
use time::{OffsetDateTime, UtcOffset};
use trinhky_pades::{
    crypto,
    verify::{self, VerifyPolicy},
    x509::{TrustAnchors, certificates_from_pem},
};

use axes::Case;
use making::Desk;
use pictures::Pictures;
use pki::Pki;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write the demo document.
    Page {
        /// Where to.
        out: PathBuf,
    },
    /// Make a test PKI.
    Pki {
        /// Its folder.
        folder: PathBuf,
    },
    /// Sign every input of the selected cases.
    Make {
        /// The folder made by `pki`.
        #[arg(long)]
        pki: PathBuf,
        /// The folder with one PDF for each kind of input.
        #[arg(long)]
        inputs: PathBuf,
        /// Where the signed files go.
        #[arg(long)]
        out: PathBuf,
        /// Every case instead of the pairwise selection.
        #[arg(long)]
        all: bool,
        /// Only cases whose name contains this.
        #[arg(long)]
        only: Option<String>,
    },
    /// What our own verifier says about files, one JSON line each.
    Verify {
        /// Trust anchors, PEM.
        #[arg(long)]
        trust: PathBuf,
        /// The files.
        files: Vec<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Page { out } => Ok(fs::write(out, trinhky_world::demo_document("Nguyễn Văn Ân")?)?),
        What::Pki { folder } => Pki::make(&folder, now()?).map(|_| ()),
        What::Make { pki, inputs, out, all, only } => {
            let mut cases = if all { axes::whole() } else { axes::pairwise() };
            cases.extend(axes::conforming());
            cases.retain(|case| only.as_ref().is_none_or(|part| case.name().contains(part)));
            fs::create_dir_all(&out)?;
            make(&Pki::open(&pki), &cases, &inputs, &out)
        }
        What::Verify { trust, files } => verify(&trust, &files),
    }
}

/// Makes the files of all cases, on as many threads as there are cores.
fn make(pki: &Pki, cases: &[Case], inputs: &Path, out: &Path) -> Result<()> {
    let pictures = Pictures::draw()?;
    let now = now()?;
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let desk = Desk { pki, pictures: &pictures, now, worker };
                let next = &next;
                scope.spawn(move || -> Result<()> {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                        one(&desk, case, inputs, out).with_context(|| case.name())?;
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow!("a thread panicked"))??;
        }
        Ok(())
    })
}

fn one(desk: &Desk<'_>, case: Case, inputs: &Path, out: &Path) -> Result<()> {
    let input = inputs.join(format!("{}.pdf", case.input.name()));
    let made = desk.make(case, &fs::read(&input).with_context(|| input.display().to_string())?)?;
    let file = out.join(format!("{}.pdf", case.name()));
    fs::write(&file, &made.bytes)?;
    let line = json!({
        "name": case.name(),
        "file": file,
        "input": case.input,
        "level": case.level,
        "algorithm": case.algorithm,
        "signatures": case.signatures,
        "fields": made.fields,
        "filled": made.filled,
    });
    println!("{line}");
    Ok(())
}

fn verify(trust: &Path, files: &[PathBuf]) -> Result<()> {
    let anchors = TrustAnchors::new(certificates_from_pem(&fs::read_to_string(trust)?)?);
    for file in files {
        let policy = VerifyPolicy::new(&anchors, now()?, crypto::aws_lc());
        let line = match verify::verify(&fs::read(file)?, &policy) {
            Ok(report) => json!({ "file": file, "report": report }),
            Err(unreadable) => json!({ "file": file, "unreadable": unreadable.to_string() }),
        };
        println!("{line}");
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the foreign judges look at the real clock")]
fn now() -> Result<OffsetDateTime> {
    Ok(OffsetDateTime::now_utc().to_offset(UtcOffset::from_hms(7, 0, 0)?))
}
