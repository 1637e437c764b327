//! `trinhky audit verify BUNDLE`: whether the evidence of a document (`GET /v1/documents/{id}/evidence`) proves what it
//! says, without a server, a database or a network.
//!
//! ```text
//! checkpoint ◄─ signed by the journal's key        each journal line ◄─ proof up to the checkpoint's root
//! decision ◄─ signed by the device key ◄─ enrolment statement ◄─ signed by the leader's SIM ◄─ certificate (--trust)
//! decision ─► these files, recipients, this document;  journal ─► this decision;  PDF ─► signed by this certificate
//! ```
//!
//! Exit 0: every check passes. 1: at least one does not. 2: no evidence can be read, or usage. Whether the PDF's own
//! signatures stand is asked of `trinhky verify`.

mod bundle;
mod checks;

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use trinhky_pades::x509::TrustAnchors;

use bundle::Bundle;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check an evidence bundle.
    Verify(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The ZIP.
    bundle: PathBuf,
    /// The journal's key (`SubjectPublicKeyInfo`, DER), as the operator published it. Without it the bundle's own is taken
    /// and only named.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Trust anchors (PEM) of the SIM's certificates; without one their chains are not looked at.
    #[arg(long)]
    trust: Vec<PathBuf>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    ok: bool,
    /// Why not.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    bundle: String,
    verdict: &'static str,
    document: String,
    /// SHA-256 of the key that vouches for the journal.
    key_sha256: String,
    checks: Vec<Finding>,
}

pub(super) fn run(command: &Command) -> ExitCode {
    let Command::Verify(args) = command;
    match report(args) {
        Ok(report) => print(&report),
        Err(error) => unreadable(&error),
    }
}

fn report(args: &Args) -> anyhow::Result<Report> {
    let bundle = Bundle::read(&args.bundle)?;
    let published = args.key.as_deref().map(std::fs::read).transpose()?;
    let anchors = match args.trust.as_slice() {
        [] => None,
        paths => Some(TrustAnchors::new(super::verify::certificates(paths)?)),
    };
    let checks = checks::all(&bundle, published.as_deref(), anchors.as_ref());
    let well = checks.iter().all(|finding| finding.ok);
    Ok(Report {
        bundle: args.bundle.display().to_string(),
        verdict: if well { "VALID" } else { "INVALID" },
        document: bundle.document.id.to_string(),
        key_sha256: trinhky_domain::Digest::of(&bundle.key).to_string(),
        checks,
    })
}

#[expect(clippy::print_stdout, reason = "the report is this command's output")]
fn print(report: &Report) -> ExitCode {
    match serde_json::to_string(report) {
        Ok(json) => println!("{json}"),
        Err(error) => return unreadable(&error.into()),
    }
    if report.checks.iter().all(|finding| finding.ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stderr, reason = "errors of the command line go there")]
fn unreadable(error: &anyhow::Error) -> ExitCode {
    eprintln!("{error:#}");
    ExitCode::from(2)
}
