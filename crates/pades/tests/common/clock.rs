//! How long something takes, whatever else the machine does.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Longest time of a processor that one file may take in a debug build.
const PATIENCE: Duration = Duration::from_secs(10);

/// What this thread has had of a processor: a busy machine is no reason to fail.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a clock that counts up")
}

/// What `work` answers, in good time.
pub(crate) fn soon<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let before = worked();
    let answer = work();
    let took = worked().saturating_sub(before);
    assert!(took < PATIENCE, "{what} took {took:?}");
    answer
}
