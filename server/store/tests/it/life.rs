//! A document from its draft to its receipts, every state stored and read back.

use time::Duration;
use trinhky_domain::audit::{By, Entry, Event, leaf_hash};
use trinhky_domain::document::{State, StateName, Step, StepKind, WishKind};
use trinhky_domain::paper::Urgency;
use trinhky_domain::register::Serial;
use trinhky_domain::release::{CopyState, Receipt};
use trinhky_domain::signing::{AttemptStateName, Failure};
use trinhky_store::Error;

use crate::on_both;
use crate::world::{CLERK, DRAFTER, LEADER, NOW, SECOND, World, is_conflict, person_id};

on_both!(
    a_document_lives_its_whole_life,
    opinions_are_kept_with_the_bytes_they_are_about,
    a_failed_attempt_and_a_rejection_are_stored,
    a_late_signature_is_kept_sealed_only,
    the_inbox_is_urgent_first_and_pages_without_gaps,
    a_corrupt_row_is_named_and_not_guessed_at,
    what_a_row_must_have_is_checked_by_the_database_too,
);

async fn a_document_lives_its_whole_life(world: World) {
    let id = world.submitted(LEADER, Urgency::Urgent, NOW).await;
    let document = world.signed(id, LEADER, "84900000001").await;
    assert_eq!(document.state, State::AwaitingNumber);
    let document = world.sealing(id).await.expect("numbered");
    assert_eq!(document.number.as_ref().expect("a number").to_string(), "01/QĐ-UBND");
    let document = world.sealed(id).await;
    assert_eq!(document.state, State::Sealed);
    let document = world.released(id).await;
    assert_eq!(document.state.name(), StateName::Released);

    let mut tx = world.read().await;
    let attempt = tx.attempts_of(id).await.expect("reads").remove(0);
    let evidence = tx.signature_of(attempt.id).await.expect("reads").expect("kept after use");
    assert_eq!(
        (evidence.raw, evidence.cms, evidence.stamped_cms),
        (vec![1, 2, 3], Some(vec![4, 5]), Some(vec![6, 7]))
    );
    let decisions = tx.decisions_of(id).await.expect("reads");
    assert_eq!(tx.decision(decisions[0].id).await.expect("reads").as_ref(), decisions.first());
    let last = tx.last_decision_of(decisions[0].device).await.expect("reads");
    assert_eq!(last.as_ref(), decisions.first());
    let register = tx.registers_of(world.office.id).await.expect("reads").remove(0);
    let book = tx.book(register.id, Serial(0), 10).await.expect("reads");
    assert_eq!((book.len(), book[0].document, book[0].number.as_str()), (1, id, "01/QĐ-UBND"));
    let found = tx.document_by_head(document.head.sha256).await.expect("found");
    assert_eq!(found, document);
    assert_eq!(tx.segments(document.head.sha256).await.expect("three").len(), 3);
    assert!(tx.opinions_of(id).await.expect("reads").is_empty());
    assert!(tx.has_part(person_id(CLERK), id).await.expect("reads"));
    assert!(!tx.has_part(person_id(SECOND), id).await.expect("reads"));
    assert_eq!(tx.documents_in(world.office.id, StateName::Released, 10).await.expect("reads").len(), 1);
    assert_eq!(tx.count_documents_in(world.office.id, StateName::Draft).await.expect("reads"), 0);
    drop(tx);

    let mut tx = world.begin().await;
    let copy = tx.copies_of(id).await.expect("reads").remove(0);
    tx.apply(&copy.handed(NOW).expect("handed")).await.expect("stored");
    let copy = tx.copies_of(id).await.expect("reads").remove(0);
    let receipt = Receipt { code: "03".into(), description: None };
    tx.apply(&copy.clone().receive(&receipt, NOW).expect("received")).await.expect("stored");
    let stale = copy.receive(&receipt, NOW).expect("received");
    assert!(is_conflict(&tx.apply(&stale).await), "a receipt on an old version");
    drop(tx);
    let mut tx = world.begin().await;
    let copy = tx.copies_of(id).await.expect("reads").remove(0);
    assert_eq!(copy.state, CopyState::Queued, "the dropped transaction left nothing behind");
    assert_eq!(tx.copy(copy.id).await.expect("there"), copy);
    let document = tx.document(id).await.expect("there");
    let recall = document.recall(&world.actor(CLERK), "sai nội dung", vec![copy], NOW).expect("recalled");
    tx.apply(&recall).await.expect("stored");
    tx.commit().await.expect("commits");
    assert!(matches!(world.document(id).await.state, State::Released { recall: Some(_), .. }));

    let mut tx = world.begin().await;
    tx.record(&Entry::new(Event::DocumentRead, By::process("serve"), NOW).about(id)).await.expect("recorded");
    tx.record(&Entry::new(Event::DocumentRead, By::process("serve"), NOW).about(id))
        .await
        .expect("twice at once");
    while tx.sequence_journal(5).await.expect("sequenced") > 0 {}
    let tree = tx.tree().await.expect("a tree");
    let lines = tx.journal_of(id).await.expect("reads");
    let events: Vec<_> = lines.iter().map(|line| line.entry.event).collect();
    for event in [
        Event::DocumentDrafted,
        Event::DocumentSubmitted,
        Event::DocumentApproved,
        Event::AttemptSending,
        Event::AttemptSigned,
        Event::DocumentSigned,
        Event::SealPrepared,
        Event::DocumentSealed,
        Event::DocumentReleased,
        Event::RecallAsked,
    ] {
        assert!(events.contains(&event), "{event} is missing");
    }
    for line in &lines {
        let index = line.index.expect("placed");
        let proof = tx.prove(index, tree.size).await.expect("a proof");
        assert!(proof.proves(&line.bytes, tree.root), "leaf {index} {}", leaf_hash(&line.bytes));
        assert_eq!(&tx.journal_line(index).await.expect("there"), line);
    }
    assert_eq!(tx.check_journal().await.expect("whole"), tree.size);
}

