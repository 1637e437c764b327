//! Late signatures: adopted while they fit, given up, and nobody's but the leader's.

use time::macros::datetime;

use super::house::*;
use super::*;
use crate::audit::Event;
use crate::change::Change;
use crate::document::{Adopted, Held};
use crate::signing::{AttemptState, DecisionKind};

/// A signature of the leader that came after `kind`.
fn late(house: &mut House, kind: WishKind) -> (Document, Attempt) {
    let document = house.submitted(&[LEADER], false);
    late_on(house, &document, kind)
}

fn late_on(house: &House, document: &Document, kind: WishKind) -> (Document, Attempt) {
    let (document, attempt) =
        house.approve(document, LEADER, &document.terms(Capacity::Head)).expect("approved");
    let who = if kind == WishKind::Withdraw { DRAFTER } else { LEADER };
    let document = doc(&document.give_back(&house.actor(who), kind, "sai căn cứ", NOW).expect("noted"));
    let change =
        document.signing(to_stamped(attempt)).expect("its attempt").hold(vec![9], NOW).expect("held");
    assert_eq!(attempt_of(&change).protocol, None, "the machine remembers the value in plain");
    (doc(&change), attempt_of(&change))
}

fn decision(house: &House, attempt: &Attempt, kind: DecisionKind) -> Decision {
    Decision { id: DecisionId::at(NOW, 90), kind, ..house.decision(attempt, LEADER) }
}

fn adopt(house: &House, held: Held) -> Result<Change, Refused> {
    let decision = decision(house, held.attempt(), DecisionKind::Adopt);
    let adopted = Adopted { signature: vec![1], cms: vec![2] };
    let appointment = house.appointed(LEADER, Capacity::Head);
    held.adopt(&house.actor(LEADER), appointment, adopted, decision, &house.profile)
}

#[test]
fn a_late_signature_that_still_fits_is_adopted_and_goes_on_as_any_other() {
    for kind in [WishKind::Return, WishKind::Withdraw, WishKind::Reject] {
        let mut house = House::new("nd30_default");
        let (document, attempt) = late(&mut house, kind);
        let before = document.version;
        let signature = document.held(&house.actor(LEADER), attempt).expect("the leader's");
        let change = adopt(&house, signature).expect("adopted");
        assert_eq!(change.entry().event, Event::AttemptAdopted);
        assert_eq!(change.decision().expect("kept").kind, DecisionKind::Adopt);
        let (document, attempt) = (doc(&change), attempt_of(&change));
        assert_eq!((document.version, document.state.name()), (before.next(), StateName::Signing));
        assert_eq!(attempt.state.name(), AttemptStateName::Verified);
        let attempt = attempt_of(&attempt.stamped(vec![3], NOW, NOW).expect("stamped"));
        let head = Head { sha256: Digest::of(b"signed"), length: 20 };
        let embedded = Embedded { head, decision: DecisionId::at(NOW, 1) };
        let signing = document.signing(attempt).expect("its attempt");
        assert_eq!(
            doc(&signing.embedded(embedded, None, NOW).expect("embedded")).state,
            State::AwaitingNumber
        );
    }
}

#[test]
fn a_late_signature_over_what_is_no_longer_there_is_not_adopted() {
    let mut house = House::new("nd30_default");
    let (document, attempt) = late(&mut house, WishKind::Return);
    let code = |document: Document| {
        let held = document.held(&house.actor(LEADER), attempt.clone()).expect("the leader's");
        assert_eq!(held.adoptable(NOW), adopt(&house, held.clone()).map(drop));
        adopt(&house, held).expect_err("refused").code()
    };
    let mut moved = document.clone();
    moved.head.sha256 = Digest::of(b"other bytes");
    assert_eq!(code(moved), "wrong_attempt");
    let mut replaced = document.clone();
    replaced.chain.signers[0].person = PersonId::at(NOW, SECOND);
    assert_eq!(code(replaced), "wrong_attempt");
    let revised = doc(&house
        .revise(document.clone(), House::draft_of(&[LEADER], false), &house.actor(DRAFTER))
        .expect("revised"));
    assert_eq!(code(revised.clone()), "wrong_state");
    let register = house.register.clone();
    let again = revised.submit(&house.actor(DRAFTER), Some(&register), NOW).expect("submitted");
    assert_eq!(code(doc(&again)), "wrong_state");
}

