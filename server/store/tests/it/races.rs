//! What happens when several want the same thing at once.

use std::collections::BTreeSet;

use time::Duration;
use trinhky_domain::calendar::day;
use trinhky_domain::document::StateName;
use trinhky_domain::ids::RegisterId;
use trinhky_domain::paper::Urgency;
use trinhky_domain::register::Serial;
use trinhky_domain::signing::AttemptStateName;
use trinhky_store::{Backend, Error};

use crate::on_both;
use crate::world::{CLERK, LEADER, NOW, SECOND, World, fresh, is_conflict};

on_both!(
    of_two_approvals_one_wins,
    a_decision_counts_once,
    one_live_attempt_per_number,
    fifty_takers_leave_no_gap,
    a_peeked_number_is_taken_once,
    a_void_number_stays_in_the_book,
    the_gate_drives_urgent_ones_first_and_each_one_alone,
    every_number_is_driven_however_many_are_leased,
    one_that_was_overtaken_heads_its_queue_anew,
    a_book_begins_where_paper_ended,
);

async fn of_two_approvals_one_wins(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let (one, two) =
        (world.prepared(id, LEADER, "84900000001").await, world.prepared(id, LEADER, "84900000002").await);
    let document = world.document(id).await;
    let changes = [one, two].map(|attempt| {
        let decision = World::decision(&attempt, LEADER);
        world.approval(document.clone(), LEADER, attempt, decision)
    });
    let (first, second) = tokio::join!(world.apply(&changes[0]), world.apply(&changes[1]));
    let won = [&first, &second].into_iter().filter(|result| result.is_ok()).count();
    let lost = [&first, &second].into_iter().filter(|result| is_conflict(result)).count();
    assert_eq!((won, lost), (1, 1), "{first:?} {second:?}");
    let approved = world.read().await.attempts_in(&[AttemptStateName::Approved]).await.expect("reads");
    assert_eq!(approved.len(), 1, "the loser's attempt was not approved either");
    assert_eq!(world.document(id).await.state.name(), StateName::Signing);
}

async fn a_decision_counts_once(world: World) {
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let attempt = world.prepared(id, LEADER, "84900000001").await;
    let decision = World::decision(&attempt, LEADER);
    let change = world.approval(world.document(id).await, LEADER, attempt, decision.clone());
    world.apply(&change).await.expect("stored");
    assert!(is_conflict(&world.apply(&change).await), "the very same change");
    let other = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let attempt = world.prepared(other, LEADER, "84900000001").await;
    let replay = trinhky_domain::signing::Decision { attempt: attempt.id, ..decision };
    let change = world.approval(world.document(other).await, LEADER, attempt, replay);
    assert!(is_conflict(&world.apply(&change).await), "the same decision for another document");
    assert_eq!(world.document(other).await.state.name(), StateName::AwaitingSignature);
}

async fn one_live_attempt_per_number(world: World) {
    let (one, two) = (
        world.submitted(LEADER, Urgency::Normal, NOW).await,
        world.submitted(LEADER, Urgency::Normal, NOW).await,
    );
    let number = "84900000001";
    let (one, two) = (world.approved(one, LEADER, number).await, world.approved(two, LEADER, number).await);
    assert_eq!(world.read().await.place_in_queue(two.id).await.expect("reads"), 1);
    let window = Duration::minutes(2);
    let first = one.clone().sending(window, NOW).expect("sending");
    world.apply(&first).await.expect("stored");
    let second = two.clone().sending(window, NOW).expect("sending");
    assert!(is_conflict(&world.apply(&second).await), "a second prompt on the number");
    let change = world.attempt(one.id).await.indeterminate(NOW).expect("unknown");
    world.apply(&change).await.expect("stored");
    assert!(is_conflict(&world.apply(&second).await), "nor while nobody knows");
    let mut tx = world.begin().await;
    tx.note_transaction(one.id, "T1").await.expect("noted");
    assert_eq!(tx.transaction_of(one.id).await.expect("reads").as_deref(), Some("T1"));
    tx.commit().await.expect("commits");
    let mut tx = world.begin().await;
    assert!(is_conflict(&tx.note_transaction(one.id, "T2").await), "one request per attempt");
    drop(tx);
    let mut tx = world.begin().await;
    assert!(is_conflict(&tx.note_transaction(two.id, "T1").await), "no transaction twice");
}

async fn fifty_takers_leave_no_gap(world: World) {
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
        waiting.push(world.signed(id, LEADER, "84900000001").await.id);
    }
    let takers = waiting.into_iter().map(|id| {
        let world = world.clone();
        tokio::spawn(
            async move { world.sealing(id).await.expect("numbered").number.expect("a number").serial },
        )
    });
    let mut taken = BTreeSet::new();
    for taker in takers.collect::<Vec<_>>() {
        assert!(taken.insert(taker.await.expect("runs")), "a number twice");
    }
    assert_eq!(taken, (1..=50).map(Serial).collect());
    let mut tx = world.read().await;
    let register = tx.registers_of(world.office.id).await.expect("reads").remove(0);
    assert_eq!(register.last, 50);
    let book = tx.book(register.id, Serial(0), 100).await.expect("reads");
    assert_eq!(book.iter().map(|line| line.serial.0).collect::<Vec<_>>(), (1..=50).collect::<Vec<_>>());
}

