//! A document from its draft to its receipts, every state stored and read back.

use time::Duration;
use trinhky_domain::audit::{By, Entry, Event, leaf_hash};
use trinhky_domain::document::{Adopted, State, StateName, Step, StepKind, WishKind};
use trinhky_domain::paper::Urgency;
use trinhky_domain::register::Serial;
use trinhky_domain::release::{CopyState, Hindrance, Receipt};
use trinhky_domain::signing::{AttemptStateName, Decision, DecisionKind, Failure};
use trinhky_store::Error;

use crate::on_both;
use crate::world::{CLERK, DRAFTER, LEADER, NOW, SECOND, World, is_conflict, person_id};

on_both!(
    a_document_lives_its_whole_life,
    opinions_are_kept_with_the_bytes_they_are_about,
    a_failed_attempt_and_a_rejection_are_stored,
    a_late_signature_is_kept_sealed_only,
    a_late_signature_is_adopted_or_destroyed_by_a_second_decision,
    the_inbox_is_urgent_first_and_pages_without_gaps,
    documents_are_listed_urgent_first_then_oldest_and_pages_stay_right,
    a_corrupt_row_is_named_and_not_guessed_at,
    a_corrupt_row_stops_none_of_the_others,
    numbers_in_bases_that_nobody_signed_are_found_by_their_day,
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
    let waits =
        document.copy_hindered(copy, Hindrance::MailNotSetUp, None, NOW).expect("waits").expect("is new");
    tx.apply(&waits).await.expect("stored");
    let copy = tx.copies_waiting_for_mail().await.expect("reads").remove(0);
    tx.apply(&copy.handed(NOW).expect("handed")).await.expect("stored");
    let copy = tx.copies_of(id).await.expect("reads").remove(0);
    let receipt = Receipt { code: "03".into(), description: None };
    tx.apply(&copy.clone().receive(&receipt, By::process("work"), NOW).expect("received"))
        .await
        .expect("stored");
    let stale = copy.receive(&receipt, By::process("work"), NOW).expect("received");
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

async fn a_late_signature_is_adopted_or_destroyed_by_a_second_decision(world: World) {
    for adopts in [true, false] {
        let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
        let attempt = world.approved(id, LEADER, "84900000001").await;
        let attempt = world.stamped(attempt).await;
        let leader = world.actor(LEADER);
        let wish = world.document(id).await.give_back(&leader, WishKind::Return, "sai", NOW).expect("noted");
        world.apply(&wish).await.expect("stored");
        let signing = world.document(id).await.signing(attempt.clone()).expect("its attempt");
        world.apply(&signing.hold(vec![9, 9], NOW).expect("held")).await.expect("stored");

        let waiting = world.read().await.held_of(person_id(LEADER)).await.expect("reads");
        assert_eq!(waiting.iter().map(|held| held.id).collect::<Vec<_>>(), [attempt.id]);
        assert_eq!(waiting[0].protocol, None, "the machine knew the value in plain");
        let kind = if adopts { DecisionKind::Adopt } else { DecisionKind::Void };
        let decision = Decision { kind, ..World::decision(&attempt, LEADER) };
        let held = world.document(id).await.held(&leader, waiting[0].clone()).expect("the leader's");
        let change = if adopts {
            let adopted = Adopted { signature: vec![7], cms: vec![8] };
            held.adopt(&leader, world.appointed(LEADER), adopted, decision.clone(), &world.profile)
        } else {
            held.void(&leader, "không dùng", decision.clone())
        };
        let change = change.expect("decided");
        world.apply(&change).await.expect("stored");
        assert!(is_conflict(&world.apply(&change).await), "once");

        let mut tx = world.read().await;
        let first = tx.decision_of(attempt.id).await.expect("reads").expect("approved");
        assert_eq!(first.kind, DecisionKind::Approve);
        assert_eq!(tx.decision(decision.id).await.expect("reads"), Some(decision.clone()));
        let last = tx.last_decision_of(decision.device).await.expect("reads").expect("one");
        assert_eq!(tx.decisions_of(id).await.expect("reads").len(), 2);
        assert!([first.id, decision.id].contains(&last.id));
        assert!(tx.held_of(person_id(LEADER)).await.expect("reads").is_empty());
        let received = tx.signature_of(attempt.id).await.expect("reads");
        let name = world.attempt(attempt.id).await.state.name();
        if adopts {
            assert_eq!(name, AttemptStateName::Verified);
            let received = received.expect("it counts");
            assert_eq!((received.raw, received.cms), (vec![7], Some(vec![8])));
            let due = tx.attempts_without_job("finish_signature", 9).await.expect("reads");
            assert!(due.iter().any(|(due, _)| *due == attempt.id), "the worker goes on with it");
        } else {
            assert_eq!((name, received), (AttemptStateName::Voided, None));
        }
    }
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
        assert!(page.items.len() == 2 || page.next.is_none(), "a page is full whatever the others are in");
        got.extend(page.items.into_iter().map(|document| document.id));
        let Some(next) = page.next else { break };
        cursor = Some(next.to_string().parse().expect("a cursor"));
    }
    assert_eq!(got, expected.iter().map(|(_, _, id)| *id).collect::<Vec<_>>());
    let count = tx.count_inbox(person_id(LEADER)).await.expect("reads");
    assert_eq!((count.waiting, count.urgent), (7, 4));
}

