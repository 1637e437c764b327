//! `trinhky pdf complete`: the signature goes into its gap, after it was verified; on failure nothing is written.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;
use trinhky_pades::cms::{CheckedCms, ID_DATA, SignatureValue, assemble, check, parse, signed_attributes};
use trinhky_pades::crypto;
use trinhky_pades::pdf::Limits;
use trinhky_pades::tsp::TimestampRequest;
use trinhky_pades::verify::{Pending, VerifyPolicy, pending, verify};
use trinhky_pades::x509::{Certificate, TrustAnchors};

use super::super::file::{FileSource, Patched};
use super::super::verify::certificates;
use super::{Outcome, patch, refused};
use crate::ambient::{Clock, Random as _};
use crate::gateways::tsa::Tsa;

#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    /// The file that `prepare` wrote.
    prepared: PathBuf,
    /// Where the signed file goes.
    #[arg(long)]
    out: PathBuf,
    /// The raw signature value over the signed attributes.
    #[arg(long, requires = "cert", conflicts_with = "cms")]
    signature: Option<PathBuf>,
    /// The signer's certificate (PEM).
    #[arg(long)]
    cert: Option<PathBuf>,
    /// The signed attributes (DER) that were signed; they must be those of this file.
    #[arg(long)]
    signed_attributes: Option<PathBuf>,
    /// A ready detached CMS (DER) instead of a raw value.
    #[arg(long, required_unless_present = "signature")]
    cms: Option<PathBuf>,
    /// Certificates above the signer's (PEM).
    #[arg(long)]
    chain: Vec<PathBuf>,
    /// Where to get a time stamp (RFC 3161), which is put in before the signature is embedded.
    #[arg(long)]
    tsa: Option<String>,
    /// Trust anchors (PEM): then the signed file must verify against them.
    #[arg(long)]
    trust: Vec<PathBuf>,
}

pub(super) fn run(clock: &dyn Clock, args: &Args) -> anyhow::Result<Outcome> {
    let named = || args.prepared.display().to_string();
    let source = FileSource::open(&args.prepared)?;
    let waiting = pending(&source, &Limits::default()).with_context(named)?;
    let waiting = waiting.with_context(|| format!("{}: no signature waits in it", named()))?;
    let checked = match cms(args, &waiting)? {
        Ok(checked) => checked,
        Err(outcome) => return Ok(outcome),
    };
    let checked = match &args.tsa {
        Some(url) => match stamped(&checked, url)? {
            Ok(stamped) => stamped,
            Err(outcome) => return Ok(outcome),
        },
        None => checked,
    };
    // The rest of the gap stays zero.
    let digits = hex::encode(checked.as_der());
    let (first, room) = (waiting.contents.start + 1, waiting.contents.end - waiting.contents.start - 2);
    if digits.len() as u64 > room {
        let why = format!(
            "the signature has {} bytes, but only {} were kept free; prepare again with more --reserve",
            digits.len() / 2,
            room / 2
        );
        return Ok(refused("signature_too_large", &why));
    }
    let signed = Patched { base: &source, at: first, bytes: digits.as_bytes() };
    let anchors = TrustAnchors::new(certificates(&args.trust)?);
    let chain = certificates(&args.chain)?;
    let mut policy = VerifyPolicy::new(&anchors, clock.now(), crypto::aws_lc());
    policy.certificates = &chain;
    let report = verify(&signed, &policy)?;
    let own = report.signatures.iter().find(|one| one.field == waiting.field);
    let own = own.context("the signature is not found again")?;
    let sound = own.checks.signature.ok && own.checks.integrity.ok;
    if !sound || (!args.trust.is_empty() && !report.passed()) {
        return Ok(refused("signature_not_valid", &report.reason));
    }
    patch(&args.prepared, &args.out, first, digits.as_bytes())?;
    Ok(Outcome::Done(json!({ "sha256": report.sha256, "verdict": report.verdict, "signature": own })))
}

/// The checked CMS, or why it is refused.
fn cms(args: &Args, waiting: &Pending) -> anyhow::Result<Result<CheckedCms, Outcome>> {
    let provider = crypto::aws_lc();
    let read = |path: &PathBuf| std::fs::read(path).with_context(|| path.display().to_string());
    if let Some(path) = &args.cms {
        let der = read(path)?;
        let certificate = match &args.cert {
            Some(path) => certificates(std::slice::from_ref(path))?.into_iter().next(),
            None => parse(&der).ok().and_then(|message| {
                let signer = message.signers.first()?;
                message.certificate_of(signer).cloned()
            }),
        };
        let certificate =
            certificate.context("the CMS does not hold its signer's certificate; give --cert")?;
        let checked = check(&der, &waiting.digest, certificate.as_der(), provider);
        return Ok(checked.map_err(|refusal| refused("cms_refused", &refusal)));
    }
    let (Some(signature), Some(cert)) = (&args.signature, &args.cert) else {
        anyhow::bail!("give --signature with --cert, or --cms");
    };
    let certificate = certificates(std::slice::from_ref(cert))?.into_iter().next();
    let certificate = certificate.with_context(|| format!("{}: holds no certificate", cert.display()))?;
    let attributes = signed_attributes(&waiting.digest, certificate.as_der(), ID_DATA)?;
    if let Some(path) = &args.signed_attributes
        && read(path)? != attributes.as_der()
    {
        let why = "the signed attributes are not those of this file and certificate; prepare again";
        return Ok(Err(refused("signed_attributes_differ", &why)));
    }
    let chain = certificates(&args.chain)?;
    let chain: Vec<&[u8]> = chain.iter().map(Certificate::as_der).collect();
    let value = match SignatureValue::from_raw(&read(signature)?, certificate.as_der()) {
        Ok(value) => value,
        Err(refusal) => return Ok(Err(refused("signature_value", &refusal))),
    };
    let der = assemble(&attributes, &value, certificate.as_der(), &chain)?;
    let checked = check(&der, &waiting.digest, certificate.as_der(), provider);
    Ok(checked.map_err(|refusal| refused("cms_refused", &refusal)))
}

/// The same with a time stamp of the authority at `url`, or why there is none.
fn stamped(checked: &CheckedCms, url: &str) -> anyhow::Result<Result<CheckedCms, Outcome>> {
    let mut nonce = [0; 16];
    crate::ambient::SystemRandom.fill(&mut nonce);
    let request = TimestampRequest::over(checked.signature_value(), nonce)?;
    let authority = Tsa::at(url)?;
    let body = request.as_der().to_vec();
    let answer = match super::super::block_on(async { Ok(authority.ask(body).await) })? {
        Ok(answer) => answer,
        Err(error) => {
            let why = format!("{error}; try again later, or without --tsa and upgrade the file afterwards");
            return Ok(Err(refused("timestamp_unavailable", &why)));
        }
    };
    match request.accept(&answer, crypto::aws_lc()) {
        Ok(token) => Ok(Ok(checked.add_timestamp(&token)?)),
        Err(refusal) => Ok(Err(refused(refusal.code(), &refusal))),
    }
}