/// The number is drawn into a revision before it is taken; whoever commits second draws again.
async fn a_peeked_number_is_taken_once(world: World) {
    let mut documents = Vec::new();
    for _ in 0..2 {
        let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
        documents.push(world.signed(id, LEADER, "84900000001").await);
    }
    let clerk = world.actor(CLERK);
    let mut tx = world.begin().await;
    let (office, series, year) = (documents[0].office, documents[0].series.clone(), day(NOW).year());
    assert_eq!(tx.peek_register(office, &series, year).await.expect("reads"), None);
    tx.register(office, &series, year, RegisterId::at(NOW, fresh())).await.expect("made");
    tx.commit().await.expect("commits");
    let register =
        world.read().await.peek_register(office, &series, year).await.expect("reads").expect("made");
    let changes: Vec<_> =
        documents.into_iter().map(|document| World::numbering(document, &register, &clerk)).collect();
    world.apply(&changes[0]).await.expect("the first");
    assert!(is_conflict(&world.apply(&changes[1]).await), "the second drew a number that is gone");
}

async fn a_void_number_stays_in_the_book(world: World) {
    use trinhky_domain::document::WishKind;
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    world.signed(id, LEADER, "84900000001").await;
    let document = world.sealing(id).await.expect("numbered");
    let change =
        document.give_back(&world.actor(CLERK), WishKind::Withdraw, "in sai", NOW).expect("withdrawn");
    world.apply(&change).await.expect("stored");
    let mut tx = world.read().await;
    let register = tx.registers_of(world.office.id).await.expect("reads").remove(0);
    let book = tx.book(register.id, Serial(0), 10).await.expect("reads");
    assert_eq!(book[0].void.as_ref().expect("void").0, "in sai");
    drop(tx);
    assert!(world.raw("delete from numbers").await.is_err(), "a number cannot be cut out of its book");
}

async fn the_gate_drives_urgent_ones_first_and_each_one_alone(world: World) {
    let window = Duration::minutes(2);
    let until = NOW + Duration::seconds(30);
    let calm = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let urgent = world.submitted(LEADER, Urgency::Flash, NOW).await;
    let other = world.submitted(SECOND, Urgency::Normal, NOW).await;
    let calm = world.approved(calm, LEADER, "84900000001").await;
    let urgent = world.approved(urgent, LEADER, "84900000001").await;
    let other = world.approved(other, SECOND, "84900000002").await;
    let claim = |token: &'static str, now| {
        let world = world.clone();
        async move {
            let mut tx = world.begin().await;
            let claimed = tx.claim_attempt(token, now, now + Duration::seconds(30)).await.expect("claims");
            tx.commit().await.expect("commits");
            claimed.map(|attempt| attempt.id)
        }
    };
    assert_eq!(claim("a", NOW).await, Some(urgent.id));
    assert_eq!(claim("b", NOW).await, Some(other.id), "another number does not wait");
    assert_eq!(claim("c", NOW).await, None, "the calm one waits behind the urgent one");
    let mut tx = world.begin().await;
    let change = world.attempt(urgent.id).await.sending(window, NOW).expect("sending");
    tx.apply_leased(&change, "a").await.expect("the holder writes");
    tx.commit().await.expect("commits");
    let mut tx = world.begin().await;
    assert!(is_conflict(&tx.keep_protocol(urgent.id, "b", "since then".into()).await));
    tx.keep_protocol(urgent.id, "a", "since then".into()).await.expect("the holder writes");
    tx.commit().await.expect("commits");
    assert_eq!(world.attempt(urgent.id).await.protocol.as_deref(), Some("since then"));
    let change = world.attempt(urgent.id).await.accepted("t".into(), NOW).expect("accepted");
    let mut tx = world.begin().await;
    assert!(is_conflict(&tx.apply_leased(&change, "b").await), "a stranger does not");
    drop(tx);
    let mut tx = world.begin().await;
    let tokens = |tokens: &[&str]| tokens.iter().map(|token| (*token).to_owned()).collect::<Vec<_>>();
    assert_eq!(tx.renew_attempts(&tokens(&["a", "x"]), until).await.expect("renewed"), 1, "its own alone");
    assert_eq!(tx.renew_attempts(&tokens(&["x"]), until).await.expect("renewed"), 0);
    tx.commit().await.expect("commits");
    assert_eq!(claim("d", NOW + Duration::seconds(29)).await, None, "leased");
    let later = NOW + Duration::seconds(31);
    assert_eq!(claim("e", later).await, Some(urgent.id), "the lease lapsed: another goes on");
    let mut tx = world.begin().await;
    let stale = tx.apply_leased(&change, "a").await;
    assert!(is_conflict(&stale), "the one who was presumed dead is too late");
    drop(tx);
    let mut tx = world.begin().await;
    tx.release_attempt(urgent.id, "e", later + Duration::seconds(5)).await.expect("released");
    tx.commit().await.expect("commits");
    assert_eq!(claim("f", later).await, Some(other.id));
    assert_eq!(claim("g", later).await, None, "not due before its time");
    assert_eq!(claim("h", later + Duration::seconds(5)).await, Some(urgent.id));
    assert_eq!(world.read().await.place_in_queue(calm.id).await.expect("reads"), 1);
    if world.store.backend() == Backend::Postgres {
        let claims = (0..6).map(|_| tokio::spawn(claim("x", later + Duration::minutes(5))));
        let mut got = Vec::new();
        for one in claims.collect::<Vec<_>>() {
            got.extend(one.await.expect("runs"));
        }
        got.sort_unstable();
        let before = got.len();
        got.dedup();
        assert_eq!(got.len(), before, "one attempt to two processes");
    }
    let gone = world.read().await.attempt(trinhky_domain::ids::AttemptId::at(NOW, 1)).await;
    assert!(matches!(gone, Err(Error::NotFound("attempt"))));
}

