//! The machine against a provider made of plain values: no socket, no sleep, time is an argument.

mod any_order;
mod writes;

use time::{Duration, OffsetDateTime, macros::datetime};

use super::{Attempt, End, FailedAt, Outcome, Prepared, State, Step, Timing, Trouble};
use crate::{
    display::DisplayText,
    reply::{Code, Fault, Operation, Reply, Response, SignatureValue, Unreadable, WhyUnreadable},
    request::Request,
    status::{Ending, Sentence},
};

const T0: OffsetDateTime = datetime!(2025-03-05 08:00 UTC);
const NUMBER: &str = "84900000001";
const NAME: &str = "T01JAB3K4M5N6P7Q8";

fn at(seconds: i64) -> OffsetDateTime {
    T0 + Duration::seconds(seconds)
}

fn approved() -> Attempt {
    let prepared = Prepared {
        msisdn: NUMBER.parse().unwrap(),
        digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().unwrap(),
        display: DisplayText::parse("Ky so VB 1. Ma %%VC%%").unwrap(),
    };
    let timing = Timing { jitter_percent: 0, ..Timing::default() };
    prepared.approve(NAME.parse().unwrap(), timing, at(120))
}

fn sending() -> Attempt {
    let mut attempt = approved();
    assert!(matches!(attempt.poll(T0), Step::Send(Request::Signature(_))));
    attempt
}

fn accepted() -> Attempt {
    let mut attempt = sending();
    attempt.receive(ack(), at(1));
    assert_eq!(attempt.state_name(), "accepted");
    attempt
}

fn response(operation: Operation, value: u16) -> Response {
    Response {
        operation,
        ap_trans_id: Some(NAME.to_owned()),
        mssp_trans_id: None,
        msisdn: Some(NUMBER.to_owned()),
        status: Some(Code::plain(value)),
        message: None,
        signature: None,
        certificates: Vec::new(),
        profiles: Vec::new(),
    }
}

fn ack() -> Reply {
    let mssp_trans_id = Some("x1a2b3".parse().unwrap());
    Reply::Response(Response { mssp_trans_id, ..response(Operation::Signature, 100) })
}

fn status(value: u16) -> Reply {
    Reply::Response(response(Operation::StatusQuery, value))
}

fn bytes() -> Option<SignatureValue> {
    SignatureValue::new(vec![7; 256])
}

fn signed(value: u16) -> Reply {
    Reply::Response(Response { signature: bytes(), ..response(Operation::StatusQuery, value) })
}

fn fault(value: u16) -> Reply {
    Reply::Fault(Fault { code: Some(Code::plain(value)), text: Some("text".to_owned()) })
}

fn unreadable(http_status: u16) -> Reply {
    Reply::Unreadable(Unreadable { http_status, why: WhyUnreadable::Html })
}

/// Through the row and back, as after a restart.
fn restarted(attempt: &Attempt) -> Attempt {
    serde_json::from_str(&serde_json::to_string(attempt).unwrap()).unwrap()
}

/// Polls until the machine asks or ends, jumping over the waiting.
fn next(attempt: &mut Attempt, now: &mut OffsetDateTime) -> Step {
    loop {
        match attempt.poll(*now) {
            Step::Wait(until) => {
                assert!(until > *now, "waits for the past");
                *now = until;
            }
            other => return other,
        }
    }
}

/// Answers every question with the same reply until the end.
fn run_to_end(
    mut attempt: Attempt,
    mut now: OffsetDateTime,
    mut answer: impl FnMut(OffsetDateTime) -> Option<Reply>,
) -> (Attempt, u32) {
    let mut questions = 0;
    loop {
        match next(&mut attempt, &mut now) {
            Step::Done(_) => return (attempt, questions),
            Step::Send(Request::Signature(_)) => panic!("asked the SIM again"),
            Step::Send(Request::Status(_)) => {
                questions += 1;
                match answer(now) {
                    Some(reply) => attempt.receive(reply, now),
                    None => attempt.transport_failed(FailedAt::AfterSend, now),
                }
            }
            Step::Wait(_) => unreachable!(),
        }
    }
}

