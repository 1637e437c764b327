//! `trinhky pdf provision`: the declared fields are made once, before the first signature.

use std::path::PathBuf;

use serde_json::json;
use trinhky_pades::pdf::Limits;
use trinhky_pades::{PagePlace, ProvisionPlan, SealPlan, SignerPlan, TextPlan, ingest, provision};

use super::super::file::FileSource;
use super::{Outcome, named_place, refused, write};

#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    input: PathBuf,
    /// Where the base goes.
    #[arg(long)]
    out: PathBuf,
    /// A signature field: `NAME@PAGE:X,Y,W,H`; `OrgSeal` is the seal, all others sign in the order given.
    #[arg(long = "field", value_parser = named_place)]
    fields: Vec<(String, Option<PagePlace>)>,
    /// A declared text field: `number@PAGE:X,Y,W,H` or `date@PAGE:X,Y,W,H`.
    #[arg(long = "declare", value_parser = named_place)]
    declared: Vec<(String, Option<PagePlace>)>,
    /// `FIELD=all`: signing it locks every field. Without any, the seal does.
    #[arg(long = "lock", value_parser = lock)]
    locks: Vec<String>,
    /// `auto`: what was not placed goes where the page's own words say; alone: number, date, one signer, seal.
    #[arg(long, value_parser = ["auto"])]
    anchors: Option<String>,
}

fn lock(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((field, "all")) if !field.is_empty() => Ok(field.to_owned()),
        _ => Err(format!("{text}: give FIELD=all")),
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let plan = plan(args)?;
    let source = FileSource::open(&args.input)?;
    let taken = match ingest(&source, &Limits::default()) {
        Ok(taken) => taken,
        Err(refusal) => return Ok(refused(refusal.code(), &refusal)),
    };
    let mut base = Vec::new();
    let made = match provision(&source, &taken, &plan, &mut base) {
        Ok(made) => made,
        Err(refusal) => return Ok(refused(refusal.code(), &refusal)),
    };
    write(&args.out, &[&base])?;
    let why: Vec<String> =
        made.why.iter().map(|finding| json!(finding).as_str().unwrap_or_default().to_owned()).collect();
    Ok(Outcome::Done(json!({
        "sha256": made.sha256,
        "revisions": made.index.revisions,
        "fields": made.manifest.fields,
        "normalised": made.normalised,
        "why": why.join(", "),
        "manifest": made.manifest,
    })))
}

fn plan(args: &Args) -> anyhow::Result<ProvisionPlan> {
    let automatic = args.anchors.is_some();
    if automatic && args.fields.is_empty() && args.declared.is_empty() {
        return Ok(ProvisionPlan::standard(1));
    }
    anyhow::ensure!(
        automatic || !(args.fields.is_empty() && args.declared.is_empty()),
        "nothing to provision: give --field, --declare or --anchors auto"
    );
    let mut plan = ProvisionPlan { number: None, date: None, signers: Vec::new(), seal: None };
    for (name, place) in &args.declared {
        anyhow::ensure!(automatic || place.is_some(), "{name}: give {name}@PAGE:X,Y,W,H or --anchors auto");
        let text = Some(TextPlan { place: *place, text: None });
        match name.as_str() {
            "number" => plan.number = text,
            "date" => plan.date = text,
            _ => anyhow::bail!("--declare {name}: only number and date can be declared"),
        }
    }
    for (name, place) in &args.fields {
        anyhow::ensure!(automatic || place.is_some(), "{name}: give {name}@PAGE:X,Y,W,H or --anchors auto");
        let locks = args.locks.contains(name);
        if name == "OrgSeal" {
            let locks = locks || args.locks.is_empty();
            plan.seal = Some(SealPlan { place: *place, locks, ..SealPlan::default() });
        } else {
            let field = Some(name.clone());
            plan.signers.push(SignerPlan { field, place: *place, locks, ..SignerPlan::default() });
        }
    }
    for name in &args.locks {
        anyhow::ensure!(
            args.fields.iter().any(|(field, _)| field == name),
            "--lock {name}: there is no such --field"
        );
    }
    Ok(plan)
}