/// Every document one has a part in, urgent ones first, then the oldest: what is added or closed between two pages moves no
/// row of the others.
async fn documents_are_listed_urgent_first_then_oldest_and_pages_stay_right(world: World) {
    let mut expected = Vec::new();
    for n in 0..7usize {
        let urgency = [Urgency::Normal, Urgency::Flash, Urgency::Urgent][n % 3];
        expected.push((-urgency.rank(), world.submitted(LEADER, urgency, NOW).await));
    }
    expected.sort_unstable();
    let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    let states = [StateName::AwaitingSignature, StateName::Withdrawn];
    let (mut got, mut cursor) = (Vec::new(), None);
    for page_number in 0.. {
        let mut tx = world.read().await;
        let page = tx.documents_of(person_id(DRAFTER), &states, cursor.as_ref(), 2).await.expect("reads");
        drop(tx);
        assert!(page.items.len() == 2 || page.next.is_none(), "a page is full whatever the others are in");
        got.extend(page.items.into_iter().map(|document| document.id));
        let Some(next) = page.next else { break };
        cursor = Some(next.to_string().parse().expect("a cursor"));
        if page_number == 0 {
            // One that was shown is closed, and an urgent one comes in that belongs before all of them.
            let shown = world.document(got[0]).await;
            let change = shown.give_back(&world.actor(DRAFTER), WishKind::Withdraw, "thôi", NOW);
            world.apply(&change.expect("withdrawn")).await.expect("stored");
            world.submitted(LEADER, Urgency::Flash, NOW).await;
        }
    }
    assert_eq!(got.len(), got.iter().collect::<std::collections::BTreeSet<_>>().len(), "none twice");
    let old: Vec<_> = got.iter().filter(|id| expected.contains(id)).copied().collect();
    assert_eq!(old, expected, "none lost, in order");

    let calm = *expected.last().expect("the last one");
    let awaiting = world.document(calm).await.awaiting(&world.actor(LEADER)).expect("the turn");
    let change = awaiting.decide_urgency(&world.actor(LEADER), Urgency::Flash, NOW);
    world.apply(&change).await.expect("stored");
    let first = world.read().await.documents_of(person_id(LEADER), &[], None, 20).await.expect("reads");
    let begin = world.read().await.documents_of(person_id(LEADER), &[], None, 3).await.expect("reads");
    let rest = world.read().await.documents_of(person_id(LEADER), &[], begin.next.as_ref(), 20).await;
    let parts = [begin.items, rest.expect("reads").items].concat();
    assert_eq!(parts, first.items, "whatever their states");
    let place = first.items.iter().position(|document| document.id == calm).expect("listed");
    let flash = first.items.iter().filter(|document| document.particulars.urgency == Urgency::Flash).count();
    assert!(place < flash, "whom the signer made urgent goes with the urgent ones");
}

/// Work that goes through a list is not stopped by a row that makes no sense: it is set aside.
async fn a_corrupt_row_stops_none_of_the_others(world: World) {
    let mut attempts = Vec::new();
    for n in 0..3 {
        let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
        attempts.push(world.approved(id, LEADER, &format!("8490000000{n}")).await.id);
    }
    world
        .raw(&format!("update attempts set msisdn = 'nobody' where attempt_id = '{}'", attempts[0]))
        .await
        .expect("spoilt");
    let sound = world.read().await.attempts_in(&[AttemptStateName::Approved]).await.expect("reads");
    assert_eq!(sound.iter().map(|attempt| attempt.id).collect::<Vec<_>>(), attempts[1..]);
    let mut claimed = Vec::new();
    for token in ["a", "b", "c"] {
        let mut tx = world.begin().await;
        claimed.extend(tx.claim_attempt(token, NOW, NOW + Duration::minutes(1)).await.expect("claims"));
        tx.commit().await.expect("commits");
    }
    assert_eq!(claimed.iter().map(|attempt| attempt.id).collect::<Vec<_>>(), attempts[1..]);
}

/// What the turn of the year asks for, and nothing else.
async fn numbers_in_bases_that_nobody_signed_are_found_by_their_day(world: World) {
    let before = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let after = world.submitted(LEADER, Urgency::Normal, NOW).await;
    world.signed(after, LEADER, "84900000001").await;
    world.sealing(after).await.expect("numbered");
    let day = trinhky_domain::calendar::day(NOW);
    let numbered = world.document(after).await.number.expect("numbered");
    let move_it = format!("update numbers set document_id = '{before}' where serial = {}", numbered.serial.0);
    world.raw(&move_it).await.expect("moved");
    let find = async |day| world.read().await.documents_numbered_before(day, 9).await.expect("reads");
    assert!(find(day.next_day().expect("a day")).await.is_empty(), "numbered after the signature");
    world.raw("update documents set numbering = 'before_sign'").await.expect("another rule");
    assert_eq!(find(day.next_day().expect("a day")).await, [before]);
    assert!(find(day).await.is_empty(), "of this year");
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
