//! When the gate ends an attempt, the leader's phone is told at once, and the clerk too: a push that nobody asked for again.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use trinhky_domain::ids::DocumentId;
use trinhky_flows::kept::Rows;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::push;
use trinhky_flows::rig::{Part, Plan, Rig};
use trinhky_flows::sims;

/// What the phone was told about the document, until it is told `kind`.
async fn told(rig: &Rig, document: DocumentId, kind: &str) -> Result<()> {
    let looked = async {
        loop {
            let messages = push::messages(&rig.world.control_url, 0).await?;
            if messages.iter().any(|message| message.is_about(document) && message.kind() == kind) {
                return Ok::<_, anyhow::Error>(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.with_context(|| format!("nobody said {kind}"))?
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_an_attempt_is_told_that_it_came_to_nothing() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    told(&rig, document, "signature_waits").await?;
    sims::behave(&rig, 0, "code_401").await?;
    let end = cast.leader.approve(document).await.err().context("the SIM declined")?;
    ensure!(format!("{end:#}").contains("declined"), "{end:#}");
    told(&rig, document, "signing_failed").await?;

    // The clerk has no phone: the notice is there all the same, for whatever tells clerks.
    rig.stop(Part::Work).await?;
    let end = cast.leader.approve(document).await.err().context("the SIM declined")?;
    ensure!(format!("{end:#}").contains("declined"), "{end:#}");
    let mut rows = Rows::of(&rig).await?;
    let notices = "select count(*) from jobs where kind = 'notify' and payload like '%signing_failed%' and payload like ";
    for person in [cast.leader_id, cast.clerk_id] {
        let waiting = rows.number(&format!("{notices}'%{person}%'")).await?;
        ensure!(waiting == 1, "{waiting} notices to {person}");
    }
    Ok(())
}