fn ended(attempt: &Attempt) -> &End {
    match attempt.state() {
        State::Ended(end) => end,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_approval_is_sent_once_acknowledged_asked_after_and_signed() {
    let mut attempt = approved();
    let Step::Send(Request::Signature(request)) = attempt.poll(T0) else { panic!() };
    assert_eq!(request.timeout_seconds, 180);
    assert_eq!(attempt.state(), &State::Sending { since: T0, until: at(120) });
    attempt.receive(ack(), at(1));
    assert_eq!(attempt.poll(at(2)), Step::Wait(at(10)));
    let Step::Send(Request::Status(query)) = attempt.poll(at(10)) else { panic!() };
    assert_eq!(query.mssp_trans_id.as_str(), "x1a2b3");
    attempt.receive(status(504), at(11));
    assert_eq!(attempt.poll(at(11)), Step::Wait(at(16)));
    assert!(matches!(attempt.poll(at(16)), Step::Send(Request::Status(_))));
    attempt.receive(signed(502), at(17));
    assert_eq!(attempt.poll(at(18)), Step::Done(Outcome::Signed(bytes().unwrap())));
    assert!(attempt.is_live(), "the number stays taken until the bytes are dealt with");
}

#[test]
fn while_a_question_is_open_no_second_is_asked() {
    let mut attempt = accepted();
    assert!(matches!(attempt.poll(at(10)), Step::Send(_)));
    assert_eq!(attempt.poll(at(10)), Step::Wait(at(25)));
    assert_eq!(attempt.poll(at(25)), Step::Wait(at(30)), "unanswered, so the next is planned");
    assert_eq!(attempt.trouble(), Some(&Trouble::NoAnswer));
}

#[test]
fn every_final_code_ends_in_its_named_state_from_both_questions() {
    for (code, ending, sentence) in [
        (103, Ending::Rejected, Sentence::DisplayTooLong),
        (104, Ending::Rejected, Sentence::NotAuthorised),
        (105, Ending::NotEnrolled, Sentence::NotEnrolled),
        (107, Ending::Rejected, Sentence::BadRequest),
        (108, Ending::Rejected, Sentence::BadRequest),
        (109, Ending::NotEnrolled, Sentence::NoProfile),
        (208, Ending::Expired, Sentence::Expired),
        (209, Ending::Undeliverable, Sentence::Unreachable),
        (401, Ending::Declined, Sentence::Declined),
        (402, Ending::Blocked, Sentence::PinBlocked),
        (403, Ending::Blocked, Sentence::SimBlocked),
        (404, Ending::NotEnrolled, Sentence::NoKey),
        (406, Ending::Undeliverable, Sentence::Busy),
        (422, Ending::CertInvalid, Sentence::CertificateMissing),
        (425, Ending::CertInvalid, Sentence::CertificateInvalid),
        (501, Ending::CertInvalid, Sentence::CertificateRevoked),
        (503, Ending::CertInvalid, Sentence::SignatureInvalid),
    ] {
        let mut at_once = sending();
        at_once.receive(fault(code), at(1));
        let (later, questions) = run_to_end(accepted(), at(1), |_| Some(fault(code)));
        assert!(questions == 1 || [104, 107, 108].contains(&code), "{code}: {questions}");
        let (stated, _) = run_to_end(accepted(), at(1), |_| Some(status(code)));
        for attempt in [at_once, later, stated] {
            let end = ended(&attempt);
            assert_eq!((end.ending, end.sentence, end.code), (ending, sentence, Some(Code::plain(code))));
            assert!(!attempt.is_live());
        }
    }
}

#[test]
fn a_revoked_certificates_signature_is_discarded() {
    let (attempt, _) = run_to_end(accepted(), at(1), |_| Some(signed(501)));
    assert_eq!(ended(&attempt).ending, Ending::CertInvalid);
}

#[test]
fn a_provider_in_trouble_ends_a_request_but_not_a_prompt() {
    let mut refused = sending();
    refused.receive(fault(900), at(1));
    assert_eq!(ended(&refused).ending, Ending::ProviderDown);

    let (recovered, _) =
        run_to_end(accepted(), at(1), |now| Some(if now < at(60) { fault(900) } else { signed(500) }));
    assert_eq!(recovered.state_name(), "signed_raw");

    for code in [900, 666, 424, 750] {
        let (attempt, questions) = run_to_end(accepted(), at(1), |_| Some(fault(code)));
        let end = ended(&attempt);
        assert_eq!((end.ending, end.code, end.at), (Ending::ProviderDown, Some(Code::plain(code)), at(210)));
        assert!(questions > 10, "{questions}");
    }
}

#[test]
fn a_fault_about_the_question_does_not_free_the_number_of_a_live_prompt() {
    for refusal in [Code::plain(104), Code::plain(107), Code { value: 101, specifier: Some(1016) }] {
        let refused = || Some(Reply::Fault(Fault { code: Some(refusal), text: None }));
        let mut attempt = accepted();
        attempt.poll(at(10));
        attempt.receive(refused().unwrap(), at(11));
        assert!(attempt.is_live(), "{refusal}: the leader may be entering the PIN");
        // The operator repairs the password; what the SIM signed meanwhile is not lost.
        let (signed, _) =
            run_to_end(attempt, at(11), |now| if now < at(60) { refused() } else { Some(signed(502)) });
        assert_eq!(signed.state_name(), "signed_raw");
        let (attempt, _) = run_to_end(accepted(), at(1), |_| refused());
        assert_eq!((ended(&attempt).ending, ended(&attempt).at), (Ending::Rejected, at(210)));
    }
    let suspended = Fault { code: Some(Code { value: 104, specifier: Some(1042) }), text: None };
    let (blocked, questions) = run_to_end(accepted(), at(1), |_| Some(Reply::Fault(suspended.clone())));
    assert_eq!((ended(&blocked).ending, questions), (Ending::Blocked, 1));
}

#[test]
fn a_fault_without_a_code_of_the_protocol_leaves_the_first_question_open() {
    for code in [None, Some(Code::plain(7)), Some(Code::plain(666))] {
        let mut attempt = sending();
        attempt.receive(Reply::Fault(Fault { code, text: Some("upstream timed out".to_owned()) }), at(1));
        assert_eq!(attempt.state_name(), "indeterminate", "{code:?}");
        let (attempt, _) = run_to_end(attempt, at(2), |_| unreachable!());
        assert_eq!((ended(&attempt).ending, ended(&attempt).at), (Ending::ProviderDown, at(210)));
    }
}

#[test]
fn a_clock_that_is_set_back_neither_frees_a_number_early_nor_keeps_it_for_hours() {
    let hour = 3_600;
    let mut waiting = restarted(&sending());
    assert_eq!(waiting.poll(at(100)), Step::Wait(at(210)));
    assert_eq!(
        waiting.poll(at(100 - hour)),
        Step::Wait(at(310 - hour)),
        "from now on, as long as a prompt lives"
    );
    assert_eq!(waiting.poll(at(310 - hour)), Step::Done(Outcome::Ended(ended(&waiting).clone())));

    let mut followed = accepted();
    let Step::Wait(until) = followed.poll(at(2 - hour)) else { panic!("asks before its time") };
    assert!(until <= at(62 - hour), "asked again soon, not in an hour: {until}");
    assert!(matches!(followed.poll(until), Step::Send(Request::Status(_))));
    assert_eq!(followed.poll(until - Duration::seconds(1_000)), Step::Wait(until - Duration::seconds(985)));

    let mut unreached = sending();
    unreached.transport_failed(FailedAt::BeforeTls, at(5));
    assert_eq!(unreached.poll(at(5 - hour)), Step::Wait(at(7 - hour)));
}

#[test]
fn a_stored_time_at_the_end_of_the_calendar_is_no_panic() {
    let text = serde_json::to_string(&accepted()).unwrap().replace("2025-03-05", "9999-12-31");
    let mut attempt: Attempt = serde_json::from_str(&text).unwrap();
    for now in [T0, datetime!(9999-12-31 23:59:59 UTC)] {
        attempt.poll(now);
        attempt.transport_failed(FailedAt::AfterSend, now);
    }
}

#[test]
fn busy_says_when_another_try_makes_sense() {
    let mut attempt = sending();
    attempt.receive(fault(406), at(1));
    assert_eq!(ended(&attempt).not_before, Some(at(211)));
}

#[test]
fn without_an_answer_nothing_is_asked_until_the_prompts_time_is_over() {
    for lose in [
        |attempt: &mut Attempt| attempt.transport_failed(FailedAt::AfterSend, at(1)),
        |attempt: &mut Attempt| attempt.receive(unreadable(500), at(1)),
        |attempt: &mut Attempt| attempt.receive(unreadable(200), at(1)),
        |attempt: &mut Attempt| attempt.receive(unreadable(408), at(1)),
        |attempt: &mut Attempt| *attempt = restarted(attempt),
        |attempt: &mut Attempt| assert_eq!(attempt.poll(at(15)), Step::Wait(at(210))),
    ] {
        let mut attempt = sending();
        lose(&mut attempt);
        assert_eq!((attempt.state_name(), attempt.sentence()), ("indeterminate", Sentence::Indeterminate));
        assert_eq!(attempt.poll(at(20)), Step::Wait(at(210)));
        let (attempt, questions) = run_to_end(attempt, at(20), |_| unreachable!());
        assert_eq!((attempt.state_name(), questions, ended(&attempt).at), ("lapsed", 0, at(210)));
    }
}

#[test]
fn a_server_that_refused_to_process_raised_no_prompt() {
    for (http, ending) in [(400, Ending::Rejected), (404, Ending::Rejected), (429, Ending::ProviderDown)] {
        let mut attempt = sending();
        attempt.receive(unreadable(http), at(1));
        assert_eq!(ended(&attempt).ending, ending);
    }
}

#[test]
fn the_handle_survives_broken_connections_and_restarts() {
    let mut lost = 0;
    let (attempt, _) = run_to_end(restarted(&accepted()), at(5), |_| {
        lost += 1;
        if lost < 5 { None } else { Some(signed(502)) }
    });
    assert_eq!(attempt.state_name(), "signed_raw");

    let mut open = accepted();
    assert!(matches!(open.poll(at(10)), Step::Send(_)));
    let mut resumed = restarted(&open);
    assert!(
        matches!(resumed.poll(at(11)), Step::Send(Request::Status(_))),
        "nobody waits for the lost answer"
    );
}

#[test]
fn a_process_that_comes_back_late_still_asks_once() {
    let mut attempt = restarted(&accepted());
    assert!(matches!(attempt.poll(at(100_000)), Step::Send(Request::Status(_))));
    let mut late = attempt.clone();
    late.receive(signed(502), at(100_001));
    assert_eq!(late.state_name(), "signed_raw");
    attempt.receive(status(504), at(100_001));
    assert_eq!(attempt.state_name(), "lapsed");
}

#[test]
fn an_answer_that_outlasts_the_schedule_is_not_the_last() {
    let mut attempt = restarted(&accepted());
    assert!(matches!(attempt.poll(at(199)), Step::Send(Request::Status(_))));
    attempt.receive(status(504), at(212));
    assert!(attempt.is_live(), "the SIM may have signed since it was asked after");
    assert!(matches!(attempt.poll(at(212)), Step::Send(Request::Status(_))));
    attempt.receive(signed(502), at(213));
    assert_eq!(attempt.state_name(), "signed_raw");
}

#[test]
fn a_connection_that_never_was_is_tried_again_until_the_approval_is_stale() {
    let mut attempt = sending();
    attempt.transport_failed(FailedAt::BeforeTls, at(5));
    assert_eq!(attempt.poll(at(5)), Step::Wait(at(7)));
    assert!(matches!(attempt.poll(at(7)), Step::Send(Request::Signature(_))));
    attempt.transport_failed(FailedAt::BeforeTls, at(119));
    assert_eq!(attempt.poll(at(119)), Step::Wait(at(120)));
    attempt.poll(at(120));
    assert_eq!(
        (ended(&attempt).ending, ended(&attempt).sentence),
        (Ending::ProviderDown, Sentence::ServiceDown)
    );
}

#[test]
fn an_approval_that_waited_too_long_is_never_sent() {
    let mut attempt = approved();
    attempt.poll(at(120));
    assert_eq!((ended(&attempt).ending, ended(&attempt).sentence), (Ending::Lapsed, Sentence::NotSent));
}

#[test]
fn answers_with_other_echoes_are_not_ours() {
    let other = |mut response: Response| {
        response.ap_trans_id = Some("TOTHER".to_owned());
        Reply::Response(response)
    };
    let mut first = sending();
    first.receive(other(Response { signature: bytes(), ..response(Operation::Signature, 502) }), at(1));
    assert_eq!((first.state_name(), first.trouble()), ("indeterminate", Some(&Trouble::NotOurs)));

    let stray = || Some(other(Response { signature: bytes(), ..response(Operation::StatusQuery, 502) }));
    let (attempt, _) = run_to_end(accepted(), at(1), |_| stray());
    assert_eq!((attempt.state_name(), attempt.trouble()), ("lapsed", Some(&Trouble::NotOurs)));

    let mut missing = response(Operation::StatusQuery, 502);
    (missing.signature, missing.ap_trans_id) = (bytes(), None);
    let (attempt, _) = run_to_end(accepted(), at(1), |_| Some(Reply::Response(missing.clone())));
    assert_eq!(attempt.state_name(), "lapsed");
}

#[test]
fn a_signature_for_another_number_is_rejected_and_one_without_bytes_too() {
    let mut elsewhere = response(Operation::StatusQuery, 502);
    (elsewhere.signature, elsewhere.msisdn) = (bytes(), Some("84900000002".to_owned()));
    let (attempt, questions) = run_to_end(accepted(), at(1), |_| Some(Reply::Response(elsewhere.clone())));
    assert_eq!(
        (ended(&attempt).ending, ended(&attempt).sentence, questions),
        (Ending::Rejected, Sentence::EchoMismatch, 1)
    );

    let (attempt, _) = run_to_end(accepted(), at(1), |_| Some(status(502)));
    assert_eq!(
        (ended(&attempt).ending, ended(&attempt).sentence),
        (Ending::Rejected, Sentence::SignatureMissing)
    );
}

#[test]
fn an_acknowledgement_for_another_number_is_followed_but_not_trusted() {
    let Reply::Response(mut ack) = ack() else { panic!() };
    ack.msisdn = Some("84900000002".to_owned());
    let mut attempt = sending();
    attempt.receive(Reply::Response(ack), at(1));
    assert_eq!(attempt.state_name(), "indeterminate");
    assert_eq!(attempt.poll(at(1)), Step::Wait(at(10)));
}

#[test]
fn an_echo_with_a_plus_is_the_same_number() {
    let mut plus = response(Operation::StatusQuery, 500);
    (plus.signature, plus.msisdn) = (bytes(), Some("+84900000001".to_owned()));
    let (attempt, _) = run_to_end(accepted(), at(1), |_| Some(Reply::Response(plus.clone())));
    assert_eq!(attempt.state_name(), "signed_raw");
}

#[test]
fn an_unknown_transaction_is_doubt_while_young_and_expired_when_old() {
    let mut attempt = accepted();
    attempt.poll(at(10));
    attempt.receive(fault(101), at(11));
    assert_eq!(
        (attempt.state_name(), attempt.trouble()),
        ("indeterminate", Some(&Trouble::UnknownTransaction))
    );
    let (attempt, _) = run_to_end(attempt, at(11), |_| Some(fault(101)));
    assert_eq!((ended(&attempt).ending, ended(&attempt).at), (Ending::Expired, at(185)));
}

#[test]
fn an_acknowledgement_that_was_given_up_is_still_taken() {
    let mut attempt = sending();
    attempt.poll(at(15));
    assert_eq!(attempt.state_name(), "indeterminate");
    attempt.receive(ack(), at(16));
    assert_eq!(attempt.state_name(), "accepted");
}

#[test]
fn a_withdrawn_wish_is_not_sent_and_its_signature_is_held() {
    let mut unsent = approved();
    unsent.withdraw(at(1));
    assert_eq!(ended(&unsent).sentence, Sentence::NotSent);

    let mut unreached = sending();
    unreached.withdraw(at(1));
    unreached.transport_failed(FailedAt::BeforeTls, at(2));
    assert_eq!(ended(&unreached).sentence, Sentence::NotSent, "not tried again");

    let mut live = accepted();
    live.withdraw(at(2));
    assert_eq!(live.state_name(), "accepted");
    let (held, _) = run_to_end(restarted(&live), at(2), |_| Some(signed(502)));
    assert_eq!(held.state_name(), "signed_held");

    let (mut raw, _) = run_to_end(accepted(), at(2), |_| Some(signed(502)));
    raw.withdraw(at(20));
    assert_eq!(raw.state_name(), "signed_held");
}

#[test]
fn a_signature_after_the_lapse_is_held_and_after_a_refusal_ignored() {
    let (mut lapsed, _) = run_to_end(accepted(), at(1), |_| Some(status(504)));
    assert_eq!(lapsed.state_name(), "lapsed");
    lapsed.receive(signed(502), at(300));
    assert_eq!(lapsed.state_name(), "signed_held");

    let (mut declined, _) = run_to_end(accepted(), at(1), |_| Some(fault(401)));
    declined.receive(signed(502), at(300));
    assert_eq!(declined.state_name(), "declined");
}

#[test]
fn the_stored_form_is_versioned_and_unknown_versions_are_refused() {
    let text = serde_json::to_string(&accepted()).unwrap();
    assert!(text.starts_with(r#"{"version":"1","#), "{text}");
    assert_eq!(restarted(&accepted()), accepted());
    assert!(serde_json::from_str::<Attempt>(&text.replace(r#""version":"1""#, r#""version":"2""#)).is_err());
    let silly = text.replace(r#""poll_ms":5000"#, r#""poll_ms":0"#);
    assert!(serde_json::from_str::<Attempt>(&silly).is_err());
}
