//! `trinhky pdf upgrade`: raises a signed file, whoever signed it, to B-T, B-LT or B-LTA, or renews its archive. What is
//! asked of whom is `trinhky-pades`'s; asking is here. The new file is verified before it is written.
//!
//! Responders and lists are found in certificates, and only in those that lead to the trust anchors: `--trust` decides
//! whom this command calls.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::json;
use trinhky_pades::crypto;
use trinhky_pades::verify::VerifyPolicy;
use trinhky_pades::{Need, Step, Target, Upgrade, UpgradeRefused, Upgraded};

use super::super::file::FileSource;
use super::super::verify::{certificates, trust};
use super::{Outcome, append, not_taken, refused};
use crate::ambient::{Clock, Random as _};
use crate::gateways::GatewayError;
use crate::gateways::revocation::Revocation;
use crate::gateways::tsa::Tsa;

#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    /// A signed file.
    input: PathBuf,
    /// Where the raised file goes.
    #[arg(long)]
    out: PathBuf,
    /// How far.
    #[arg(long, value_enum)]
    level: Level,
    /// Where to get time stamps (RFC 3161).
    #[arg(long)]
    tsa: String,
    /// Trust anchors (PEM); with this, only those given. Without it, those of `[trust]` in the settings.
    #[arg(long)]
    trust: Vec<PathBuf>,
    /// Further certificates to build chains from (PEM).
    #[arg(long)]
    chain: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Every signature has a proven time.
    #[value(name = "T")]
    T,
    /// And chains and revocation are in the file.
    #[value(name = "LT")]
    Lt,
    /// And a document time stamp covers them.
    #[value(name = "LTA")]
    Lta,
}

pub(super) fn run(settings: &Path, clock: &dyn Clock, args: &Args) -> anyhow::Result<Outcome> {
    let source = FileSource::open(&args.input)?;
    let (anchors, mut known) = trust(settings, &args.trust)?;
    known.extend(certificates(&args.chain)?);
    let mut policy = VerifyPolicy::new(&anchors, clock.now(), crypto::aws_lc());
    policy.certificates = &known;
    let target = match args.level {
        Level::T => Target::T,
        Level::Lt => Target::Lt,
        Level::Lta => Target::Lta,
    };
    let mut entropy = [0; 16];
    crate::ambient::SystemRandom.fill(&mut entropy);
    let begun = Upgrade::begin(&source, &policy, target, entropy);
    let world = World { tsa: Tsa::at(&args.tsa)?, revocation: Revocation::unlisted()? };
    let raised = super::super::block_on(async {
        Ok(match begun {
            Ok(upgrade) => world.raise(upgrade, clock).await,
            Err(refusal) => Err(refusal),
        })
    })?;
    let upgraded = match raised {
        Ok(upgraded) => upgraded,
        // Damaged input is no refusal of a step.
        Err(UpgradeRefused::Pdf(error)) => {
            return Err(error).with_context(|| args.input.display().to_string());
        }
        Err(UpgradeRefused::Intake(refusal)) => return Ok(not_taken(&args.input, &refusal)),
        Err(refusal) => return Ok(refused(refusal.code(), &refusal)),
    };
    append(&args.input, &args.out, &upgraded.tail)?;
    let Upgraded { sha256, index, report, .. } = *upgraded;
    Ok(Outcome::Done(json!({
        "sha256": sha256,
        "revisions": index.revisions,
        "verdict": report.verdict,
        "signatures": report.signatures,
    })))
}

/// Whom there is to ask.
struct World {
    tsa: Tsa,
    revocation: Revocation,
}

impl World {
    /// Asks what is needed until it is done.
    async fn raise(
        &self,
        mut upgrade: Upgrade<'_>,
        clock: &dyn Clock,
    ) -> Result<Box<Upgraded>, UpgradeRefused> {
        loop {
            let need = match upgrade.poll(clock.now())? {
                Step::Done(upgraded) => return Ok(upgraded),
                Step::Ask(need) => need,
            };
            match self.ask(need).await {
                Ok(answer) => upgrade.answer(&answer, clock.now())?,
                Err(error) => upgrade.unanswered(&error.to_string())?,
            }
        }
    }

    async fn ask(&self, need: Need) -> Result<Vec<u8>, GatewayError> {
        match need {
            Need::Timestamp { request, .. } => self.tsa.ask(request).await,
            Need::Ocsp { url, request, .. } => self.revocation.ocsp(&url, request).await,
            Need::Crl { url } => self.revocation.crl(&url).await,
        }
    }
}
