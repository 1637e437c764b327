//! The turn of the year: a number in a base that nobody signed in its year is void, and the next one is taken.

use time::OffsetDateTime;
use time::macros::datetime;

use super::house::*;
use super::*;
use crate::change::Change;
use crate::register::Register;
use crate::signing::NewAttempt;

const JANUARY: OffsetDateTime = datetime!(2027-01-04 08:00 +7);

/// A document that waits for its leader with number 1 of 2026 in its base, and the register of 2027.
fn waiting() -> (House, Document, Register) {
    let mut house = House::new("kien_giang_2017");
    let document = house.submitted(&[LEADER], false);
    let (base, bundle) = (document.head, document.bundle.clone());
    let document = doc(&document.number_drawn(bundle, base, Digest::of(b"m"), NOW).expect("drawn"));
    let register = Register { year: 2027, last: 0, last_date: None, ..house.register.clone() };
    (house, document, register)
}

fn renumbered(change: &Change) {
    let voided = change.voided().expect("void");
    assert_eq!((voided.serial().0, voided.reason()), (1, "hết năm"));
    let taken = change.taken().expect("the next one").number();
    assert_eq!((taken.serial.0, taken.date.year()), (1, 2027));
    let document = doc(change);
    assert_eq!(document.number.as_ref(), Some(taken));
    assert!(document.is_drawing_number() && !document.number_drawn);
}

#[test]
fn a_number_of_last_year_is_replaced_before_the_leader_signs() {
    let (house, document, register) = waiting();
    let new = NewAttempt {
        id: AttemptId::at(NOW, 1),
        msisdn: "84900000001".parse().expect("a number"),
        certificate: Digest::of(b"c"),
        dtbs: Digest::of(b"d"),
    };
    let leader = house.actor(LEADER);
    let awaiting = document.clone().awaiting(&leader).expect("the turn");
    assert_eq!(
        awaiting.prepare(&leader, new, JANUARY).expect_err("refused"),
        Refused::NumberOfAnotherYear { year: 2026 }
    );
    let again = document.clone().renumber(None, &register, NOW).expect_err("its year goes on");
    assert_eq!(again.code(), "wrong_state");
    renumbered(&document.clone().renumber(None, &register, JANUARY).expect("by itself"));
    renumbered(
        &document.clone().renumber(Some(&house.actor(CLERK)), &register, JANUARY).expect("by the clerk"),
    );
    let other = document.renumber(Some(&house.actor(OTHER_CLERK)), &register, JANUARY).expect_err("refused");
    assert_eq!(other, Refused::NotAssignedClerk);
}

#[test]
fn a_document_given_back_in_december_and_submitted_in_january_takes_a_new_number() {
    let (house, document, register) = waiting();
    let leader = house.actor(LEADER);
    let document = doc(&document.give_back(&leader, WishKind::Return, "sửa khoản 2", NOW).expect("returned"));
    let drafter = house.actor(DRAFTER);
    let document =
        doc(&house.revise(document, House::draft_of(&[LEADER], false), &drafter).expect("revised"));
    assert!(!document.next_step_takes_number(NOW) && document.next_step_takes_number(JANUARY));
    assert_eq!(document.clone().submit(&drafter, None, JANUARY), Err(Refused::RegisterNeeded));
    renumbered(&document.submit(&drafter, Some(&register), JANUARY).expect("submitted"));
}

/// Numbers that are given after the signature are not in the base: the leader does not decide on them, and one of last year
/// stops nobody.
#[test]
fn a_number_given_after_the_signature_is_no_part_of_the_next_decision() {
    let mut house = House::new("nd30_default");
    let document = house.submitted(&[LEADER], false);
    let document = house.sign(&document, LEADER);
    let sealed = house.seal(&document);
    let returned = sealed.give_back(&house.actor(CLERK), WishKind::Return, "in sai", NOW);
    let drafter = house.actor(DRAFTER);
    let draft = House::draft_of(&[LEADER], false);
    let revised = doc(&house.revise(doc(&returned.expect("returned")), draft, &drafter).expect("revised"));
    let submitted = doc(&revised.submit(&drafter, None, JANUARY).expect("submitted"));
    assert!(submitted.number.is_some());
    let awaiting = submitted.awaiting(&house.actor(LEADER)).expect("the turn");
    assert_eq!(awaiting.terms().number, None);
    let new = NewAttempt {
        id: AttemptId::at(NOW, 1),
        msisdn: "84900000001".parse().expect("a number"),
        certificate: Digest::of(b"c"),
        dtbs: Digest::of(b"d"),
    };
    assert!(awaiting.prepare(&house.actor(LEADER), new, JANUARY).is_ok());
}