async fn opinions_are_kept_with_the_bytes_they_are_about(world: World) {
    let steps = vec![Step { kind: StepKind::Content, person: person_id(SECOND) }];
    let id = world.submitted_through(steps, LEADER, Urgency::Normal, NOW).await;
    let checker = world.actor(SECOND);
    let document = world.document(id).await;
    assert_eq!(document.state, State::InReview { step: 0 });
    let seen = document.bundle.digest();
    let change = document.reviewing(&checker).expect("the turn").pass(&checker, "nhất trí", seen, None, NOW);
    let change = change.expect("passed");
    world.apply(&change).await.expect("stored");
    let opinions = world.read().await.opinions_of(id).await.expect("reads");
    assert_eq!(opinions.as_slice(), change.opinion().map(std::slice::from_ref).expect("an opinion"));
    assert_eq!(world.document(id).await.state, State::AwaitingSignature { signer: 0 });
}

async fn a_failed_attempt_and_a_rejection_are_stored(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let attempt = world.approved(id, LEADER, "84900000001").await;
    let change = attempt.sending(Duration::minutes(2), NOW).expect("sending");
    world.apply(&change).await.expect("stored");
    let change =
        world.attempt(change.attempt().expect("one").to().id).await.indeterminate(NOW).expect("unknown");
    world.apply(&change).await.expect("stored");
    let attempt = world.attempt(change.attempt().expect("one").to().id).await;
    assert_eq!(attempt.state.name(), AttemptStateName::Indeterminate);
    let found = world.read().await.attempts_in(&[AttemptStateName::Indeterminate]).await.expect("reads");
    assert_eq!(found, std::slice::from_ref(&attempt));
    let signing = world.document(id).await.signing(attempt).expect("its attempt");
    world.apply(&signing.ended(Failure::Expired, NOW).expect("ended")).await.expect("stored");
    let document = world.document(id).await;
    assert_eq!(document.state, State::AwaitingSignature { signer: 0 });
    let reject =
        document.give_back(&world.actor(LEADER), WishKind::Reject, "không đồng ý", NOW).expect("rejected");
    world.apply(&reject).await.expect("stored");
    let document = world.document(id).await;
    assert!(matches!(document.state, State::Rejected { .. }));
    assert_eq!(document.waits_for(), None);
}

