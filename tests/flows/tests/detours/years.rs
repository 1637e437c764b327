//! The turn of the year, in the world's time: a number that was taken before the signature and that nobody signed in its year
//! is void, and the document goes on under the next one.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use trinhky_domain::ids::DocumentId;
use trinhky_flows::clerk::{Desk, refusal};
use trinhky_flows::kept::Rows;
use trinhky_flows::main_job::{self, Cast, PATIENCE};
use trinhky_flows::rig::{Part, Plan, Rig};
use trinhky_flows::sims::control;
use trinhky_protos::document::DocumentView;

/// The world's time, and by how much it is ahead.
async fn time_of(rig: &Rig) -> Result<(OffsetDateTime, f64)> {
    let said: Value = Desk::new(&rig.world.control_url)?.get("/clock").await?;
    let microseconds = said["now_us"].as_i64().context("a time")?;
    let now = OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1_000)?;
    Ok((now, said["offset_seconds"].as_f64().context("an offset")?))
}

/// The world's time is now this.
async fn turn(rig: &Rig, to: OffsetDateTime) -> Result<()> {
    let (now, offset) = time_of(rig).await?;
    let offset = offset + (to - now).as_seconds_f64();
    control(rig, "clock", json!({ "offset_seconds": offset })).await
}

async fn renumbered(desk: &Desk, document: DocumentId, year: i32) -> Result<DocumentView> {
    let looked = async {
        loop {
            let view = desk.document(document).await?;
            let of_year = view.date.as_deref().is_some_and(|date| date.starts_with(&year.to_string()));
            if of_year && view.state.name == "awaiting_signature" {
                return Ok::<_, anyhow::Error>(view);
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.context("it was not renumbered")?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_last_year_is_void_and_the_document_is_released_under_the_next() -> Result<()> {
    let plan = Plan { profile: "kien_giang_2017", told_clock: true, ..Plan::default() };
    let mut rig = Rig::start(&plan).await?;
    let cast = Cast::gather(&rig).await?;
    let year = time_of(&rig).await?.0.year();
    let december = datetime!(2000-12-31 09:00 +7).replace_year(year)?;
    let january = december + Duration::days(3);
    turn(&rig, december).await?;
    let mut documents = Vec::new();
    for _ in 0..3 {
        let document = main_job::submitted(&cast, &rig.world.demo_pdf).await?;
        cast.clerk.wait_for(document, "awaiting_signature", PATIENCE).await?;
        documents.push(document);
    }
    let [signed, waits, returned] = documents.as_slice() else { unreachable!("three were made") };
    cast.leader.desk()?.give_back(*returned, "Sửa khoản 2").await?;
    // In its year nobody takes a number away.
    let path = format!("/v1/documents/{waits}/renumber");
    let said = cast.clerk.post::<Value>(&path, &Value::Null).await.err().context("renumbered in its year")?;
    ensure!(refusal(&said) == "wrong_state", "{said:#}");

    // The worker is away at midnight, and the clerk is early.
    rig.stop(Part::Work).await?;
    turn(&rig, january).await?;
    let early = cast.leader.approve(*waits).await;
    ensure!(early.is_err(), "a leader signed under a number of last year");
    let drawing: DocumentView = cast.clerk.post(&path, &Value::Null).await?;
    ensure!(
        drawing.state.name == "in_review" && drawing.number.as_deref() == Some("01/QĐ-UBND"),
        "{drawing:?}"
    );
    rig.up(Part::Work, &[]).await?;
    let first = renumbered(&cast.clerk, *waits, january.year()).await?;
    // The other one by itself.
    let second = renumbered(&cast.clerk, *signed, january.year()).await?;
    let mut numbers = [first.number.clone(), second.number.clone()];
    numbers.sort();
    ensure!(numbers == [Some("01/QĐ-UBND".into()), Some("02/QĐ-UBND".into())], "{numbers:?}");

    let uploaded = cast.drafter.upload(&rig.world.demo_pdf).await?;
    cast.drafter.revise(*returned, &cast.request(&uploaded)).await?;
    cast.drafter.submit(*returned).await?;
    let third = renumbered(&cast.clerk, *returned, january.year()).await?;
    ensure!(third.number.as_deref() == Some("03/QĐ-UBND"), "{third:?}");

    let mut rows = Rows::of(&rig).await?;
    let void = "select count(*) from numbers where void_reason = 'hết năm'";
    ensure!(rows.number(void).await? == 3, "three numbers of last year are void");
    ensure!(rows.number("select count(*) from numbers").await? == 6, "six in all");

    cast.leader.approve(*signed).await?;
    cast.clerk.wait_for(*signed, "awaiting_number", PATIENCE).await?;
    let released = main_job::seal_and_release(&rig, &cast, *signed).await?;
    ensure!(released.number == second.number && released.date == second.date, "{released:?}");
    Ok(())
}
