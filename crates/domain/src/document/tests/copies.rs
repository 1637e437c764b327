//! What the văn thư does with the copies of a released document.

use super::*;
use crate::change::Change;
use crate::release::{Copy, CopyState, Hindrance, Receipt};

/// A released document with one copy on the exchange and one by e-mail.
fn released() -> (House, Document, Copy, Copy) {
    let mut house = House::new("nd30_default");
    let mut draft = House::draft_of(&[LEADER], false);
    draft.particulars.recipients.push(Recipient {
        code: None,
        name: "Trường Trung học cơ sở số 1".into(),
        channel: Channel::Email,
        email: "vanthu@thcs1.example".parse().ok(),
    });
    let document = house.submit(draft);
    let document = house.sign(&document, LEADER);
    let document = house.seal(&document);
    let change = house.release(&document);
    let [exchange, email] = [0, 1].map(|place: usize| change.copies()[place].to().clone());
    (house, doc(&change), exchange, email)
}

fn moved(change: &Change) -> Copy {
    change.copies()[0].to().clone()
}

#[test]
fn mail_goes_by_itself_and_the_rest_says_what_it_waits_for() {
    let (_, _, exchange, email) = released();
    assert_eq!((email.state, email.hindrance), (CopyState::Queued, None));
    assert_eq!(exchange.hindrance, Some(Hindrance::ChannelNotSetUp));
}

#[test]
fn the_clerk_hands_over_what_does_not_go_by_itself() {
    let (house, document, exchange, _) = released();
    let clerk = house.actor(CLERK);
    let handed = moved(&document.hand_over(&clerk, exchange, NOW).expect("handed"));
    assert_eq!((handed.state, handed.hindrance), (CopyState::Handed, None));
    assert!(matches!(document.hand_over(&clerk, handed, NOW), Err(Refused::WrongCopyState { .. })));
}

#[test]
fn nobody_else_touches_a_copy() {
    let (house, document, exchange, _) = released();
    for who in [DRAFTER, LEADER, OTHER_CLERK] {
        let actor = house.actor(who);
        assert!(document.hand_over(&actor, exchange.clone(), NOW).is_err(), "{who}");
        assert!(document.send_again(&actor, exchange.clone(), None, NOW).is_err(), "{who}");
        let receipt = Receipt { code: "01".into(), description: None };
        assert!(document.note_receipt(&actor, exchange.clone(), &receipt, NOW).is_err(), "{who}");
    }
    let foreign = Copy { document: DocumentId::at(NOW, 999), ..exchange };
    assert_eq!(document.hand_over(&house.actor(CLERK), foreign, NOW), Err(Refused::WrongCopy));
}

#[test]
fn a_refused_address_is_told_to_the_clerk_who_corrects_it() {
    let (house, document, exchange, email) = released();
    let clerk = house.actor(CLERK);
    let refused = document
        .copy_hindered(email, Hindrance::AddressRefused, Some("550 no such user"), NOW)
        .expect("stops")
        .expect("is new");
    assert_eq!(refused.notices()[0].kind, NoticeKind::CopyUndeliverable);
    assert_eq!(refused.notices()[0].to, document.chain.clerk);
    let stopped = moved(&refused);
    assert_eq!(
        (stopped.state, stopped.note.as_deref()),
        (CopyState::Undeliverable, Some("550 no such user"))
    );

    let corrected = "vanthu@thcs-so-1.example".parse().ok();
    let again = moved(&document.send_again(&clerk, stopped, corrected.clone(), NOW).expect("sent again"));
    assert_eq!((again.state, again.hindrance, again.note), (CopyState::Queued, None, None));
    assert_eq!(again.recipient.email, corrected);
    assert_eq!(document.particulars.recipients[1].email, "vanthu@thcs1.example".parse().ok());

    let pathless = document.send_again(&clerk, exchange.clone(), None, NOW).expect_err("no address");
    assert_eq!(pathless.code(), "metadata_missing");
    let mailed = moved(&document.send_again(&clerk, exchange, corrected, NOW).expect("by mail instead"));
    assert_eq!(mailed.recipient.channel, Channel::Email);
}

#[test]
fn what_was_recalled_is_sent_no_more() {
    let (house, document, exchange, email) = released();
    let clerk = house.actor(CLERK);
    let copies = vec![exchange, email];
    let change = document.recall(&clerk, "sai thẩm quyền", copies, NOW).expect("recalled");
    let document = doc(&change);
    let states: Vec<_> = change.copies().iter().map(|copy| copy.to().state).collect();
    assert_eq!(states, [CopyState::Recalled, CopyState::RecallAsked], "one never left, one may have");
    let copy = change.copies()[1].to().clone();
    assert!(matches!(document.hand_over(&clerk, copy.clone(), NOW), Err(Refused::WrongState { .. })));
    assert!(matches!(document.send_again(&clerk, copy.clone(), None, NOW), Err(Refused::WrongState { .. })));
    let answered = Receipt { code: "15".into(), description: None };
    let back = moved(&document.note_receipt(&clerk, copy, &answered, NOW).expect("given back"));
    assert_eq!((back.state, back.hindrance), (CopyState::Recalled, None));
}
