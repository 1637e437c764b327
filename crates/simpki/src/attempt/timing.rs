//! When a provider is asked and how long it is waited for.
//!
//! Defaults follow the Vietnamese service's samples and the `FiCom` guideline: the prompt lives 180 s, the
//! first question after 10 s, then every 5 s, later every 10 s, and twice more after the prompt's end. The
//! jitter is computed from the attempt's name and the count of questions, so nothing random is needed and a
//! crowd of attempts still spreads out.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::ids::ApTransId;

/// Intervals of one attempt; stored with it, so that a restart with other settings keeps its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// How long the provider keeps the prompt (`TimeOut`).
    pub timeout_seconds: u16,
    /// From sending to the first question.
    pub first_poll_ms: u32,
    /// Between questions.
    pub poll_ms: u32,
    /// Between questions after `late_after_ms`.
    pub late_poll_ms: u32,
    /// From sending to the slower pace.
    pub late_after_ms: u32,
    /// How far an interval may be off, of 100.
    pub jitter_percent: u8,
    /// The last two questions, counted from the prompt's end.
    pub final_polls_ms: [u32; 2],
    /// How long an answer may take.
    pub answer_ms: u32,
    /// Between tries to connect.
    pub reconnect_ms: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            timeout_seconds: 180,
            first_poll_ms: 10_000,
            poll_ms: 5_000,
            late_poll_ms: 10_000,
            late_after_ms: 60_000,
            jitter_percent: 20,
            final_polls_ms: [5_000, 30_000],
            answer_ms: 15_000,
            reconnect_ms: 2_000,
        }
    }
}

/// A setting that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub struct InvalidTiming {
    /// Which setting.
    pub name: &'static str,
    /// What it must be.
    pub why: &'static str,
}

impl Timing {
    /// Intervals of a demonstration: a question every 200 ms.
    pub fn demo() -> Self {
        Self { first_poll_ms: 200, poll_ms: 200, late_poll_ms: 1_000, reconnect_ms: 200, ..Self::default() }
    }

    /// Refuses settings under which an attempt would never end or a provider be flooded.
    ///
    /// # Errors
    /// [`InvalidTiming`] names the setting and its range.
    pub fn checked(self) -> Result<Self, InvalidTiming> {
        let refuse = |name, why| Err(InvalidTiming { name, why });
        if !(1..=300).contains(&self.timeout_seconds) {
            return refuse("timeout_seconds", "between 1 and 300");
        }
        if self.first_poll_ms.min(self.poll_ms).min(self.late_poll_ms) < 50 {
            return refuse("poll_ms", "first_poll_ms, poll_ms and late_poll_ms are at least 50");
        }
        if milliseconds(self.first_poll_ms) > Duration::seconds(self.timeout_seconds.into()) {
            return refuse("first_poll_ms", "within the prompt's own time, timeout_seconds");
        }
        if self.jitter_percent > 50 {
            return refuse("jitter_percent", "at most 50");
        }
        if self.final_polls_ms[0] > self.final_polls_ms[1] || self.final_polls_ms[1] > 300_000 {
            return refuse("final_polls_ms", "ascending and at most 300000");
        }
        if !(50..=120_000).contains(&self.answer_ms) {
            return refuse("answer_ms", "between 50 and 120000");
        }
        if !(50..=60_000).contains(&self.reconnect_ms) {
            return refuse("reconnect_ms", "between 50 and 60000");
        }
        Ok(self)
    }

    /// After this, an attempt sent at `sent_at` is given up: nothing on the SIM can be alive any more.
    pub fn gives_up_at(&self, sent_at: OffsetDateTime) -> OffsetDateTime {
        after(self.expires_at(sent_at), milliseconds(self.final_polls_ms[1]))
    }

    /// When the prompt's own time is over.
    pub(super) fn expires_at(&self, sent_at: OffsetDateTime) -> OffsetDateTime {
        after(sent_at, Duration::seconds(self.timeout_seconds.into()))
    }

    pub(super) fn first_poll_at(&self, sent_at: OffsetDateTime) -> OffsetDateTime {
        after(sent_at, milliseconds(self.first_poll_ms))
    }

