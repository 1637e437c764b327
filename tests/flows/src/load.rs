//! Many leaders and many documents at once: every one released, numbers without gap, and how long each step takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use trinhky_domain::ids::DocumentId;
use trinhky_protos::document::{BundleFileRequest, CreateDocumentRequest, RecipientView, SignerRequest};

use crate::clerk::Desk;
use crate::phone::Phone;
use crate::rig::{NAMED_LEADERS, Rig};

/// How long one document may take under load.
const PATIENCE: Duration = Duration::from_mins(10);

/// Sign-ins and seals at once: a password hash costs 19 MB and a seal a process.
const AT_ONCE: usize = 4;

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Documents released.
    pub documents: usize,
    /// From the first upload to the last release.
    pub seconds: f64,
    /// Their ratio.
    pub documents_per_second: f64,
    /// Milliseconds by step.
    pub steps: BTreeMap<&'static str, Percentiles>,
}

/// Of one step, in milliseconds.
#[derive(Debug, Serialize)]
pub struct Percentiles {
    /// Half are quicker.
    pub p50: u64,
    /// One in a hundred is slower.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

/// Lets every leader of the province but the named ones enrol, then carries one document each through the main job, all at
/// once.
///
/// # Errors
/// Anything refuses, or a number is missing or doubled.
pub async fn run(rig: &Rig, leaders: usize, pdf: &Path) -> Result<Figures> {
    let phones = enrol(rig, NAMED_LEADERS as usize, leaders).await?;
    let rig_clerk = rig.desk("clerk").await?;
    let drafter = rig.desk("drafter").await?;
    let clerk_id = rig_clerk.me().await?.id;
    let times = Arc::new(Mutex::new(BTreeMap::<&'static str, Vec<u64>>::new()));
    let token = Arc::new(Semaphore::new(AT_ONCE));

    let began = now();
    let mut running = JoinSet::new();
    for phone in phones {
        let (drafter, clerk, pdf) = (drafter.clone(), rig_clerk.clone(), pdf.to_owned());
        let (times, token, sealer) = (Arc::clone(&times), Arc::clone(&token), rig.sealer(&rig_clerk)?);
        running.spawn(async move {
            let note = async |step: &'static str, began: Instant| {
                let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                times.lock().await.entry(step).or_default().push(ms);
            };
            let at = now();
            let uploaded = drafter.upload(&pdf).await?;
            note("upload", at).await;
            let at = now();
            let request = CreateDocumentRequest {
                subject: "Về việc thử tải hệ thống".into(),
                document_type: "QĐ".into(),
                notation: "QĐ-UBND".into(),
                register: "QĐ".into(),
                urgency: "normal".into(),
                secrecy: "none".into(),
                signers: vec![SignerRequest { person: phone.session.person().id, capacity: String::new() }],
                content_checker: None,
                format_checker: None,
                clerk: clerk_id,
                recipients: vec![RecipientView { code: None, name: "Các đơn vị".into() }],
                files: vec![BundleFileRequest {
                    role: "main".into(),
                    name: "a.pdf".into(),
                    sha256: uploaded.sha256,
                }],
                due_at: None,
                places: Vec::new(),
            };
            let document: DocumentId = drafter.create(&request).await?.id;
            drafter.submit(document).await?;
            note("create", at).await;
            let at = now();
            let decided = phone.decide(document).await?;
            note("decide", at).await;
            let at = now();
            crate::phone::watch(decided).await?;
            clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
            note("sign", at).await;
            let place = token.acquire().await?;
            let at = now();
            clerk.number(document).await?;
            note("number", at).await;
            let at = now();
            sealer.seal(document).await?;
            clerk.wait_for(document, "sealed", PATIENCE).await?;
            note("seal", at).await;
            drop(place);
            let at = now();
            clerk.release(document).await?;
            clerk.wait_for(document, "released", PATIENCE).await?;
            note("release", at).await;
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    let seconds = began.elapsed().as_secs_f64();
    numbers_without_gap(&rig_clerk, leaders).await?;
    let times = std::mem::take(&mut *times.lock().await);
    #[expect(clippy::cast_precision_loss, reason = "a count of documents")]
    let documents_per_second = leaders as f64 / seconds;
    Ok(Figures {
        documents: leaders,
        seconds,
        documents_per_second,
        steps: times.into_iter().map(|(step, times)| (step, percentiles(times))).collect(),
    })
}

async fn enrol(rig: &Rig, named: usize, leaders: usize) -> Result<Vec<Phone>> {
    let places = Arc::new(Semaphore::new(AT_ONCE * 2));
    let mut running = JoinSet::new();
    for nth in named..named + leaders {
        let (url, account) = (rig.url.clone(), rig.world.account("leader", nth)?);
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire().await?;
            let phone = Phone::sign_in(&url, &account).await?;
            phone.enrol().await?;
            Ok::<_, anyhow::Error>(phone)
        });
    }
    let mut phones = Vec::with_capacity(leaders);
    while let Some(phone) = running.join_next().await {
        phones.push(phone??);
    }
    Ok(phones)
}

async fn numbers_without_gap(clerk: &Desk, expected: usize) -> Result<()> {
    let registers: Vec<Value> = clerk.get("/v1/registers").await?;
    let mut serials = Vec::new();
    for register in registers {
        let id = register["id"].as_str().context("a register has an id")?;
        let lines: Vec<Value> = clerk.get(&format!("/v1/registers/{id}/numbers")).await?;
        serials.extend(lines.iter().filter_map(|line| line["serial"].as_u64()));
    }
    serials.sort_unstable();
    let due: Vec<u64> = (1..).take(expected).collect();
    ensure!(serials == due, "numbers are {serials:?}");
    Ok(())
}

fn percentiles(mut times: Vec<u64>) -> Percentiles {
    times.sort_unstable();
    let at =
        |hundredths: usize| times.get((times.len() * hundredths / 100).min(times.len().saturating_sub(1)));
    Percentiles {
        p50: at(50).copied().unwrap_or_default(),
        p99: at(99).copied().unwrap_or_default(),
        max: times.last().copied().unwrap_or_default(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a load test measures")]
fn now() -> Instant {
    Instant::now()
}