async fn every_number_is_driven_however_many_are_leased(world: World) {
    let mut waiting = BTreeSet::new();
    for n in 0..12 {
        let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
        waiting.insert(world.approved(id, LEADER, &format!("849000000{n:02}")).await.id);
    }
    let mut driven = BTreeSet::new();
    for n in 0..12 {
        let mut tx = world.begin().await;
        let claimed =
            tx.claim_attempt(&format!("t{n}"), NOW, NOW + Duration::seconds(30)).await.expect("claims");
        tx.commit().await.expect("commits");
        driven.insert(claimed.expect("one more").id);
    }
    assert_eq!(driven, waiting);
}

/// An urgent one goes next, and the one that stood at the head before has its time again when it stands there again.
async fn one_that_was_overtaken_heads_its_queue_anew(world: World) {
    let calm = world.submitted(LEADER, Urgency::Normal, NOW).await;
    let calm = world.approved(calm, LEADER, "84900000001").await;
    let other = world.submitted(SECOND, Urgency::Normal, NOW).await;
    let other = world.approved(other, SECOND, "84900000002").await;
    for attempt in [calm.clone(), other.clone()] {
        world.apply(&attempt.heads_queue(NOW).expect("heads")).await.expect("stored");
    }
    let window = Duration::minutes(2);
    let lapse = async |id| world.attempt(id).await.lapses_at(window).expect("approved");
    assert_eq!(lapse(calm.id).await, NOW + window);
    let urgent = world.submitted(LEADER, Urgency::Flash, NOW).await;
    world.approved(urgent, LEADER, "84900000001").await;
    assert!(lapse(calm.id).await > NOW + window, "it was overtaken");
    assert_eq!(lapse(other.id).await, NOW + window, "nobody overtook it on another number");
    let again = world.attempt(calm.id).await.heads_queue(NOW + Duration::minutes(5)).expect("heads");
    world.apply(&again).await.expect("stored");
    assert_eq!(lapse(calm.id).await, NOW + Duration::minutes(7));
    let later = world.submitted(LEADER, Urgency::Normal, NOW).await;
    world.approved(later, LEADER, "84900000001").await;
    assert_eq!(lapse(calm.id).await, NOW + Duration::minutes(7), "whoever comes behind it overtakes nobody");
}

async fn a_book_begins_where_paper_ended(world: World) {
    let (office, series, year) =
        (world.office.id, trinhky_domain::register::Series::Administrative, day(NOW).year());
    let mut tx = world.begin().await;
    let new = RegisterId::at(NOW, fresh());
    let register = tx.register(office, &series, year, new).await.expect("made");
    tx.begin_register_after(register.id, 40).await.expect("begun");
    tx.begin_register_after(register.id, 29).await.expect("nothing was taken yet: a mistake is corrected");
    tx.commit().await.expect("commits");
    let id = world.submitted(LEADER, Urgency::Normal, NOW).await;
    world.signed(id, LEADER, "84900000001").await;
    let document = world.sealing(id).await.expect("numbered");
    assert_eq!(document.number.expect("a number").serial, Serial(30));
    let mut tx = world.begin().await;
    assert!(is_conflict(&tx.begin_register_after(register.id, 40).await), "it goes on already");
    drop(tx);
    let kept = world.read().await.peek_register(office, &series, year).await.expect("reads").expect("there");
    assert_eq!((kept.given_before, kept.last), (29, 30));
    let lines = world.read().await.book(register.id, Serial(0), 9).await.expect("reads");
    assert_eq!(lines.iter().map(|line| line.serial).collect::<Vec<_>>(), [Serial(30)]);
}
