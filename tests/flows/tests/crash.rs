//! Pulls the plug at every write edge of the main job and asks where the document stands afterwards.
//!
//! The test walks [`Edge::ALL`]; what must be true at each is [`Edge::expected_end`], whose `match` has no default. A
//! process stops at its edge, is killed with SIGKILL, everything is started again, and once nothing moves any more the
//! document, the attempt, the register and the signature service's own log are compared with the end that the edge names.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use trinhky_cluster::Durability;
use trinhky_domain::edge::{Edge, End};
use trinhky_domain::ids::DocumentId;
use trinhky_flows::clerk::Desk;
use trinhky_flows::mail::{copy_that, letters_to};
use trinhky_flows::main_job::{self, Cast, MAILBOX, MAILED_TO, PATIENCE};
use trinhky_flows::rig::{Engine, Part, Plan, Rig};

/// Nothing may move for this long before we look: longer than a dead worker's lease.
const QUIET: Duration = Duration::from_millis(2500);

/// A gate's lease in milliseconds: what was killed is soon somebody else's.
const LEASE: u32 = 600;

/// So many looks without a move, and it is stuck in a state that the edge does not name.
const STUCK: usize = 8;

/// Short, so that an attempt nobody knows about lapses while the test looks on.
const DIALOG_SECONDS: u32 = 25;

/// How long it may take from an act to its edge.
const REACHED_WITHIN: Duration = Duration::from_mins(1);

/// Which process writes at an edge, and which act of a person leads there.
struct Way {
    part: Part,
    act: Act,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Upload,
    Create,
    Submit,
    Approve,
    Number,
    Seal,
    Release,
    Receipt,
}

fn way(edge: Edge) -> Way {
    let (part, act) = match edge {
        Edge::UploadWritten => (Part::Serve, Act::Upload),
        Edge::DraftCommitted => (Part::Serve, Act::Create),
        Edge::SubmitCommitted | Edge::NumberReserved => (Part::Serve, Act::Submit),
        Edge::NumberedBaseWritten | Edge::DeliveryCommitted => (Part::Work, Act::Submit),
        Edge::TailWritten | Edge::PreparedCommitted | Edge::ApprovedCommitted => (Part::Serve, Act::Approve),
        Edge::SendingCommitted
        | Edge::RequestLeft
        | Edge::AcceptedCommitted
        | Edge::SignatureArrived
        | Edge::SignedRawCommitted => (Part::Gate, Act::Approve),
        Edge::VerifiedCommitted | Edge::StampedCommitted | Edge::SignedWritten | Edge::SignedCommitted => {
            (Part::Work, Act::Approve)
        }
        Edge::SealTailWritten | Edge::SealPreparedCommitted => (Part::Serve, Act::Number),
        Edge::SealedWritten | Edge::SealedCommitted => (Part::Serve, Act::Seal),
        Edge::ReleasedCommitted => (Part::Serve, Act::Release),
        Edge::CopyLeft => (Part::Work, Act::Release),
        Edge::ReceiptCommitted => (Part::Serve, Act::Receipt),
    };
    Way { part, act }
}

fn before_sign(edge: Edge) -> bool {
    matches!(edge, Edge::NumberReserved | Edge::NumberedBaseWritten)
}

/// Edges right after a commit, in every process: what the other engine must have kept.
const COMMITS: &[Edge] = &[
    Edge::SubmitCommitted,
    Edge::ApprovedCommitted,
    Edge::SendingCommitted,
    Edge::SignedRawCommitted,
    Edge::SignedCommitted,
    Edge::SealPreparedCommitted,
    Edge::SealedCommitted,
    Edge::ReleasedCommitted,
    Edge::ReceiptCommitted,
];

#[tokio::test]
async fn a_kill_at_any_edge_ends_where_the_edge_says() -> Result<()> {
    let mut failed = Vec::new();
    for (profile, wanted) in [("nd30_default", false), ("kien_giang_2017", true)] {
        let edges = Edge::ALL.iter().copied().filter(|edge| before_sign(*edge) == wanted);
        failed.extend(walk(profile, Engine::Sqlite, edges).await?);
    }
    ensure!(failed.is_empty(), "these edges do not end where they should: {failed:?}");
    Ok(())
}