#[test]
fn a_late_signature_on_a_number_that_is_void_is_not_adopted() {
    for (kind, adopted) in [(WishKind::Return, true), (WishKind::Withdraw, false), (WishKind::Reject, false)]
    {
        let mut house = House::new("kien_giang_2017");
        let document = house.submitted(&[LEADER], false);
        let (base, bundle) = (document.head, document.bundle.clone());
        let document = doc(&document.number_drawn(bundle, base, Digest::of(b"m"), NOW).expect("drawn"));
        let (document, attempt) = late_on(&house, &document, kind);
        let held = document.held(&house.actor(LEADER), attempt).expect("the leader's");
        assert_eq!(held.adoptable(NOW).is_ok(), adopted, "{kind}");
        let january = datetime!(2027-01-04 08:00 +7);
        assert!(held.adoptable(january).is_err(), "a number of last year");
    }
}

#[test]
fn a_late_signature_is_given_up_whatever_has_become_of_the_document() {
    let mut house = House::new("nd30_default");
    let (document, attempt) = late(&mut house, WishKind::Return);
    let revised = doc(&house
        .revise(document, House::draft_of(&[LEADER], false), &house.actor(DRAFTER))
        .expect("revised"));
    let leader = house.actor(LEADER);
    let held = revised.held(&leader, attempt.clone()).expect("the leader's");
    let void = decision(&house, &attempt, DecisionKind::Void);
    assert_eq!(held.clone().void(&leader, " ", void.clone()), Err(Refused::ReasonNeeded));
    let change = held.clone().void(&leader, "không dùng", void.clone()).expect("void");
    assert!(change.document().is_none(), "the document stays where it is");
    assert_eq!(attempt_of(&change).state, AttemptState::Voided);
    assert_eq!(change.entry().event, Event::AttemptVoided);

    let code = |decision| held.clone().void(&leader, "lý do", decision).expect_err("refused").code();
    assert_eq!(code(decision(&house, &attempt, DecisionKind::Adopt)), "wrong_attempt");
    assert_eq!(code(Decision { expires: void.at, ..void.clone() }), "decision_expired");
    assert_eq!(code(Decision { device: DeviceId::at(NOW, 99), ..void }), "device_needed");
}

#[test]
fn a_late_signature_is_nobodys_but_the_leaders() {
    let mut house = House::new("nd30_default");
    let (document, attempt) = late(&mut house, WishKind::Withdraw);
    let code = |who| document.clone().held(&house.actor(who), attempt.clone()).expect_err("refused").code();
    assert_eq!(code(SECOND), "not_yours");
    assert_eq!(code(CLERK), "role_needed");
    let ended = Attempt { state: AttemptState::Voided, ..attempt.clone() };
    let refused = document.clone().held(&house.actor(LEADER), ended).expect_err("refused");
    assert_eq!(refused.code(), "wrong_attempt_state");
    let void = decision(&house, &attempt, DecisionKind::Void);
    let awaiting = house.submitted(&[LEADER], false).awaiting(&house.actor(LEADER)).expect("the turn");
    let terms = awaiting.terms();
    let head = house.appointed(LEADER, Capacity::Head);
    let prepared = house.prepared(awaiting.document(), LEADER, 60);
    let other = Decision { attempt: prepared.id, ..void };
    let refused = awaiting.approve(&house.actor(LEADER), head, &terms, prepared, other, &house.profile);
    assert_eq!(refused.expect_err("no approval").code(), "wrong_attempt");
}
