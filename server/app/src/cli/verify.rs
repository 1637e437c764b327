//! `trinhky verify FILE.pdf`: one JSON object (or text) about every signature of a file, for people and for scripts.
//!
//! Exit 0: every signature is TOTAL-PASSED and nothing forbidden was changed. 1: at least one is not, or there is
//! none. 2: the file cannot be read as a PDF, or usage. Nothing is fetched: revocation comes from the file, from
//! `--crl` and `--ocsp`; `--offline` is accepted because that is the only way it works.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use trinhky_pades::crypto;
use trinhky_pades::verify::{Check, Report, Revocation, VerifyPolicy, verify};
use trinhky_pades::x509::{Certificate, TrustAnchors};

use super::file::FileSource;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The PDF to look at.
    file: PathBuf,
    /// Trust anchors (PEM); with this, only those given. Without it, those of `[trust]` in the settings.
    #[arg(long)]
    trust: Vec<PathBuf>,
    /// A CRL (DER or PEM).
    #[arg(long)]
    crl: Vec<PathBuf>,
    /// An OCSP response (DER).
    #[arg(long)]
    ocsp: Vec<PathBuf>,
    /// The time of verification (RFC 3339); now, if not given.
    #[arg(long, value_parser = instant)]
    at: Option<OffsetDateTime>,
    /// Ask nobody (always so).
    #[arg(long)]
    offline: bool,
    /// What is asked of revocation.
    #[arg(long, value_enum, default_value_t)]
    revocation: RevocationArg,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum RevocationArg {
    /// Every certificate must have an answer.
    Require,
    /// Known revocation fails; absent data pass with a remark.
    #[default]
    IfAvailable,
    /// Not asked.
    Off,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// One JSON object.
    #[default]
    Json,
    /// Lines for people.
    Text,
}

/// Unreadable files and usage, as clap ends for usage.
const UNREADABLE: u8 = 2;

#[expect(clippy::print_stdout, reason = "the report is this command's output")]
pub(super) fn run(settings: &Path, now: OffsetDateTime, args: &Args) -> ExitCode {
    match report(settings, now, args) {
        Ok(report) => {
            match args.format {
                Format::Json => match serde_json::to_string(&report) {
                    Ok(json) => println!("{json}"),
                    Err(error) => return unreadable(&error.into()),
                },
                Format::Text => print!("{}", text(&report)),
            }
            if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => unreadable(&error),
    }
}

#[expect(clippy::print_stderr, reason = "errors of the command line go there")]
fn unreadable(error: &anyhow::Error) -> ExitCode {
    eprintln!("{error:#}");
    ExitCode::from(UNREADABLE)
}

fn report(settings: &Path, now: OffsetDateTime, args: &Args) -> anyhow::Result<Report> {
    let (anchors, certificates) = trust(settings, &args.trust)?;
    let crls = args.crl.iter().map(|path| crl(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let responses = args.ocsp.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let source = FileSource::open(&args.file)?;
    let mut policy = VerifyPolicy::new(&anchors, args.at.unwrap_or(now), crypto::aws_lc());
    policy.certificates = &certificates;
    policy.crls = &crls;
    policy.ocsp_responses = &responses;
    policy.revocation = match args.revocation {
        RevocationArg::Require => Revocation::Require,
        RevocationArg::IfAvailable => Revocation::IfAvailable,
        RevocationArg::Off => Revocation::Off,
    };
    let mut report = verify(&source, &policy).with_context(|| args.file.display().to_string())?;
    report.file = args.file.display().to_string();
    Ok(report)
}

/// The anchors and further certificates: those given, else those of the settings.
pub(super) fn trust(settings: &Path, given: &[PathBuf]) -> anyhow::Result<(TrustAnchors, Vec<Certificate>)> {
    if !given.is_empty() {
        return Ok((TrustAnchors::new(certificates(given)?), Vec::new()));
    }
    let config = super::settings(settings).context("no --trust was given and the settings cannot be read")?;
    Ok((TrustAnchors::new(certificates(&config.trust.roots)?), certificates(&config.trust.intermediates)?))
}

/// The certificates of PEM files.
pub(super) fn certificates(paths: &[PathBuf]) -> anyhow::Result<Vec<Certificate>> {
    let mut found = Vec::new();
    for path in paths {
        let pem = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let read = trinhky_pades::x509::certificates_from_pem(&pem);
        found.extend(read.with_context(|| format!("{}: not a PEM file of certificates", path.display()))?);
    }
    Ok(found)
}

fn crl(path: &Path) -> anyhow::Result<Vec<u8>> {
    use base64::Engine as _;
    let bytes = read(path)?;
    let Some(body) = std::str::from_utf8(&bytes).ok().and_then(|text| {
        let inner = text.split("-----BEGIN X509 CRL-----").nth(1)?;
        inner.split("-----END X509 CRL-----").next()
    }) else {
        return Ok(bytes);
    };
    let packed: String = body.split_whitespace().collect();
    let decoded = base64::engine::general_purpose::STANDARD.decode(packed);
    decoded.with_context(|| format!("{}: not a PEM file of a CRL", path.display()))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// An RFC 3339 time.
pub(super) fn instant(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "give a time such as 2021-12-14T08:30:00+07:00".to_owned())
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}: {}", report.file, report.reason);
    for one in &report.signatures {
        let _ = writeln!(out, "\n{} ({:?}, bản lưu {})", one.field, one.indication, one.revision);
        let _ = writeln!(out, "  người ký        {} <{}>", one.signer.common_name, one.signer.email);
        let stamped = one.timestamp_time.and_then(|time| time.format(&Rfc3339).ok());
        let _ = writeln!(out, "  thời gian       {}", stamped.as_deref().unwrap_or("không có dấu thời gian"));
        let checks = &one.checks;
        for (name, check) in [
            ("chữ ký", &checks.signature),
            ("nội dung", &checks.integrity),
            ("chứng thư", &checks.certificate),
            ("dấu thời gian", &checks.timestamp),
        ] {
            let _ = writeln!(out, "  {name:<15} {}", answer(check));
        }
        for change in &one.later_changes {
            let mark = if change.allowed { "được phép" } else { "KHÔNG được phép" };
            let _ = writeln!(out, "  sau khi ký      [{mark}] {}", change.what);
        }
    }
    out
}

fn answer(check: &Check) -> String {
    let mark = if check.ok { "đạt" } else { "không đạt" };
    check.reason.as_ref().map_or_else(|| mark.to_owned(), |reason| format!("{mark} ({reason})"))
}