#[tokio::test]
async fn a_kill_after_any_commit_ends_there_on_postgres_too() -> Result<()> {
    // Synced, or the engine itself would be what forgets.
    let engine = Engine::Postgres(Durability::Real);
    let failed = walk("nd30_default", engine, COMMITS.iter().copied()).await?;
    ensure!(failed.is_empty(), "these edges do not end where they should: {failed:?}");
    Ok(())
}

/// Kills at each edge, one after the other in one rig; gives those that did not end as they should.
async fn walk(
    profile: &'static str,
    engine: Engine,
    edges: impl Iterator<Item = Edge>,
) -> Result<Vec<&'static str>> {
    let plan = Plan {
        profile,
        engine,
        dialog_seconds: DIALOG_SECONDS,
        lease_milliseconds: LEASE,
        ..Plan::default()
    };
    let mut rig = Rig::start(&plan).await?;
    let cast = Cast::gather(&rig).await?;
    let mut failed = Vec::new();
    for edge in edges {
        match kill_at(&mut rig, &cast, edge).await {
            Ok(()) => println!("edge {edge}: ok"),
            Err(error) => {
                println!("edge {edge}: {error:#}");
                failed.push(edge.as_str());
                rig.all_up().await?;
            }
        }
    }
    no_gap_in_the_register(&cast.clerk).await?;
    Ok(failed)
}

async fn kill_at(rig: &mut Rig, cast: &Cast, edge: Edge) -> Result<()> {
    let Way { part, act } = way(edge);
    let before = main_job::sim_requests(rig).await?;
    let mut document = walk_up_to(rig, cast, act).await?;
    let numbers_before = numbers(&cast.clerk).await?;

    rig.stop(part).await?;
    // A job finishes the seal too, and would pass the edge first; it is there again after the kill.
    let alone = act == Act::Seal && part == Part::Serve;
    if alone {
        rig.stop(Part::Work).await?;
    }
    rig.up(part, &[("TRINHKY_STOP_AT", edge.as_str())]).await?;
    document = document.or(reached(rig, cast, edge, document).await?);
    rig.up(part, &[]).await?;
    if alone {
        rig.up(Part::Work, &[]).await?;
    }

    let end = edge.expected_end();
    let Some(document) = document.or(newest(&cast.drafter).await?) else {
        return ensure_ok(end.document.is_none(), "there is no document");
    };
    let state = quiet(cast, document, &end).await?;
    compare(rig, cast, document, &end, &state, before, numbers_before).await?;
    if state["name"] == "released" {
        copies_arrive(rig, cast, document, edge).await?;
    }
    clear_the_way(rig, cast, document, &state).await
}

/// Acts until a process stands still at `edge`, and kills it there; gives the document if the act had made one by then.
async fn reached(
    rig: &mut Rig,
    cast: &Cast,
    edge: Edge,
    document: Option<DocumentId>,
) -> Result<Option<DocumentId>> {
    let Way { part, act } = way(edge);
    let mut process = rig.take(part).context("it is running")?;
    let mut made = None;
    let line = {
        // The act may hang or fail, since its server stands still; what counts is that the edge is reached.
        let mut acting = std::pin::pin!(perform(rig, cast, act, document));
        let mut line = std::pin::pin!(process.line(REACHED_WITHIN));
        let mut acted = false;
        loop {
            tokio::select! {
                line = &mut line => break line?,
                done = &mut acting, if !acted => {
                    acted = true;
                    made = done.ok().flatten();
                }
            }
        }
    };
    ensure!(line["stopped_at"] == edge.as_str(), "it said {line}");
    process.kill().await?;
    Ok(made)
}

