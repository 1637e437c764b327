//! Number and seal: too early, and by somebody who is not the assigned văn thư.

use anyhow::Result;
use serde_json::{Value, json};
use trinhky_flows::kept::Kept;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_protos::problem::Code;

use crate::said::{program_refused, refused};

#[tokio::test]
async fn numbers_and_seals_too_early_or_by_others() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let leader = cast.leader.desk()?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    let seal = format!("/v1/documents/{document}/seal");
    let anything = json!({ "base": "00".repeat(32), "cms": "MAA=" });

    let before = Kept::now(&rig).await?;
    refused(cast.clerk.number(document).await, Code::LeaderSignatureMissing)?;
    refused(cast.clerk.release(document).await, Code::LeaderSignatureMissing)?;
    for (desk, code) in [
        (&cast.drafter, Code::NotTheClerk),
        (&leader, Code::NotTheClerk),
        (&rig.desk("checker").await?, Code::NotFound),
    ] {
        refused(desk.number(document).await, code)?;
        refused(desk.release(document).await, code)?;
    }
    // The seal agent asks for what is prepared, and there is nothing.
    let early = rig.seal(&cast.clerk, document).await;
    program_refused(early, Code::WrongState.as_str(), Code::WrongState.vietnamese())?;
    before.unchanged(&rig).await?;

    cast.leader.approve(document).await?;
    let signed = cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    let before = Kept::now(&rig).await?;
    for desk in [&cast.drafter, &leader] {
        refused(desk.number(document).await, Code::NotTheClerk)?;
    }
    before.unchanged(&rig).await?;

    cast.clerk.number(document).await?;
    let before = Kept::now(&rig).await?;
    let right = json!({ "base": signed.head.sha256, "cms": "MAA=" });
    for desk in [&cast.drafter, &leader] {
        refused(desk.post::<Value>(&seal, &right).await, Code::NotTheClerk)?;
        refused(desk.get::<Value>(&format!("/v1/documents/{document}/seal-task")).await, Code::NotTheClerk)?;
        refused(desk.release(document).await, Code::NotTheClerk)?;
    }
    refused(cast.clerk.post::<Value>(&seal, &anything).await, Code::HeadMoved)?;
    refused(cast.clerk.post::<Value>(&seal, &right).await, Code::SignatureInvalid)?;
    refused(cast.clerk.release(document).await, Code::SignatureBroken)?;
    before.unchanged(&rig).await
}
