//! What the server takes: memory at rest, and for one large upload.

use anyhow::{Result, ensure};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_flows::serving::{self, limits};

#[tokio::test]
async fn memory_at_rest_and_for_fifty_megabytes() -> Result<()> {
    let mut rig = Rig::start(&Plan::default()).await?;
    let started = serving::start(&mut rig).await?;
    let idle = serving::idle(&mut rig).await?;
    let pdf = serving::large_pdf(rig.folder.path(), 50_000_000)?;
    let upload = serving::upload(&mut rig, &pdf).await?;
    println!("started within {started:.0} ms; {idle:.1} MB at rest; an upload adds {upload:.1} MB");
    ensure!(idle <= limits::IDLE_MB, "{idle:.1} MB at rest");
    ensure!(upload <= limits::UPLOAD_MB, "an upload adds {upload:.1} MB");
    Ok(())
}
