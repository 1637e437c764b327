//! Whatever comes in whatever order: the SIM is asked once, no signature is lost, every attempt ends.

use proptest::prelude::*;
use time::Duration;

use super::{NAME, NUMBER, T0, approved, bytes, fault, next, response, restarted, unreadable};
use crate::{
    attempt::{Attempt, FailedAt, State, Step},
    reply::{Code, Operation, Reply},
    request::Request,
};

#[derive(Debug, Clone)]
enum Event {
    Poll,
    Receive(Reply),
    Fail(FailedAt),
    Restart,
    Withdraw,
}

fn any_reply() -> impl Strategy<Value = Reply> {
    let operation =
        prop_oneof![Just(Operation::Signature), Just(Operation::StatusQuery), Just(Operation::Registration)];
    let code = prop_oneof![
        Just(100u16),
        Just(504),
        Just(500),
        Just(502),
        Just(501),
        Just(101),
        Just(208),
        Just(401),
        Just(406),
        Just(408),
        Just(900),
        0u16..1000
    ];
    let response = (operation, code, any::<[bool; 5]>()).prop_map(
        |(operation, code, [id, number, handle, signature, known])| {
            let mut it = response(operation, code);
            it.ap_trans_id = Some(if id { NAME } else { "TOTHER" }.to_owned());
            it.msisdn = number.then(|| NUMBER.to_owned());
            it.mssp_trans_id = handle.then(|| "x1a2b3".parse().unwrap());
            it.signature = signature.then(bytes).flatten();
            it.status = known.then_some(Code::plain(code));
            Reply::Response(it)
        },
    );
    prop_oneof![response, (0u16..1000).prop_map(fault), (200u16..600).prop_map(unreadable)]
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Poll),
        4 => any_reply().prop_map(Event::Receive),
        1 => Just(Event::Fail(FailedAt::BeforeTls)),
        1 => Just(Event::Fail(FailedAt::AfterSend)),
        1 => Just(Event::Restart),
        1 => Just(Event::Withdraw),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_happens_the_sim_is_asked_once_and_no_signature_is_lost(
        // Clocks are set back, too.
        events in proptest::collection::vec((any_event(), prop_oneof![9 => 0i64..40, 1 => -5_000i64..0]), 0..60),
    ) {
        let (mut attempt, mut now) = (approved(), T0);
        let (mut may_ask, mut had_signature, mut over) = (true, false, None::<&str>);
        for (event, seconds) in events {
            now += Duration::seconds(seconds);
            match event {
                Event::Poll => if let Step::Send(Request::Signature(_)) = attempt.poll(now) {
                    prop_assert!(may_ask, "asked twice");
                    prop_assert!(!attempt.withdrawn());
                    may_ask = false;
                },
                Event::Receive(reply) => attempt.receive(reply, now),
                Event::Fail(failed) => {
                    let sending = attempt.state_name() == "sending";
                    attempt.transport_failed(failed, now);
                    may_ask |= sending && failed == FailedAt::BeforeTls;
                }
                Event::Restart => attempt = restarted(&attempt),
                Event::Withdraw => attempt.withdraw(now),
            }
            let name = attempt.state_name();
            let holds = name.starts_with("signed_");
            prop_assert!(holds || !had_signature, "a signature was lost in {}", name);
            had_signature |= holds;
            if let Some(before) = over {
                let late = name == "signed_held" && ["lapsed", "expired", "signed_held"].contains(&before);
                prop_assert!(name == before || late, "{} became {}", before, name);
            }
            over = (matches!(attempt.state(), State::Ended(_)) || name == "signed_held").then_some(name);
        }
        // Left alone, every attempt ends within its own time.
        let (mut now, mut questions) = (now, 0);
        while !matches!(next(&mut attempt, &mut now), Step::Done(_)) {
            questions += 1;
            prop_assert!(questions < 200);
            attempt.transport_failed(FailedAt::AfterSend, now);
        }
    }

    #[test]
    fn any_stored_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = serde_json::from_str::<Attempt>(&text);
    }
}