/// Carries a fresh document to just before `act`.
async fn walk_up_to(rig: &Rig, cast: &Cast, act: Act) -> Result<Option<DocumentId>> {
    if matches!(act, Act::Upload | Act::Create) {
        return Ok(None);
    }
    let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
    let document = cast.drafter.create(&cast.request(&uploaded)).await?.id;
    if act == Act::Submit {
        return Ok(Some(document));
    }
    cast.drafter.submit(document).await?;
    cast.clerk.wait_for(document, "awaiting_signature", PATIENCE).await?;
    if act == Act::Approve {
        return Ok(Some(document));
    }
    cast.leader.approve(document).await?;
    cast.clerk.wait_for(document, "awaiting_number", PATIENCE).await?;
    if act == Act::Number {
        return Ok(Some(document));
    }
    cast.clerk.number(document).await?;
    if act == Act::Seal {
        return Ok(Some(document));
    }
    rig.seal(&cast.clerk, document).await?;
    cast.clerk.wait_for(document, "sealed", PATIENCE).await?;
    if act == Act::Release {
        return Ok(Some(document));
    }
    cast.clerk.release(document).await?;
    cast.clerk.wait_for(document, "released", PATIENCE).await?;
    copy_that(&cast.clerk, document, MAILED_TO, |copy| copy.state == "handed").await?;
    Ok(Some(document))
}

async fn perform(
    rig: &Rig,
    cast: &Cast,
    act: Act,
    document: Option<DocumentId>,
) -> Result<Option<DocumentId>> {
    let known = || document.context("the document is there before this act");
    match act {
        Act::Upload => {
            cast.drafter.upload(&rig.world.demo_pdf).await?;
            Ok(None)
        }
        Act::Create => {
            let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
            Ok(Some(cast.drafter.create(&cast.request(&uploaded)).await?.id))
        }
        Act::Submit => Ok(Some(cast.drafter.submit(known()?).await?.id)),
        Act::Approve => {
            cast.leader.approve(known()?).await?;
            Ok(document)
        }
        Act::Number => {
            cast.clerk.number(known()?).await?;
            Ok(document)
        }
        Act::Seal => {
            rig.seal(&cast.clerk, known()?).await?;
            Ok(document)
        }
        Act::Release => {
            cast.clerk.release(known()?).await?;
            Ok(document)
        }
        Act::Receipt => {
            let copy = copy_that(&cast.clerk, known()?, MAILED_TO, |copy| copy.state == "handed").await?;
            let receipts = format!("/v1/copies/{}/receipts", copy.id);
            cast.clerk.post::<Value>(&receipts, &serde_json::json!({ "code": "03" })).await?;
            Ok(document)
        }
    }
}

async fn compare(
    rig: &Rig,
    cast: &Cast,
    document: DocumentId,
    end: &End,
    state: &Value,
    before: usize,
    numbers_before: usize,
) -> Result<()> {
    let expected = end.document.context("the edge says there is no document, and there is one")?;
    ensure!(state["name"] == expected.as_str(), "the document is {state}, not {expected}");
    if let (Some(attempt), Some(expected)) = (state["attempt"].as_str(), end.attempt) {
        let view: Value = cast.leader.desk()?.get(&format!("/v1/attempts/{attempt}")).await?;
        ensure!(view["state"] == expected.as_str(), "the attempt is {}, not {expected}", view["state"]);
    }
    let asked = main_job::sim_requests(rig).await? - before;
    ensure!(asked <= 1, "the SIM was asked {asked} times");
    if expected.as_str() != "awaiting_signature" {
        ensure!(
            asked == usize::from(end.sim_requests),
            "the SIM was asked {asked} times, not {}",
            end.sim_requests
        );
    }
    let numbered = cast.clerk.document(document).await?.number.is_some();
    ensure!(numbered == end.numbered, "numbered: {numbered}, not {}", end.numbered);
    let taken = numbers(&cast.clerk).await?;
    ensure!(taken <= numbers_before + 1, "{} numbers were taken", taken - numbers_before);
    Ok(())
}