async fn a_late_signature_is_kept_sealed_only(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let attempt = world.approved(id, LEADER, "84900000001").await;
    let attempt = world.stamped(attempt).await;
    let document = world.document(id).await;
    let wish =
        document.give_back(&world.actor(DRAFTER), WishKind::Withdraw, "sai nơi nhận", NOW).expect("noted");
    world.apply(&wish).await.expect("stored");
    let signing = world.document(id).await.signing(attempt.clone()).expect("its attempt");
    world.apply(&signing.hold(vec![9, 9], NOW).expect("held")).await.expect("stored");
    assert_eq!(world.document(id).await.state, State::Withdrawn);
    assert_eq!(world.attempt(attempt.id).await.state.name(), AttemptStateName::SignedHeld);
    let plain = world.read().await.signature_of(attempt.id).await.expect("reads");
    assert_eq!(plain, None, "nothing usable is left in the row");
}

async fn the_inbox_is_urgent_first_and_pages_without_gaps(world: World) {
    let mut expected = Vec::new();
    for n in 0..7i64 {
        let urgency =
            [Urgency::Normal, Urgency::Flash, Urgency::Urgent][usize::try_from(n % 3).expect("small")];
        let since = NOW - Duration::minutes(n / 2);
        let id = world.submitted(LEADER, urgency, since).await;
        expected.push((-urgency.rank(), since, id));
    }
    world.submitted(SECOND, Urgency::Flash, NOW).await;
    expected.sort_unstable();
    let mut tx = world.read().await;
    let (mut got, mut cursor) = (Vec::new(), None);
    loop {
        let page = tx.inbox(person_id(LEADER), cursor.as_ref(), 2).await.expect("reads");
        assert!(page.items.len() <= 2);
        got.extend(page.items.into_iter().map(|document| document.id));
        let Some(next) = page.next else { break };
        cursor = Some(next.to_string().parse().expect("a cursor"));
    }
    assert_eq!(got, expected.iter().map(|(_, _, id)| *id).collect::<Vec<_>>());
    let count = tx.count_inbox(person_id(LEADER)).await.expect("reads");
    assert_eq!((count.waiting, count.urgent), (7, 4));
    let (mut seen, mut cursor) = (0, None);
    loop {
        let states = [StateName::AwaitingSignature];
        let page = tx.documents_of(person_id(DRAFTER), &states, cursor.as_ref(), 3).await.expect("reads");
        seen += page.items.len();
        let Some(next) = page.next else { break };
        cursor = Some(next);
    }
    assert_eq!(seen, 8, "the drafter sees all");
}

async fn a_corrupt_row_is_named_and_not_guessed_at(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let spoils = [
        "update documents set assignee_id = null",
        "update documents set urgency = 3",
        "update documents set chain = '{}'",
        "update documents set version = -1",
        "update documents set state = 'sealed', signer = null, number = 'x'",
    ];
    for spoil in spoils {
        let kept = world.document(id).await;
        world.raw(spoil).await.expect("spoilt");
        let found = world.read().await.document(id).await;
        match found {
            Err(Error::Corrupt { table: "documents", row, .. }) => assert_eq!(row, id.to_string()),
            other => panic!("{spoil}: {other:?}"),
        }
        let restore = format!(
            "update documents set assignee_id = '{}', urgency = 0, chain = '{}', version = {}, \
             state = 'awaiting_signature', signer = 0, number = null",
            person_id(LEADER),
            serde_json::to_string(&kept.chain).expect("plain data"),
            kept.version
        );
        world.raw(&restore).await.expect("restored");
    }
}

async fn what_a_row_must_have_is_checked_by_the_database_too(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    world.approved(id, LEADER, "84900000001").await;
    for refused in [
        "update documents set state = 'lost'",
        "update documents set state = 'released', signer = null, attempt_id = null",
        "update documents set signer = null",
        "update attempts set state = 'signed_raw'",
        "update attempts set state = 'accepted'",
        "update attempts set document_id = null",
        "update attempts set urgency = 9",
    ] {
        assert!(world.raw(refused).await.is_err(), "{refused}");
    }
}
