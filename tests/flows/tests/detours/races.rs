//! Answers to whoever comes second, on PostgreSQL, where nobody waits for a lock on the whole database.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::json;
use trinhky_cluster::Durability;
use trinhky_flows::clerk::refusal;
use trinhky_flows::kept::PgRows;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::phone::{enrolled, watch};
use trinhky_flows::rig::{Engine, Part, Plan, Rig};
use trinhky_protos::document::DocumentView;
use trinhky_protos::signing::AttemptView;

/// The phone hands its CMS in at the moment the worker has made the same: it is told what everybody is told who comes after
/// it, and not that somebody changed the document.
#[tokio::test(flavor = "multi_thread")]
async fn a_cms_that_loses_to_the_worker_is_told_so() -> Result<()> {
    let mut rig = Rig::start(&Plan { engine: Engine::Postgres(Durability::None), ..Plan::default() }).await?;
    let cast = Cast::gather(&rig).await?;
    let phone = enrolled(&rig, 1).await?;
    rig.stop(Part::Work).await?;
    let document = main_job::submitted_to(&rig, &cast, phone.session.person().id).await?;
    let asked = phone.decide(document).await?;
    let attempt = asked.attempt();
    let desk = trinhky_flows::clerk::Desk::with_token(&rig.url, phone.session.token().to_owned())?;
    for _ in 0..200 {
        let view: AttemptView = desk.get(&format!("/v1/attempts/{attempt}")).await?;
        if view.state == "signed_raw" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // The worker's write is under way: the row is taken, and the phone's write waits behind it.
    let mut rows = PgRows::of(&rig).await?;
    rows.run("begin").await?;
    let made = format!(
        "update attempts set state = 'verified', cms = signature, cms_from = 'server', version = version + 1
            where attempt_id = '{attempt}' and state = 'signed_raw'"
    );
    ensure!(rows.run(&made).await? == 1, "the raw signature is there");
    let handing = tokio::spawn(watch(asked));
    tokio::time::sleep(Duration::from_secs(2)).await;
    rows.run("commit").await?;
    // What the row says now is no CMS, so nothing more can come of it: the phone is asked no more, and is not refused.
    let path = format!("/v1/attempts/{attempt}/cms");
    let late =
        desk.post::<AttemptView>(&path, &json!({ "cms": "MAA=" })).await.err().context("taken twice")?;
    ensure!(refusal(&late) == "wrong_state", "{late:#}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = phone.last_refusal();
    handing.abort();
    let (status, problem) = refused.context("the phone's CMS was answered")?;
    ensure!((status, problem.code.as_str()) == (409, "wrong_state"), "{status}: {problem:?}");
    Ok(())
}

/// A release whose answer was lost is asked for again with the version known then, and answered as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_asked_for_again_is_answered_as_it_was() -> Result<()> {
    for engine in [Engine::Sqlite, Engine::Postgres(Durability::None)] {
        let rig = Rig::start(&Plan { engine, ..Plan::default() }).await?;
        let cast = Cast::gather(&rig).await?;
        let document = main_job::numbered(&rig, &cast).await?;
        rig.seal(&cast.clerk, document).await?;
        let sealed = cast.clerk.wait_for(document, "sealed", PATIENCE).await?;
        let release = || {
            let request = cast.clerk.request(Method::POST, &format!("/v1/documents/{document}/release"));
            request.header("if-match", format!("\"{}\"", sealed.version)).header("idempotency-key", "release")
        };
        let first = release().send().await?.error_for_status()?;
        let (status, text) = (first.status(), first.text().await?);
        cast.clerk.wait_for(document, "released", PATIENCE).await?;
        let again = release().send().await?;
        ensure!(again.status() == status, "{engine:?}: {} and then {}", status, again.status());
        ensure!(again.text().await? == text, "{engine:?}: another answer");
        let other = cast.clerk.request(Method::POST, &format!("/v1/documents/{document}/release"));
        let other = other.header("if-match", format!("\"{}\"", sealed.version)).send().await?;
        ensure!(other.status() == 409, "{engine:?}: a release of an old version");
        let released: DocumentView = cast.clerk.document(document).await?;
        ensure!(released.version > sealed.version);
    }
    Ok(())
}
