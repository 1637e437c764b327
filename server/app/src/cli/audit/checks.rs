//! What is looked at in a bundle, each by itself, so that one that fails hides none of the others.

use std::fs::File;

use anyhow::{Context, bail, ensure};
use time::OffsetDateTime;
use trinhky_domain::Digest;
use trinhky_domain::audit::{Checkpoint, Entry, Event, Inclusion};
use trinhky_pades::cms::{self, ID_ENROLMENT};
use trinhky_pades::crypto;
use trinhky_pades::verify::{Report, VerifyPolicy, verify};
use trinhky_pades::x509::path::{PathInputs, RevocationMode, validate};
use trinhky_pades::x509::{Certificate, RevocationData, TrustAnchors};
use trinhky_protos::device::EnrolmentStatement;
use trinhky_protos::signing::{DECISION_TYP, DecisionClaims, bundle_digest_input};

use super::Finding;
use super::bundle::{Bundle, Decision, Proof};
use crate::cli::file::FileSource;
use crate::{checkpoints, jws, wire};

/// Every check, in the order of the chain of reasons.
pub(super) fn all(bundle: &Bundle, published: Option<&[u8]>, anchors: Option<&TrustAnchors>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |check: String, found: anyhow::Result<()>| {
        let reason = found.err().map(|error| format!("{error:#}"));
        findings.push(Finding { check, ok: reason.is_none(), reason });
    };
    note("document".to_owned(), is_the_document(bundle));
    let checkpoint = vouched_for(bundle, published);
    let root = checkpoint.as_ref().ok().cloned();
    note("journal/checkpoint".to_owned(), checkpoint.map(drop));
    for (line, bytes) in bundle.journal.iter().enumerate() {
        let proof = bundle.proofs.iter().find(|proof| proof.line == line);
        note(format!("journal/{line:04}"), is_in_the_journal(bundle, bytes, proof, root.as_ref()));
    }
    let signed = signatures(&bundle.pdf);
    for (field, decision) in &bundle.decisions {
        let claims = decided(decision, anchors);
        match claims {
            Err(error) => note(format!("decisions/{field}"), Err(error)),
            Ok(claims) => {
                note(format!("decisions/{field}"), is_about_this(bundle, &claims));
                note(format!("decisions/{field}/journal"), is_journalled(bundle, decision, &claims));
                note(format!("decisions/{field}/checkpoint"), saw(bundle, &claims, root.as_ref()));
                note(format!("decisions/{field}/signature"), is_signed(signed.as_ref(), field, &claims));
            }
        }
    }
    let signers = bundle.document.signers.len();
    let every = (bundle.decisions.len() == signers).then_some(());
    note("decisions".to_owned(), every.with_context(|| format!("not one for each of {signers} signers")));
    findings
}

fn is_the_document(bundle: &Bundle) -> anyhow::Result<()> {
    let source = FileSource::of(bundle.pdf.try_clone()?)?;
    let found: trinhky_pades::Digest = trinhky_pades::hash_source(&source)?.0;
    ensure!(
        found.0 == bundle.document.head.sha256.0,
        "released.pdf is not the file that document.json names"
    );
    Ok(())
}

fn vouched_for(bundle: &Bundle, published: Option<&[u8]>) -> anyhow::Result<Checkpoint> {
    if let Some(published) = published {
        ensure!(published == bundle.key, "journal/key.der is not the key that was published");
    }
    checkpoints::verify(&bundle.checkpoint, &bundle.key)
        .context("the checkpoint is not signed by journal/key.der")
}

fn is_in_the_journal(
    bundle: &Bundle,
    bytes: &[u8],
    proof: Option<&Proof>,
    checkpoint: Option<&Checkpoint>,
) -> anyhow::Result<()> {
    let checkpoint = checkpoint.context("there is no checkpoint to lead to")?;
    let proof = proof.context("no proof of its place in the journal")?;
    ensure!(proof.size == checkpoint.size, "the proof leads to another checkpoint");
    let inclusion = Inclusion { index: proof.index, size: proof.size, path: proof.path.clone() };
    ensure!(inclusion.proves(bytes, checkpoint.root), "the proof does not lead to the checkpoint's root");
    let entry = Entry::from_bytes(bytes).context("no journal entry")?;
    ensure!(entry.document == Some(bundle.document.id), "the entry is about another document");
    Ok(())
}

