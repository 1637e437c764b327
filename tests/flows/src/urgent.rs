//! Urgent documents (hỏa tốc) among many ordinary ones: how long from submission until the message is at the push service,
//! and whether it passes the ordinary ones that wait.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::device::DeviceView;

use crate::clerk::Desk;
use crate::load::Crowd;
use crate::push::{self, Message};
use crate::rig::{Part, Rig};

/// How long a message may take; beyond it something is wrong.
const PATIENCE: Duration = Duration::from_mins(3);

/// Submits an ordinary document to every leader, an urgent one along with each tenth part, and gives the milliseconds that
/// each urgent one took from submission to the push service.
///
/// # Errors
/// Anything refuses, or a message never comes.
pub async fn among(rig: &Rig, crowd: &Arc<Crowd>, pdf: &Path) -> Result<Vec<f64>> {
    subscribe(rig, crowd).await?;
    let (drafts, urgent) = drafts(crowd, pdf, URGENT).await?;
    let mut took = Vec::new();
    for (part, urgent) in drafts.chunks(drafts.len().div_ceil(URGENT)).zip(urgent) {
        let mut submitting = JoinSet::new();
        for document in part.iter().copied() {
            let crowd = Arc::clone(crowd);
            submitting.spawn(async move { crowd.drafter.submit(document).await.map(drop) });
        }
        let began = now();
        crowd.drafter.submit(urgent).await?;
        while let Some(submitted) = submitting.join_next().await {
            submitted??;
        }
        let message = wait_for(rig, 0, urgent).await?;
        took.push((message.at - began).as_seconds_f64() * 1_000.0);
    }
    Ok(took)
}

/// Submits an ordinary document to every leader and then an urgent one, all before the worker runs; says how many of the
/// ordinary ones were handed over before the urgent one.
///
/// # Errors
/// Anything refuses, or the message never comes.
pub async fn passes(rig: &mut Rig, crowd: &Arc<Crowd>, pdf: &Path) -> Result<u64> {
    subscribe(rig, crowd).await?;
    let before = push::messages(&rig.world.control_url, 0).await?.last().map_or(0, |message| message.seq);
    rig.stop(Part::Work).await?;
    let (drafts, urgent) = drafts(crowd, pdf, 1).await?;
    for document in drafts.into_iter().chain(urgent.iter().copied()) {
        crowd.drafter.submit(document).await?;
    }
    rig.up(Part::Work, &[]).await?;
    let message = wait_for(rig, before, *urgent.first().context("one is urgent")?).await?;
    Ok(message.seq - before - 1)
}

/// An ordinary draft a leader, and some urgent ones for the first leader.
async fn drafts(crowd: &Crowd, pdf: &Path, urgent: usize) -> Result<(Vec<DocumentId>, Vec<DocumentId>)> {
    let file = crowd.drafter.upload(pdf).await?.sha256;
    let reader = crowd.phones.first().context("somebody reads")?;
    let (mut ordinary, mut hurried) = (Vec::new(), Vec::new());
    for leader in &crowd.phones {
        ordinary.push(crowd.draft(leader, file, "normal").await?);
    }
    for _ in 0..urgent {
        hurried.push(crowd.draft(reader, file, "immediate").await?);
    }
    Ok((ordinary, hurried))
}

async fn subscribe(rig: &Rig, crowd: &Crowd) -> Result<()> {
    for phone in &crowd.phones {
        let desk = Desk::with_token(&rig.url, phone.session.token().to_owned())?;
        let devices: Vec<DeviceView> = desk.get("/v1/devices").await?;
        let device = devices.first().context("the phone is enrolled")?;
        push::subscribe(&desk, &rig.world.control_url, &device.id.to_string()).await?;
    }
    Ok(())
}

async fn wait_for(rig: &Rig, after: u64, document: DocumentId) -> Result<Message> {
    let found = async {
        loop {
            let handed = push::messages(&rig.world.control_url, after).await?;
            if let Some(message) = handed.into_iter().find(|message| message.is_about(document)) {
                return Ok(message);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.context("the urgent message never came")?
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Urgent documents that are measured.
const URGENT: usize = 10;
