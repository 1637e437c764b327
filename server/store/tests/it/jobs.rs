//! Durable work and idempotent requests.

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};
use trinhky_domain::Digest;
use trinhky_domain::ids::JobId;
use trinhky_domain::paper::Urgency;
use trinhky_store::{Job, Kept, NewJob, Seen};

use crate::on_both;
use crate::world::{NOW, World, fresh, is_conflict};

on_both!(
    work_is_done_urgent_first_and_once,
    work_that_fails_too_often_is_kept_as_dead,
    urgent_work_of_any_kind_goes_first,
    work_commits_with_what_asked_for_it,
    many_workers_never_share_a_job,
    hastened_while_it_runs_it_runs_again_at_once,
    a_request_acts_once,
    a_second_request_in_flight_waits_and_replays,
);

fn job(kind: &str, urgency: Urgency, dedupe: Option<&str>) -> NewJob {
    NewJob {
        id: JobId::at(NOW, fresh()),
        kind: kind.into(),
        payload: "{}".into(),
        dedupe: dedupe.map(str::to_owned),
        urgency,
        run_at: NOW,
        max_runs: 2,
        created: NOW,
    }
}

async fn enqueue(world: &World, job: &NewJob) -> bool {
    let mut tx = world.begin().await;
    let new = tx.enqueue(job).await.expect("stored");
    tx.commit().await.expect("commits");
    new
}

async fn claim(world: &World, token: &str, now: OffsetDateTime) -> Option<Job> {
    let mut tx = world.begin().await;
    let until = now + Duration::seconds(30);
    let jobs = tx.claim_jobs(&["push", "sign"], token, now, until, 1).await.expect("claims");
    tx.commit().await.expect("commits");
    jobs.into_iter().next()
}

async fn work_is_done_urgent_first_and_once(world: World) {
    let (calm, urgent) = (job("push", Urgency::Normal, Some("d1")), job("push", Urgency::Flash, None));
    assert!(enqueue(&world, &calm).await);
    assert!(enqueue(&world, &urgent).await);
    assert!(!enqueue(&world, &job("push", Urgency::Normal, Some("d1"))).await, "the same work waits already");
    assert!(enqueue(&world, &job("other", Urgency::Flash, Some("d1"))).await, "another kind");
    let mut tx = world.read().await;
    assert_eq!(tx.jobs_waiting("push").await.expect("reads"), 2);
    assert_eq!(tx.jobs_due_since("push", NOW).await.expect("reads"), Some(NOW));
    assert_eq!(tx.jobs_due_since("push", NOW - Duration::seconds(1)).await.expect("reads"), None);
    drop(tx);
    let first = claim(&world, "a", NOW).await.expect("due");
    assert_eq!((first.id, first.runs), (urgent.id, 1));
    assert_eq!(claim(&world, "b", NOW).await.expect("due").id, calm.id);
    assert_eq!(claim(&world, "c", NOW).await, None);
    let mut tx = world.begin().await;
    tx.renew_job(&first, NOW + Duration::seconds(60)).await.expect("renewed");
    tx.finish_job(&first).await.expect("finished");
    tx.commit().await.expect("commits");
    let mut tx = world.begin().await;
    assert!(is_conflict(&tx.finish_job(&first).await), "done once");
    drop(tx);
    let again = claim(&world, "d", NOW + Duration::seconds(31)).await.expect("its lease lapsed");
    assert_eq!((again.id, again.runs), (calm.id, 2));
    let mut tx = world.begin().await;
    assert!(
        is_conflict(&tx.finish_job(&Job { lease: "b".into(), ..again }).await),
        "the slow worker is too late"
    );
}

async fn work_that_fails_too_often_is_kept_as_dead(world: World) {
    enqueue(&world, &job("sign", Urgency::Normal, Some("x"))).await;
    let first = claim(&world, "a", NOW).await.expect("due");
    let mut tx = world.begin().await;
    assert!(!tx.retry_job(&first, NOW + Duration::seconds(10), "the line broke").await.expect("stored"));
    tx.commit().await.expect("commits");
    assert_eq!(claim(&world, "b", NOW + Duration::seconds(9)).await, None, "not before its time");
    let second = claim(&world, "b", NOW + Duration::seconds(10)).await.expect("due");
    assert_eq!(second.error.as_deref(), Some("the line broke"));
    let mut tx = world.begin().await;
    assert!(tx.retry_job(&second, NOW, "again").await.expect("stored"), "dead now");
    tx.commit().await.expect("commits");
    assert_eq!(claim(&world, "c", NOW + Duration::hours(1)).await, None);
    let mut tx = world.begin().await;
    let dead = tx.dead_jobs().await.expect("reads");
    assert_eq!((dead.len(), dead[0].error.as_deref()), (1, Some("again")));
    tx.revive_job(second.id, NOW).await.expect("revived");
    tx.commit().await.expect("commits");
    assert_eq!(claim(&world, "d", NOW).await.expect("due").id, second.id);
}

