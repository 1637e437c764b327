//! An attempt whatever order its steps come in.

use super::*;
use proptest::prelude::*;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-08-20 10:00 +7);
const WINDOW: Duration = Duration::minutes(2);

fn attempt(state: AttemptState) -> Attempt {
    let new = NewAttempt {
        id: AttemptId::at(NOW, 1),
        msisdn: "84900000001".parse().expect("a number"),
        certificate: Digest::of(b"certificate"),
        dtbs: Digest::of(b"attributes"),
    };
    let purpose = Purpose::Enrolment { device: DeviceId::at(NOW, 3) };
    Attempt { state, ..new.at(purpose, PersonId::at(NOW, 2), Urgency::Normal, NOW) }
}

fn approved() -> AttemptState {
    AttemptState::Approved {
        decision: DecisionId::at(NOW, 4),
        until: NOW + Duration::minutes(15),
        heading_since: None,
    }
}

fn result(change: &Change) -> Attempt {
    change.attempt().expect("changes the attempt").to().clone()
}

#[test]
fn an_approval_lapses_two_minutes_after_heading_its_queue_or_after_fifteen_in_all() {
    let waiting = attempt(approved());
    assert_eq!(waiting.lapses_at(WINDOW), Some(NOW + Duration::minutes(15)));
    let heading = result(&waiting.heads_queue(NOW + Duration::minutes(5)).expect("heads"));
    assert_eq!(heading.lapses_at(WINDOW), Some(NOW + Duration::minutes(7)));
    assert!(heading.clone().sending(WINDOW, NOW + Duration::seconds(7 * 60 - 1)).is_ok());
    assert_eq!(heading.sending(WINDOW, NOW + Duration::minutes(7)), Err(Refused::DecisionExpired));
    let late = result(&attempt(approved()).heads_queue(NOW + Duration::minutes(14)).expect("heads"));
    assert_eq!(late.lapses_at(WINDOW), Some(NOW + Duration::minutes(15)));
}

#[test]
fn nothing_leads_back_to_a_second_request() {
    for state in [
        AttemptState::Sending,
        AttemptState::Accepted { transaction: "t".into() },
        AttemptState::Indeterminate { transaction: None },
        AttemptState::SignedRaw { transaction: None, signature: vec![1] },
        AttemptState::Ended(Failure::Expired),
        AttemptState::SignedHeld { sealed: vec![1] },
        AttemptState::Voided,
    ] {
        let name = state.name();
        assert!(attempt(state.clone()).sending(WINDOW, NOW).is_err(), "{name}");
        assert!(attempt(state).heads_queue(NOW).is_err(), "{name}");
    }
}

#[test]
fn a_phone_number_does_not_show_in_logs() {
    let number: Msisdn = "84912345678".parse().expect("a number");
    assert_eq!(format!("{number:?}"), "Msisdn(…78)");
    assert!("+84912345678".parse::<Msisdn>().is_err());
    assert!("0912345678".parse::<Msisdn>().is_err());
}

#[test]
fn every_failure_is_a_state_of_the_same_name() {
    for failure in Failure::ALL {
        let name = AttemptState::Ended(*failure).name();
        assert_eq!(name.as_str(), failure.as_str());
        assert!(name.is_final() && !name.is_live());
    }
}

/// Every step there is, by number.
fn step(attempt: Attempt, which: u8, now: OffsetDateTime) -> Result<Change, Refused> {
    match which {
        0 => attempt.heads_queue(now),
        1 => attempt.sending(WINDOW, now),
        2 => attempt.accepted("t".into(), now),
        3 => attempt.indeterminate(now),
        4 => attempt.signed_raw(vec![7], now),
        5 => attempt.verified(vec![8], CmsFrom::Device, now),
        6 => attempt.stamped(vec![9], now, now),
        7 => attempt.enrolled(now),
        _ => attempt.enrolment_ended(Failure::ALL[usize::from(which) % Failure::ALL.len()], now),
    }
}

proptest! {
    #[test]
    fn whatever_happens_one_request_at_most_and_no_signature_is_lost(steps in proptest::collection::vec(0u8..40, 0..60)) {
        let mut now = attempt(approved());
        let (mut sent, mut signed) = (0, false);
        for which in steps {
            let before = now.clone();
            let Ok(change) = step(now.clone(), which, NOW) else { continue };
            prop_assert!(!before.state.name().is_final(), "a finished attempt moved");
            now = result(&change);
            prop_assert_eq!(now.version, before.version.next());
            sent += u32::from(now.state == AttemptState::Sending);
            signed |= matches!(now.state, AttemptState::SignedRaw { .. });
            if signed {
                let kept = matches!(
                    now.state,
                    AttemptState::SignedRaw { .. } | AttemptState::Verified { .. } | AttemptState::Stamped { .. }
                        | AttemptState::Embedded { .. }
                        | AttemptState::Ended(Failure::Rejected | Failure::CertInvalid)
                );
                prop_assert!(kept, "a received signature was lost in {:?}", now.state);
            }
        }
        prop_assert!(sent <= 1, "{} requests left", sent);
    }
}
