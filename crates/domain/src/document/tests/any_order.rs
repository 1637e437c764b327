//! Steps in whatever order they come: the law holds.

use proptest::prelude::*;

use super::house::*;
use super::*;
/// One of the steps there are, tried on a document by somebody; many are refused, which is the point.
fn any_step(
    house: &mut House,
    document: &Document,
    attempt: &mut Option<Attempt>,
    which: u8,
    who: u128,
) -> Option<Document> {
    let actor = house.actor(who);
    let register = house.register.clone();
    let document = document.clone();
    let change = match which {
        0 => document.submit(&actor, Some(&register), NOW),
        1 => {
            let seen = document.bundle.digest();
            document.reviewing(&actor).and_then(|turn| turn.pass(&actor, "", seen, Some(&register), NOW))
        }
        2 => {
            let (bundle, head) = (document.bundle.clone(), document.bundle.main().map(|main| main.sha256));
            let head = Head { sha256: head.expect("a main file"), length: 9 };
            document.number_drawn(bundle, head, Digest::of(b"m"), NOW)
        }
        3 => {
            let terms = document.terms(Capacity::Head);
            let turn = document.clone().awaiting(&actor);
            let Ok((document, approved)) = turn.and_then(|_| house.approve(&document, who, &terms)) else {
                return None;
            };
            *attempt = Some(to_stamped(approved));
            return Some(document);
        }
        4 => {
            let head = Head { sha256: Digest::of(&who.to_be_bytes()), length: 9 };
            let embedded = Embedded { head, decision: DecisionId::at(NOW, who) };
            let attempt = attempt.clone()?;
            document.signing(attempt).and_then(|signing| signing.embedded(embedded, Some(&register), NOW))
        }
        5 => document.signing(attempt.clone()?).and_then(|signing| signing.hold(vec![1], NOW)),
        6 => {
            let task = House::task(&document);
            let checks = House::checks(&document);
            document
                .sealable(&actor, &checks)
                .and_then(|sealable| sealable.number(Some(&register), NOW))
                .and_then(|numbered| numbered.prepared(&actor, task, NOW))
        }
        7 => {
            let (task, checks) = (House::task(&document), House::all_checks(&document));
            let head = Head { sha256: Digest::of(b"sealed"), length: 9 };
            document.sealing(&actor).and_then(|sealing| sealing.sealed(&actor, &task, head, &checks, NOW))
        }
        8 => {
            let (checks, head) = (House::all_checks(&document), document.head);
            let seal = Digest::of(b"seal certificate");
            document
                .releasable(&actor, &checks, seal, ScanVerdict::Clean, &house.profile)
                .and_then(|releasable| releasable.release(&actor, head, &[CopyId::at(NOW, 1)], NOW))
        }
        9 => document.give_back(&actor, WishKind::Return, "lý do", NOW),
        10 => document.give_back(&actor, WishKind::Withdraw, "lý do", NOW),
        11 => document.give_back(&actor, WishKind::Reject, "lý do", NOW),
        _ => house.revise(document, House::draft_of(&[LEADER, SECOND], true), &actor),
    };
    let change = change.ok()?;
    if let Some(Write::Moved { expected, to }) = change.document() {
        assert_eq!(to.version, expected.next());
    }
    Some(house.apply(&change))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn in_whatever_order_steps_come_the_law_holds(
        profile in prop::sample::select(vec!["nd30_default", "kien_giang_2017", "hau_giang_2019"]),
        steps: bool,
        moves in proptest::collection::vec((0u8..13, 1u128..8), 1..120),
    ) {
        let mut house = House::new(profile);
        let drafted = house.draft(House::draft_of(&[LEADER, SECOND], steps)).expect("drafted");
        let mut document = doc(&drafted);
        let mut attempt = None;
        for (which, who) in moves {
            let before = document.clone();
            let Some(next) = any_step(&mut house, &document, &mut attempt, which, who) else { continue };
            prop_assert!(before.state.is_open(), "a closed document moved");
            prop_assert_eq!(next.version, before.version.next());
            if let Some(number) = &before.number {
                prop_assert_eq!(next.number.as_ref(), Some(number), "a number changed");
            }
            let complete = next.signed.len() == next.chain.signers.len();
            match next.state {
                State::AwaitingNumber => prop_assert!(complete),
                State::Sealing { .. } | State::Sealed | State::Released { .. } => {
                    prop_assert!(complete && next.number.is_some());
                }
                State::AwaitingSignature { signer } => {
                    prop_assert_eq!(usize::from(signer), next.signed.len());
                    if profile == "kien_giang_2017" {
                        prop_assert!(next.number_drawn);
                    }
                }
                _ => {}
            }
            document = next;
        }
        prop_assert!(house.register.last <= 1, "one document, one number");
    }
}
