//! Requests that are refused before anybody looks at what they are about: who asks, in which words, about which version.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use trinhky_flows::clerk::{Account, Desk};
use trinhky_flows::kept::Kept;
use trinhky_flows::main_job::{self, Cast};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_protos::problem::{Code, Problem};

use crate::said::refused;

#[tokio::test]
async fn requests_that_are_not_taken() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let cast = Cast::gather(&rig).await?;
    let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
    let path = |what: &str| format!("/v1/documents/{document}/{what}");
    let head = cast.clerk.document(document).await?.head.sha256;
    let leader = cast.leader.desk()?;
    let before = Kept::now(&rig).await?;

    let nobody = Desk::new(&rig.url)?;
    refused(nobody.get::<Value>("/v1/inbox").await, Code::Unauthenticated)?;
    let stranger = Desk::with_token(&rig.url, "no-such-token".into())?;
    refused(stranger.get::<Value>("/v1/inbox").await, Code::Unauthenticated)?;
    refused(rig.desk("checker").await?.document(document).await, Code::NotFound)?;

    let reason = json!({ "reason": "Lý do" });
    refused(cast.drafter.post::<Value>(&path("reject"), &reason).await, Code::NotYours)?;
    refused(cast.drafter.submit(document).await, Code::WrongState)?;
    let unread = json!({ "head": "00".repeat(32), "device": "01ARZ3NDEKTSV4RRFFQ69G5FAV" });
    refused(leader.post::<Value>(&path("prepare"), &unread).await, Code::HeadMoved)?;
    let unknown = json!({ "head": head, "device": "01ARZ3NDEKTSV4RRFFQ69G5FAV" });
    refused(leader.post::<Value>(&path("prepare"), &unknown).await, Code::DeviceUnknown)?;
    refused(leader.post::<Value>(&path("prepare"), &json!({ "head": 7 })).await, Code::Malformed)?;

    let withdraw = |body: Value| cast.drafter.request(Method::POST, &path("withdraw")).json(&body);
    says(withdraw(reason.clone()).header("if-match", "\"1\""), Code::Stale).await?;
    says(withdraw(json!({ "reason": " " })), Code::MissingMetadata).await?;
    before.unchanged(&rig).await?;

    says_nothing(withdraw(reason.clone()).header("idempotency-key", "once")).await?;
    let after = Kept::now(&rig).await?;
    says_nothing(withdraw(reason).header("idempotency-key", "once")).await?;
    let other = withdraw(json!({ "reason": "Lý do khác" })).header("idempotency-key", "once");
    says(other, Code::IdempotencyMismatch).await?;
    after.unchanged(&rig).await
}

#[tokio::test]
async fn sign_ins_that_are_not_taken() -> Result<()> {
    let rig = Rig::start(&Plan::default()).await?;
    let right = rig.world.account("checker", 0)?;
    let wrong = Account { password: "mat-khau-sai".into(), ..right.clone() };
    let unknown = Account { username: "khong.co".into(), ..right.clone() };
    refused(Desk::sign_in(&rig.url, &unknown).await.map(drop), Code::BadCredentials)?;
    for _ in 0..5 {
        refused(Desk::sign_in(&rig.url, &wrong).await.map(drop), Code::BadCredentials)?;
    }
    // Guessed too often: not even the right password is looked at for a while.
    refused(Desk::sign_in(&rig.url, &right).await.map(drop), Code::RateLimited)
}

async fn says(request: reqwest::RequestBuilder, code: Code) -> Result<()> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let problem: Problem = serde_json::from_str(&response.text().await?).context("a problem")?;
    ensure!(status == code.status() && problem.code == code.as_str(), "{status}: {problem:?}, not {code:?}");
    ensure!(problem.detail == code.vietnamese(), "the sentence is {:?}", problem.detail);
    Ok(())
}

async fn says_nothing(request: reqwest::RequestBuilder) -> Result<()> {
    request.send().await?.error_for_status()?;
    Ok(())
}