    pub(super) fn answer_by(&self, asked_at: OffsetDateTime) -> OffsetDateTime {
        after(asked_at, milliseconds(self.answer_ms))
    }

    pub(super) fn reconnect_at(&self, failed_at: OffsetDateTime) -> OffsetDateTime {
        after(failed_at, milliseconds(self.reconnect_ms))
    }

    /// No question is planned for later than this.
    pub(super) fn longest_wait_from(&self, now: OffsetDateTime) -> OffsetDateTime {
        let interval = self.first_poll_ms.max(self.poll_ms).max(self.late_poll_ms);
        after(now, milliseconds(interval) * 2 + milliseconds(self.final_polls_ms[1]))
    }

    /// The question after one that was answered (or lost) at `now`; `None` after the last.
    pub(super) fn next_poll(
        &self,
        sent_at: OffsetDateTime,
        now: OffsetDateTime,
        seed: (&ApTransId, u32),
    ) -> Option<OffsetDateTime> {
        let late = now - sent_at >= milliseconds(self.late_after_ms);
        let interval = if late { self.late_poll_ms } else { self.poll_ms };
        let regular = after(now, milliseconds(jittered(interval, self.jitter_percent, seed)));
        let expires_at = self.expires_at(sent_at);
        if regular < expires_at {
            return Some(regular);
        }
        self.final_polls_ms.iter().map(|late| after(expires_at, milliseconds(*late))).find(|at| *at > now)
    }
}

/// A stored time may be anything a calendar holds; the last one has no later.
fn after(at: OffsetDateTime, wait: Duration) -> OffsetDateTime {
    at.saturating_add(wait)
}

fn milliseconds(count: u32) -> Duration {
    Duration::milliseconds(count.into())
}

/// The interval, off by up to `percent` either way. FNV-1a over name and count spreads well enough.
fn jittered(interval: u32, percent: u8, (id, count): (&ApTransId, u32)) -> u32 {
    let bytes = id.as_str().bytes().chain(count.to_le_bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let span = u64::from(interval) * u64::from(percent) / 100;
    let shifted = u64::from(interval) - span + (hash >> 16) % (2 * span + 1);
    u32::try_from(shifted).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const SENT: OffsetDateTime = datetime!(2025-03-05 08:00 UTC);

    fn seconds(at: OffsetDateTime) -> f64 {
        (at - SENT).as_seconds_f64()
    }

    #[test]
    fn the_default_schedule_is_ten_then_five_then_ten_and_two_after_the_end() {
        let timing = Timing { jitter_percent: 0, ..Timing::default() };
        let id = "T1".parse().unwrap();
        let mut at = timing.first_poll_at(SENT);
        let mut asked = vec![seconds(at)];
        while let Some(next) = timing.next_poll(SENT, at, (&id, 0)) {
            at = next;
            asked.push(seconds(at));
        }
        assert_eq!(asked[..4], [10.0, 15.0, 20.0, 25.0]);
        assert_eq!(asked[10..14], [60.0, 70.0, 80.0, 90.0]);
        assert_eq!(asked[asked.len() - 3..], [170.0, 185.0, 210.0]);
        assert!((seconds(timing.gives_up_at(SENT)) - 210.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_shipped_timings_are_valid_and_silly_ones_are_not() {
        assert!(Timing::default().checked().is_ok() && Timing::demo().checked().is_ok());
        assert!(Timing { poll_ms: 0, ..Timing::default() }.checked().is_err());
        assert!(Timing { timeout_seconds: 3_000, ..Timing::default() }.checked().is_err());
        assert!(Timing { final_polls_ms: [2, 1], ..Timing::default() }.checked().is_err());
        assert!(Timing { first_poll_ms: u32::MAX, ..Timing::default() }.checked().is_err());
    }

    proptest! {
        #[test]
        fn jitter_stays_within_its_share(interval in 1u32..100_000, percent in 0u8..=50, count: u32) {
            let id = "T01JAB3K4M5N6P7Q8".parse().unwrap();
            let shifted = u64::from(jittered(interval, percent, (&id, count)));
            let span = u64::from(interval) * u64::from(percent) / 100;
            prop_assert!((u64::from(interval) - span..=u64::from(interval) + span).contains(&shifted));
        }
    }
}
