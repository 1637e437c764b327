//! `trinhky pdf inspect`: what a file consists of, without judging it.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};
use trinhky_pades::changes::{AnalysisLimits, steps_after};
use trinhky_pades::pdf::{File, Limits};
use trinhky_pades::verify::{Report, VerifyPolicy, verify};
use trinhky_pades::x509::TrustAnchors;
use trinhky_pades::{FieldKind, crypto, ingest};

use super::super::file::FileSource;
use super::Outcome;

#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let source = FileSource::open(&args.file)?;
    let named = || args.file.display().to_string();
    let file = File::open(&source, &Limits::default()).with_context(named)?;
    let steps = steps_after(&file, 0, &AnalysisLimits::default());
    let revisions: Vec<Value> = file
        .revisions()
        .iter()
        .enumerate()
        .map(|(index, revision)| {
            let changes: Vec<String> = steps
                .iter()
                .filter(|step| step.revision == index)
                .flat_map(|step| &step.facts)
                .map(|fact| format!("{}: {}", fact.code(), fact.words()))
                .collect();
            json!({ "revision": index + 1, "end": revision.end, "objects": revision.entries.len(), "changes": changes })
        })
        .collect();
    let taken = ingest(&source, &Limits::default());
    let fields: Vec<Value> = taken.as_ref().map_or_else(
        |_| Vec::new(),
        |taken| {
            let of = |field: &trinhky_pades::index::FieldSite| {
                let declared = [FieldKind::Number, FieldKind::Date].iter().any(|kind| kind.name() == field.name);
                json!({
                    "name": field.name, "kind": if field.signature { "signature" } else { "text" }, "page": field.page,
                    "rect": field.rect, "filled": field.filled, "object": field.id.number,
                    "declared": declared,
                })
            };
            taken.index.fields.iter().map(of).collect()
        },
    );
    // Trust is not asked here, so the time does not matter.
    let anchors = TrustAnchors::new([]);
    let policy = VerifyPolicy::new(&anchors, time::OffsetDateTime::UNIX_EPOCH, crypto::aws_lc());
    let report = verify(&source, &policy).with_context(named)?;
    Ok(Outcome::Done(json!({
        "file": named(),
        "sha256": report.sha256,
        "oddities": file.oddities(),
        "intake": taken.as_ref().map_or_else(|refusal| json!({ "refused": refusal.code() }), |taken| json!(taken.report)),
        "revisions": revisions,
        "fields": fields,
        "signatures": signatures(&report),
    })))
}

fn signatures(report: &Report) -> Vec<Value> {
    let of = |one: &trinhky_pades::verify::SignatureReport| {
        json!({
            "field": one.field, "kind": one.kind, "sub_filter": one.sub_filter, "revision": one.revision,
            "coverage": one.coverage, "signer": one.signer.subject, "intact": one.checks.signature.ok && one.checks.integrity.ok,
            "reason": one.checks.integrity.reason.as_ref().or(one.checks.signature.reason.as_ref()),
        })
    };
    report.signatures.iter().map(of).collect()
}