/// The claims of a decision whose device the leader's SIM vouched for.
fn decided(decision: &Decision, anchors: Option<&TrustAnchors>) -> anyhow::Result<DecisionClaims> {
    let statement: EnrolmentStatement =
        serde_json::from_slice(&decision.statement).context("the enrolment statement")?;
    let message = cms::parse(&decision.cms).context("the enrolment's signature")?;
    let signer = message.certificates.iter().find(|one| one.sha256().0 == statement.certificate.0);
    let signer =
        signer.context("the enrolment's signature lacks the certificate that the statement names")?;
    let digest = trinhky_pades::Digest::of(&decision.statement);
    cms::check_statement(&decision.cms, &digest, signer.as_der(), ID_ENROLMENT, crypto::aws_lc())
        .context("the enrolment's signature")?;
    let verified = jws::verify::<DecisionClaims>(&decision.jws, &statement.public_key, DECISION_TYP)
        .context("the decision")?;
    ensure!(verified.kid() == statement.device.to_string(), "the decision is by another device");
    let claims = verified.into_claims();
    ensure!(claims.sub == statement.person, "the decision is another person's");
    ensure!(claims.certificate == statement.certificate, "the decision is for another certificate");
    if let Some(anchors) = anchors {
        chains(signer, &message.certificates, anchors, claims.iat)?;
    }
    Ok(claims)
}

/// The SIM's certificate stood when the decision was made.
fn chains(
    leaf: &Certificate,
    certificates: &[Certificate],
    anchors: &TrustAnchors,
    at: i64,
) -> anyhow::Result<()> {
    let at = OffsetDateTime::from_unix_timestamp(at).context("the decision's time")?;
    let none = RevocationData::none();
    let inputs = PathInputs {
        candidates: certificates,
        revocation: &none,
        mode: RevocationMode::Off,
        ..PathInputs::new(anchors, at)
    };
    validate(leaf, &inputs, crypto::aws_lc()).map(drop).context("the SIM's certificate")
}

fn is_about_this(bundle: &Bundle, claims: &DecisionClaims) -> anyhow::Result<()> {
    let document = &bundle.document;
    ensure!(claims.document == document.id, "it is about another document");
    ensure!(claims.files == document.files, "it is about other files");
    ensure!(claims.recipients == document.recipients, "it names other recipients");
    let listed = wire::hex(Digest::of(bundle_digest_input(&claims.files).as_bytes()));
    ensure!(claims.bundle == listed, "the bundle's digest is not that of the files");
    Ok(())
}

fn is_journalled(bundle: &Bundle, decision: &Decision, claims: &DecisionClaims) -> anyhow::Result<()> {
    let digest = Digest::of(decision.jws.as_bytes()).to_string();
    let entries = bundle.journal.iter().filter_map(|bytes| Entry::from_bytes(bytes).ok());
    let mut approved = entries.filter(|entry| entry.event == Event::DocumentApproved);
    let named = approved.any(|entry| {
        entry.attempt == Some(claims.attempt) && entry.detail.get("decision_sha256") == Some(&digest)
    });
    ensure!(named, "the journal names no such decision");
    Ok(())
}

/// The journal that the device was shown when it decided is the one this bundle is from: this one begins with that one.
fn saw(bundle: &Bundle, claims: &DecisionClaims, checkpoint: Option<&Checkpoint>) -> anyhow::Result<()> {
    let Some(note) = &claims.checkpoint else { return Ok(()) };
    let seen = checkpoints::verify(note, &bundle.key).context("the device was shown another journal")?;
    let now = checkpoint.context("there is no checkpoint to compare with")?;
    ensure!(seen.origin == now.origin, "the device was shown another journal");
    ensure!(seen.size <= now.size, "the journal is shorter than when the device decided");
    let proof = bundle.consistency.iter().find(|proof| proof.first == seen.size && proof.second == now.size);
    let proof = proof.context("no proof that the journal begins with the one that the device was shown")?;
    ensure!(proof.proves(&seen, now), "the journal was written anew since the device decided");
    Ok(())
}

fn signatures(pdf: &File) -> anyhow::Result<Report> {
    let source = FileSource::of(pdf.try_clone()?)?;
    let anchors = TrustAnchors::new(Vec::new());
    let policy = VerifyPolicy::new(&anchors, OffsetDateTime::UNIX_EPOCH, crypto::aws_lc());
    Ok(verify(&source, &policy)?)
}

/// The field is signed by the certificate decided on, over the bytes that are there.
fn is_signed(
    report: Result<&Report, &anyhow::Error>,
    field: &str,
    claims: &DecisionClaims,
) -> anyhow::Result<()> {
    let report = match report {
        Ok(report) => report,
        Err(error) => bail!("released.pdf: {error:#}"),
    };
    let signature = report.signatures.iter().find(|one| one.field == field);
    let signature = signature.with_context(|| format!("released.pdf is not signed in {field}"))?;
    ensure!(signature.signer.sha256 == claims.certificate.to_string(), "signed with another certificate");
    let (value, content) = (&signature.checks.signature, &signature.checks.integrity);
    ensure!(value.ok && content.ok, "the signature does not hold");
    Ok(())
}
