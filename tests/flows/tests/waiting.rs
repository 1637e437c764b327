//! What is no refusal: a time-stamp authority that is down. The document waits visibly and goes on by itself. And a scanner
//! that finds something, or is not there: then nothing comes in.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use trinhky_flows::clerk::{Desk, refusal};
use trinhky_flows::kept::Kept;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_flows::scanner::Clamd;

/// What our own signature of the scanner's database finds.
const MARK: &[u8] = b"TRINHKY-SCANNER-TEST-MARK";

#[tokio::test]
async fn a_time_stamp_authority_that_is_down_is_waited_for() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    fault(&rig, json!({ "service": "tsa", "fault": "down" })).await?;
    let leader = cast.leader.clone();
    let approving = tokio::spawn(async move { leader.approve(document).await });

    let mut waiting = None;
    for _ in 0..200 {
        waiting = cast.clerk.document(document).await?.state.waiting_for;
        if waiting.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ensure!(waiting.as_deref() == Some("timestamp"), "it waits for {waiting:?}");
    let asked = main_job::sim_requests(&rig).await?;

    fault(&rig, json!({ "service": "tsa", "fault": null })).await?;
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    let approved = approving.await??;
    ensure!(approved["state"] == "embedded", "{approved}");
    ensure!(main_job::sim_requests(&rig).await? == asked, "the SIM was asked again");
    Ok(())
}

#[tokio::test]
async fn an_infected_file_and_a_scanner_that_is_not_there() -> Result<()> {
    let mut clamd = Clamd::start(MARK).await?;
    let rig = Rig::start(&Plan { scanner: Some(clamd.address()), ..Plan::default() }).await?;
    let desk = rig.desk("drafter").await?;
    let clean = rig.world.demo_pdf.clone();
    let infected = rig.folder.path().join("infected.pdf");
    std::fs::write(&infected, [std::fs::read(&clean)?.as_slice(), MARK, b"\n"].concat())?;

    desk.upload(&clean).await?;
    let before = Kept::now(&rig).await?;
    let refused = desk.upload(&infected).await.err().context("an infected file was taken")?;
    ensure!(refusal(&refused) == "infected", "{refused:#}");
    let digest = main_job::sha256_of(&infected)?;
    let kept = desk.get::<serde_json::Value>(&format!("/v1/files/{digest}")).await;
    ensure!(kept.is_err(), "the infected file is there");

    clamd.stop().await?;
    let refused = desk.upload(&clean).await.err().context("a file was taken unscanned")?;
    ensure!(refusal(&refused) == "scanner_unavailable", "{refused:#}");
    before.unchanged(&rig).await
}

async fn fault(rig: &Rig, wish: serde_json::Value) -> Result<()> {
    let url = format!("{}/fault", rig.world.control_url.trim_end_matches('/'));
    let desk = Desk::new(&url)?;
    desk.request(reqwest::Method::POST, "").json(&wish).send().await?.error_for_status()?;
    Ok(())
}
