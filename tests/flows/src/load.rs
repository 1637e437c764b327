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
use trinhky_domain::ids::{DocumentId, PersonId};
use trinhky_protos::HexDigest;
use trinhky_protos::document::{BundleFileRequest, CreateDocumentRequest, RecipientView, SignerRequest};

use crate::clerk::Desk;
use crate::phone::{self, Phone};
use crate::rig::{NAMED_LEADERS, Rig};
use crate::sealer::Sealer;

/// How long one document may take under load.
const PATIENCE: Duration = Duration::from_mins(10);

/// Sign-ins and seals at once: a password hash costs 19 MB and a seal a process.
const AT_ONCE: usize = 4;

/// Everybody who is needed, signed in; every phone enrolled.
pub struct Crowd {
    /// One a leader.
    pub phones: Vec<Arc<Phone>>,
    /// Who drafts.
    pub drafter: Desk,
    /// Who numbers, seals and releases.
    pub clerk: Desk,
    /// Who that is.
    pub clerk_id: PersonId,
    sealer: Sealer,
}

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

impl Crowd {
    /// Signs everybody in and lets so many of the province's unnamed leaders enrol.
    ///
    /// # Errors
    /// The server or a SIM refuses.
    pub async fn gather(rig: &Rig, leaders: usize) -> Result<Self> {
        let phones = enrol(rig, NAMED_LEADERS as usize, leaders).await?;
        let clerk = rig.desk("clerk").await?;
        let drafter = rig.desk("drafter").await?;
        Ok(Self { phones, drafter, clerk_id: clerk.me().await?.id, sealer: rig.sealer(&clerk)?, clerk })
    }

    /// A draft with one signer, from the uploaded file.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn draft(&self, leader: &Phone, file: HexDigest, urgency: &str) -> Result<DocumentId> {
        let request = CreateDocumentRequest {
            subject: "Về việc thử tải hệ thống".into(),
            document_type: "QĐ".into(),
            notation: "QĐ-UBND".into(),
            register: "QĐ".into(),
            urgency: urgency.into(),
            secrecy: "none".into(),
            signers: vec![SignerRequest { person: leader.session.person().id, capacity: String::new() }],
            content_checker: None,
            format_checker: None,
            clerk: self.clerk_id,
            recipients: vec![RecipientView { name: "Các đơn vị".into(), ..RecipientView::default() }],
            files: vec![BundleFileRequest { role: "main".into(), name: "a.pdf".into(), sha256: file }],
            due_at: None,
            places: Vec::new(),
        };
        Ok(self.drafter.create(&request).await?.id)
    }
}

/// Carries one document for each leader through the main job, all at once.
///
/// # Errors
/// Anything refuses, or a number is missing or doubled.
pub async fn run(crowd: &Arc<Crowd>, pdf: &Path) -> Result<Figures> {
    let watch = Arc::new(Stopwatch {
        times: Mutex::default(),
        desk: Semaphore::new(AT_ONCE),
        token: Mutex::default(),
    });
    let began = now();
    let mut running = JoinSet::new();
    for leader in &crowd.phones {
        let (crowd, leader) = (Arc::clone(crowd), Arc::clone(leader));
        let (watch, pdf) = (Arc::clone(&watch), pdf.to_owned());
        running.spawn(async move { Box::pin(carry(&crowd, &leader, &pdf, &watch)).await });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    let seconds = began.elapsed().as_secs_f64();
    let documents = crowd.phones.len();
    numbers_without_gap(&crowd.clerk, documents).await?;
    let times = std::mem::take(&mut *watch.times.lock().await);
    #[expect(clippy::cast_precision_loss, reason = "a count of documents")]
    let documents_per_second = documents as f64 / seconds;
    Ok(Figures {
        documents,
        seconds,
        documents_per_second,
        steps: times.into_iter().map(|(step, times)| (step, percentiles(times))).collect(),
    })
}

/// One document, from upload to release.
async fn carry(crowd: &Crowd, leader: &Phone, pdf: &Path, watch: &Stopwatch) -> Result<()> {
    let Crowd { drafter, clerk, .. } = crowd;
    let file = watch.time("upload", drafter.upload(pdf)).await?.sha256;
    let document = watch.time("create", crowd.draft(leader, file, "normal")).await?;
    watch.time("submit", drafter.submit(document)).await?;
    let asked = watch.time("decide", Box::pin(leader.decide(document))).await?;
    let signed = async {
        let ended = phone::watch(asked).await?;
        ensure!(ended.state == "embedded", "the attempt ended as {}: {}", ended.state, ended.message);
        clerk.wait_for(document, "awaiting_number", PATIENCE).await
    };
    watch.time("sign", signed).await?;
    let place = watch.desk.acquire().await?;
    watch.time("number", clerk.number(document)).await?;
    let token = watch.token.lock().await;
    let sealed = async {
        crowd.sealer.seal(document).await?;
        drop(token);
        clerk.wait_for(document, "sealed", PATIENCE).await
    };
    watch.time("seal", sealed).await?;
    drop(place);
    let released = async {
        clerk.release(document).await?;
        clerk.wait_for(document, "released", PATIENCE).await
    };
    watch.time("release", released).await?;
    Ok(())
}

struct Stopwatch {
    times: Mutex<BTreeMap<&'static str, Vec<u64>>>,
    desk: Semaphore,
    /// There is one, and one agent at it: two processes that log in to one SoftHSM token read what the other is writing.
    token: Mutex<()>,
}

impl Stopwatch {
    async fn time<T>(&self, step: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let began = now();
        let done = work.await.with_context(|| step)?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.times.lock().await.entry(step).or_default().push(ms);
        Ok(done)
    }
}

async fn enrol(rig: &Rig, named: usize, leaders: usize) -> Result<Vec<Arc<Phone>>> {
    let places = Arc::new(Semaphore::new(AT_ONCE * 2));
    let mut running = JoinSet::new();
    for nth in named..named + leaders {
        let (url, account) = (rig.url.clone(), rig.world.account("leader", nth)?);
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire().await?;
            let phone = Phone::sign_in(&url, &account).await?;
            phone.enrol().await?;
            Ok::<_, anyhow::Error>(Arc::new(phone))
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
