//! `trinhky pdf provision`: the declared fields are made once, before the first signature.

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use serde_json::json;
use trinhky_pades::pdf::Limits;
use trinhky_pades::{
    PagePlace, ProvisionPlan, Refusal, SealPlan, SignerPlan, TextPlan, Urgency, UrgencyStamp, ingest,
    provision,
};

use super::super::file::FileSource;
use super::{Outcome, in_place, named_place, not_taken};

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
    /// The symbol that the number will have, as `QĐ-UBND`: a page with another one printed is refused.
    #[arg(long)]
    notation: Option<String>,
    /// `FIELD=all`: signing it locks every field. Without any, the seal does.
    #[arg(long = "lock", value_parser = lock)]
    locks: Vec<String>,
    /// The stamp of urgency, drawn now: `khan`, `thuong_khan` or `hoa_toc`, below number and symbol on page 1; with
    /// `@PAGE:X,Y,W,H` in the middle of that place.
    #[arg(long, value_parser = urgency)]
    urgency: Option<UrgencyStamp>,
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

fn urgency(text: &str) -> Result<UrgencyStamp, String> {
    let (name, place) = named_place(text)?;
    let known = Urgency::ALL.into_iter().find(|urgency| urgency.code() == name);
    let urgency = known.ok_or_else(|| format!("{name}: give khan, thuong_khan or hoa_toc"))?;
    Ok(UrgencyStamp { urgency, place })
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut plan = plan(args)?;
    plan.urgency = args.urgency;
    if let Some(number) = &mut plan.number {
        number.notation.clone_from(&args.notation);
    }
    let source = FileSource::open(&args.input)?;
    let taken = match ingest(&source, &Limits::default()) {
        Ok(taken) => taken,
        Err(refusal) => return Ok(not_taken(&args.input, &refusal)),
    };
    let made = match in_place(&args.out, |file| {
        let mut out = BufWriter::with_capacity(1 << 18, file);
        let made = provision(&source, &taken, &plan, &mut out).map_err(Unmade::Refused)?;
        out.flush().map_err(Unmade::Unwritten)?;
        Ok::<_, Unmade>(made)
    }) {
        Ok(made) => made,
        Err(error) => match error.downcast::<Unmade>() {
            Ok(Unmade::Refused(refusal)) => return Ok(not_taken(&args.input, &refusal)),
            Ok(unwritten) => return Err(unwritten.into()),
            Err(other) => return Err(other),
        },
    };
    let why: Vec<String> =
        made.why.iter().map(|finding| json!(finding).as_str().unwrap_or_default().to_owned()).collect();
    Ok(Outcome::Done(json!({
        "sha256": made.sha256,
        "revisions": made.index.revisions,
        "fields": made.manifest.fields,
        "urgency": made.urgency,
        "normalised": made.normalised,
        "why": why.join(", "),
        "manifest": made.manifest,
    })))
}

/// Why there is no base.
#[derive(Debug, thiserror::Error)]
enum Unmade {
    #[error(transparent)]
    Refused(Refusal),
    #[error(transparent)]
    Unwritten(std::io::Error),
}

fn plan(args: &Args) -> anyhow::Result<ProvisionPlan> {
    let automatic = args.anchors.is_some();
    let nothing = args.fields.is_empty() && args.declared.is_empty();
    if automatic && nothing {
        return Ok(ProvisionPlan::standard(1));
    }
    anyhow::ensure!(
        !nothing || args.urgency.is_some(),
        "nothing to provision: give --field, --declare, --urgency or --anchors auto"
    );
    let mut plan = ProvisionPlan::default();
    for (name, place) in &args.declared {
        anyhow::ensure!(automatic || place.is_some(), "{name}: give {name}@PAGE:X,Y,W,H or --anchors auto");
        let text = Some(TextPlan { place: *place, ..TextPlan::default() });
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