/// Whatever was killed, the recipient has the document: in one message, or in one that came twice with one identity when
/// the server had taken it and nobody lived to write that down.
async fn copies_arrive(rig: &Rig, cast: &Cast, document: DocumentId, edge: Edge) -> Result<()> {
    let due = if edge == Edge::ReceiptCommitted { "accepted" } else { "handed" };
    let copy = copy_that(&cast.clerk, document, MAILED_TO, |copy| copy.state == due).await?;
    let id = copy.id.to_string();
    let letters = letters_to(rig, MAILBOX).await?;
    let ids: Vec<_> = letters.iter().filter_map(|letter| letter.message_id.as_deref()).collect();
    let ours: Vec<_> = ids.iter().filter(|message| message.starts_with(&id)).collect();
    let most = if edge == Edge::CopyLeft { 2 } else { 1 };
    ensure!((1..=most).contains(&ours.len()), "the message came {} times", ours.len());
    ensure!(ours.iter().all(|message| *message == ours[0]), "one copy, two identities: {ours:?}");
    Ok(())
}

/// Ends what would stand in the next edge's way: an attempt nobody knows about holds its number until it lapses.
async fn clear_the_way(rig: &Rig, cast: &Cast, document: DocumentId, state: &Value) -> Result<()> {
    if state["name"] == "signing" {
        let within = Duration::from_mins(2);
        cast.clerk.wait_for(document, "awaiting_signature", within).await?;
        let asked = main_job::sim_requests(rig).await?;
        let approved = cast.leader.approve(document).await?;
        ensure!(approved["state"] == "embedded", "a new decision ended as {approved}");
        ensure!(main_job::sim_requests(rig).await? == asked + 1, "a new decision asks once");
    }
    Ok(())
}

/// The state, once document and attempt are where the edge says and have not moved for a while; or where they came to
/// rest elsewhere, for [`compare`] to say so.
async fn quiet(cast: &Cast, document: DocumentId, end: &End) -> Result<Value> {
    let mut last = Value::Null;
    let mut still = 0;
    for _ in 0..60 {
        let view = cast.clerk.document(document).await?;
        let state = serde_json::to_value(&view.state)?;
        let attempt = match state["attempt"].as_str() {
            Some(attempt) => cast.leader.desk()?.get::<Value>(&format!("/v1/attempts/{attempt}")).await?,
            None => Value::Null,
        };
        let there = end.document.is_some_and(|wanted| state["name"] == wanted.as_str())
            && (attempt.is_null() || end.attempt.is_none_or(|wanted| attempt["state"] == wanted.as_str()));
        let now = serde_json::to_value((&state, view.version, &attempt["state"]))?;
        still = if now == last { still + 1 } else { 0 };
        if still >= if there { 1 } else { STUCK } {
            return Ok(state);
        }
        last = now;
        tokio::time::sleep(QUIET).await;
    }
    anyhow::bail!("it never came to rest: {last}")
}

async fn newest(desk: &Desk) -> Result<Option<DocumentId>> {
    let page: trinhky_protos::document::DocumentsView = desk.get("/v1/documents?state=draft").await?;
    Ok(page.documents.into_iter().map(|document| document.id).max())
}

async fn numbers(desk: &Desk) -> Result<usize> {
    let mut count = 0;
    for register in desk.get::<Vec<Value>>("/v1/registers").await? {
        let id = register["id"].as_str().context("a register has an id")?;
        count += desk.get::<Vec<Value>>(&format!("/v1/registers/{id}/numbers")).await?.len();
    }
    Ok(count)
}

async fn no_gap_in_the_register(desk: &Desk) -> Result<()> {
    for register in desk.get::<Vec<Value>>("/v1/registers").await? {
        let id = register["id"].as_str().context("a register has an id")?;
        let lines: Vec<Value> = desk.get(&format!("/v1/registers/{id}/numbers")).await?;
        let mut serials: Vec<u64> = lines.iter().filter_map(|line| line["serial"].as_u64()).collect();
        serials.sort_unstable();
        let first = serials.first().copied().unwrap_or(1);
        ensure!(
            serials.iter().zip(first..).all(|(serial, due)| *serial == due),
            "the register has a gap or a double: {serials:?}"
        );
    }
    Ok(())
}

fn ensure_ok(holds: bool, what: &str) -> Result<()> {
    ensure!(holds, "{what}");
    Ok(())
}
