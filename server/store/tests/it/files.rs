//! Files as rows know them, and what an attempt carries beside its state.

use trinhky_domain::Digest;
use trinhky_domain::paper::Urgency;
use trinhky_store::{Error, Layout, Segment, StoredFile};

use crate::on_both;
use crate::world::{CLERK, LEADER, NOW, SECOND, World, fresh, person_id, whole};

on_both!(
    a_revision_is_its_base_and_its_tails,
    whoever_brought_the_same_bytes_may_use_them,
    only_those_with_a_part_may_read,
    what_rows_name_is_spared,
    an_attempt_carries_its_dossier,
    a_received_signature_has_a_job_or_is_named,
);

async fn a_revision_is_its_base_and_its_tails(world: World) {
    let [base, first, second] = [b"base", b"one!", b"two!"].map(|bytes| Digest::of(bytes));
    let [tail_one, tail_two] = [b"t1", b"t2"].map(|bytes| Digest::of(bytes));
    let appended = |sha256, base, tail, tail_length, length| StoredFile {
        layout: Layout::Appended { base, tail, tail_length },
        ..whole(sha256, length)
    };
    let mut tx = world.begin().await;
    tx.add_file(&whole(base, 100)).await.expect("stored");
    tx.add_file(&whole(base, 100)).await.expect("twice is once");
    let one = appended(first, base, tail_one, 20, 120);
    tx.add_file(&one).await.expect("stored");
    tx.add_file(&appended(second, first, tail_two, 3, 123)).await.expect("stored");
    assert_eq!(tx.file(first).await.expect("there"), one);
    let segments = tx.segments(second).await.expect("three");
    let expected = [(base, 100), (tail_one, 20), (tail_two, 3)];
    assert_eq!(segments, expected.map(|(sha256, length)| Segment { sha256, length }));
    let wrong = Digest::of(b"wrong");
    tx.add_file(&appended(wrong, first, tail_two, 3, 999)).await.expect("stored");
    assert!(matches!(tx.segments(wrong).await, Err(Error::Corrupt { table: "files", .. })));
    tx.commit().await.expect("commits");
    let mut tx = world.begin().await;
    let unknown = appended(Digest::of(b"x"), Digest::of(b"nowhere"), tail_two, 3, 4);
    assert!(tx.add_file(&unknown).await.is_err(), "the base must be known");
}

async fn whoever_brought_the_same_bytes_may_use_them(world: World) {
    let form = Digest::of(b"a form that everybody has");
    let mut tx = world.begin().await;
    for person in [CLERK, LEADER, CLERK] {
        let by = Some(person_id(person));
        tx.add_file(&StoredFile { by, ..whole(form, 25) }).await.expect("stored");
    }
    for (person, has) in [(CLERK, true), (LEADER, true), (SECOND, false)] {
        assert_eq!(tx.has_brought(person_id(person), form).await.expect("reads"), has);
    }
    assert_eq!(tx.file(form).await.expect("there").by, Some(person_id(CLERK)));
}

async fn only_those_with_a_part_may_read(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let base = world.document(id).await.head.sha256;
    let signed = world.signed(id, LEADER, "84900000001").await.head.sha256;
    let mut tx = world.read().await;
    for (person, may) in [(LEADER, true), (CLERK, true), (SECOND, false)] {
        for file in [base, signed] {
            assert_eq!(tx.may_read(person_id(person), file).await.expect("reads"), may);
        }
    }
}

async fn what_rows_name_is_spared(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let base = world.document(id).await.head.sha256;
    let signed = world.signed(id, LEADER, "84900000001").await;
    world.sealing(id).await.expect("numbered");
    let mut tx = world.read().await;
    for named in
        [base, Digest::of(b"tail of the signature"), Digest::of(b"tail of the seal"), signed.manifest]
    {
        assert!(tx.referenced(named).await.expect("reads"), "{named}");
    }
    let whole_revision = signed.head.sha256;
    assert!(!tx.referenced(whole_revision).await.expect("reads"), "a revision is no blob of its own");
    assert!(!tx.referenced(Digest::of(b"nothing")).await.expect("reads"));
}

async fn an_attempt_carries_its_dossier(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let attempt = world.signed(id, LEADER, "84900000001").await.signed[0].attempt;
    world.sealing(id).await.expect("numbered");
    let mut tx = world.begin().await;
    assert_eq!(tx.dossier(attempt).await.expect("reads"), None);
    tx.set_dossier(attempt, "{\"code\":\"1234\"}").await.expect("set");
    assert_eq!(tx.dossier(attempt).await.expect("reads").as_deref(), Some("{\"code\":\"1234\"}"));
    assert_eq!(tx.watched_at(attempt).await.expect("reads"), None);
    let unknown = trinhky_domain::ids::AttemptId::at(NOW, 1);
    tx.watch_all(&[attempt, unknown], NOW).await.expect("watched");
    assert_eq!(tx.watched_at(attempt).await.expect("reads"), Some(NOW));
    tx.set_waiting_for(attempt, Some("timestamp")).await.expect("set");
    assert_eq!(tx.waiting_for(attempt).await.expect("reads").as_deref(), Some("timestamp"));
    tx.set_waiting_for(attempt, None).await.expect("cleared");
    assert_eq!(tx.waiting_for(attempt).await.expect("reads"), None);
    let seal = tx.seal_task_of(id).await.expect("reads").expect("prepared").id;
    tx.set_seal_dossier(seal, "{}").await.expect("set");
    assert_eq!(tx.seal_dossier(seal).await.expect("reads").as_deref(), Some("{}"));
    let version = tx.attempt(attempt).await.expect("reads").version.0;
    let versions = tx.attempt_versions(&[unknown, attempt]).await.expect("reads");
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), [(attempt, version)]);
    assert_eq!(tx.attempt_versions(&[]).await.expect("reads").len(), 0);
}

async fn a_received_signature_has_a_job_or_is_named(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let approved = world.approved(id, LEADER, "84900000001").await;
    let named =
        async |world: &World| world.read().await.attempts_without_job("finish", 10).await.expect("reads");
    assert_eq!(named(&world).await, [], "nothing was received yet");
    let attempt = world.stamped(approved).await.id;
    assert_eq!(named(&world).await, [(attempt, Urgency::Normal)]);
    let mut tx = world.begin().await;
    let job = trinhky_store::NewJob {
        id: trinhky_domain::ids::JobId::at(NOW, fresh()),
        kind: "finish".into(),
        payload: "{}".into(),
        dedupe: Some(attempt.to_string()),
        urgency: Urgency::Normal,
        run_at: NOW,
        max_runs: 1,
        created: NOW,
    };
    tx.enqueue(&job).await.expect("stored");
    tx.commit().await.expect("commits");
    assert_eq!(named(&world).await, []);
}
