//! Every write of the worker × {lost, stored but the process stopped}.

use super::{T0, ack, approved, at, next, signed};
use crate::{
    attempt::{Attempt, Step},
    request::Request,
};

/// Each write of the worker, lost and stored-but-stopped: where the attempt is afterwards, and how many
/// requests have reached the provider by then. `None` stands for a row that was never written.
#[test]
fn writes_lost_and_writes_stored_but_stopped() {
    #[derive(Clone, Copy)]
    enum Write {
        Sending,
        Accepted,
        SignedRaw,
    }
    for (write, stored, after_restart, end, sim_requests) in [
        (Write::Sending, false, "approved", "signed_raw", 1),
        (Write::Sending, true, "indeterminate", "lapsed", 0),
        (Write::Accepted, false, "indeterminate", "lapsed", 1),
        (Write::Accepted, true, "accepted", "signed_raw", 1),
        (Write::SignedRaw, false, "accepted", "signed_raw", 1),
        (Write::SignedRaw, true, "signed_raw", "signed_raw", 1),
    ] {
        let mut row = serde_json::to_string(&approved()).unwrap();
        let mut requests = 0;
        let mut attempt = approved();
        let mut store = |attempt: &Attempt, stops: bool| {
            if !stops || stored {
                row = serde_json::to_string(attempt).unwrap();
            }
            stops
        };
        let mut now = T0;
        'process: {
            attempt.poll(now);
            if store(&attempt, matches!(write, Write::Sending)) {
                break 'process;
            }
            requests += 1;
            attempt.receive(ack(), at(1));
            if store(&attempt, matches!(write, Write::Accepted)) {
                break 'process;
            }
            now = at(1);
            next(&mut attempt, &mut now);
            store(&attempt, false);
            attempt.receive(signed(502), now);
            store(&attempt, matches!(write, Write::SignedRaw));
        }
        let mut attempt: Attempt = serde_json::from_str(&row).unwrap();
        assert_eq!(attempt.state_name(), after_restart);
        let mut now = at(30);
        loop {
            match next(&mut attempt, &mut now) {
                Step::Done(_) => break,
                Step::Send(Request::Signature(_)) => {
                    requests += 1;
                    attempt.receive(ack(), now);
                }
                Step::Send(Request::Status(_)) => attempt.receive(signed(502), now),
                Step::Wait(_) => unreachable!(),
            }
        }
        assert_eq!((attempt.state_name(), requests), (end, sim_requests));
    }
}