async fn urgent_work_of_any_kind_goes_first(world: World) {
    let jobs = [
        job("push", Urgency::Normal, None),
        job("sign", Urgency::Flash, None),
        NewJob { run_at: NOW - Duration::seconds(1), ..job("sign", Urgency::Normal, None) },
        job("push", Urgency::Urgent, None),
    ];
    for job in &jobs {
        enqueue(&world, job).await;
    }
    assert!(!world.read().await.jobs_are_due(&["other"], NOW).await.expect("reads"));
    assert!(world.read().await.jobs_are_due(&["other", "push"], NOW).await.expect("reads"));
    let mut tx = world.begin().await;
    let until = NOW + Duration::seconds(30);
    let claimed = tx.claim_jobs(&["push", "sign"], "a", NOW, until, 3).await.expect("claims");
    let ids: Vec<_> = claimed.iter().map(|job| job.id).collect();
    assert_eq!(ids, [jobs[1].id, jobs[3].id, jobs[2].id]);
    assert_eq!(tx.claim_jobs(&["push", "sign"], "b", NOW, until, 3).await.expect("claims").len(), 1);
}

/// What a job waits for may come while it looks: then it must not sleep over it.
async fn hastened_while_it_runs_it_runs_again_at_once(world: World) {
    enqueue(&world, &job("sign", Urgency::Normal, Some("x"))).await;
    let first = claim(&world, "a", NOW).await.expect("due");
    let soon = NOW + Duration::seconds(1);
    let mut tx = world.begin().await;
    tx.hasten_job("sign", "x", soon).await.expect("hastened");
    tx.retry_job(&first, NOW + Duration::minutes(5), "waits").await.expect("stored");
    tx.commit().await.expect("commits");
    let second = claim(&world, "b", soon).await.expect("due");
    let mut tx = world.begin().await;
    tx.retry_job(&second, NOW + Duration::minutes(5), "waits").await.expect("stored");
    tx.commit().await.expect("commits");
    assert_eq!(claim(&world, "c", NOW + Duration::minutes(1)).await, None);
}

async fn work_commits_with_what_asked_for_it(world: World) {
    let mut tx = world.begin().await;
    tx.enqueue(&job("push", Urgency::Normal, None)).await.expect("stored");
    drop(tx);
    assert_eq!(claim(&world, "a", NOW).await, None);
}

async fn many_workers_never_share_a_job(world: World) {
    for _ in 0..40 {
        enqueue(&world, &job("push", Urgency::Normal, None)).await;
    }
    let workers = (0..8).map(|n| {
        let world = world.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            let token = format!("w{n}");
            // A claim may come back empty-handed while another holds the row: the count below decides.
            for _ in 0..40 {
                if let Some(job) = claim(&world, &token, NOW).await {
                    let mut tx = world.begin().await;
                    tx.finish_job(&job).await.expect("mine");
                    tx.commit().await.expect("commits");
                    mine.push(job.id);
                }
            }
            mine
        })
    });
    let (mut all, mut count) = (BTreeSet::new(), 0);
    for worker in workers.collect::<Vec<_>>() {
        let mine = worker.await.expect("runs");
        count += mine.len();
        all.extend(mine);
    }
    assert_eq!((all.len(), count), (40, 40));
}

async fn a_request_acts_once(world: World) {
    let (body, other) = (Digest::of(b"body"), Digest::of(b"other"));
    let kept = Kept { status: 200, body: "{\"id\":1}".into() };
    let mut tx = world.begin().await;
    assert_eq!(tx.kept("p1 POST /v1/x", "k", body).await.expect("reads"), Seen::New);
    assert_eq!(tx.seen("p1 POST /v1/x", "k", body, NOW).await.expect("reads"), Seen::New);
    drop(tx);
    let mut tx = world.begin().await;
    assert_eq!(
        tx.seen("p1 POST /v1/x", "k", body, NOW).await.expect("reads"),
        Seen::New,
        "the first one failed"
    );
    assert_eq!(tx.seen("p1 POST /v1/x", "k", body, NOW).await.expect("reads"), Seen::InFlight);
    tx.keep("p1 POST /v1/x", "k", &kept).await.expect("kept");
    tx.commit().await.expect("commits");
    let mut tx = world.begin().await;
    assert_eq!(tx.seen("p1 POST /v1/x", "k", body, NOW).await.expect("reads"), Seen::Replay(kept.clone()));
    assert_eq!(tx.seen("p1 POST /v1/x", "k", other, NOW).await.expect("reads"), Seen::OtherBody);
    assert_eq!(
        tx.seen("p2 POST /v1/x", "k", other, NOW).await.expect("reads"),
        Seen::New,
        "another person's key"
    );
    assert_eq!(tx.purge_keys(NOW).await.expect("purged"), 0);
    assert_eq!(tx.purge_keys(NOW + Duration::seconds(1)).await.expect("purged"), 2);
}

async fn a_second_request_in_flight_waits_and_replays(world: World) {
    let body = Digest::of(b"body");
    let mut first = world.begin().await;
    assert_eq!(first.seen("s", "k", body, NOW).await.expect("reads"), Seen::New);
    let second = {
        let world = world.clone();
        tokio::spawn(async move { world.begin().await.seen("s", "k", body, NOW).await.expect("reads") })
    };
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(!second.is_finished(), "it waits for the first one's end");
    first.keep("s", "k", &Kept { status: 201, body: "{}".into() }).await.expect("kept");
    first.commit().await.expect("commits");
    let seen = second.await.expect("runs");
    assert_eq!(seen, Seen::Replay(Kept { status: 201, body: "{}".into() }));
}
