//! How often one name may be tried: a sliding quarter of an hour, kept in memory.
//!
//! It counts failures by account name, known or not, so that it tells nothing about which names exist. A restart
//! forgets them: Argon2id makes each try dear enough that this is no hole worth a row per failure.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

const WINDOW: Duration = Duration::minutes(15);
/// Beyond this many names the oldest are forgotten: memory is bounded, whoever asks.
const MOST_NAMES: usize = 10_000;

/// Failures by name.
#[derive(Debug, Default)]
pub struct Tries {
    failures: Mutex<HashMap<String, Vec<OffsetDateTime>>>,
}

impl Tries {
    /// Whether `name` may be tried now, when `most` failures are allowed; else the seconds to wait.
    ///
    /// # Errors
    /// The seconds after which one more try is allowed.
    pub fn allow(&self, name: &str, most: u32, now: OffsetDateTime) -> Result<(), u32> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(times) = failures.get_mut(name) else { return Ok(()) };
        times.retain(|time| now - *time < WINDOW);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        match times.len().checked_sub(most).and_then(|index| times.get(index)) {
            Some(oldest) => Err(u32::try_from((*oldest + WINDOW - now).whole_seconds().max(1)).unwrap_or(1)),
            None => Ok(()),
        }
    }

    /// A try with `name` failed.
    pub fn failed(&self, name: &str, now: OffsetDateTime) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST_NAMES && !failures.contains_key(name) {
            failures.retain(|_, times| times.last().is_some_and(|time| now - *time < WINDOW));
            if failures.len() >= MOST_NAMES {
                failures.clear();
            }
        }
        failures.entry(name.to_owned()).or_default().push(now);
    }

    /// A try with `name` succeeded.
    pub fn succeeded(&self, name: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_sixth_failure_waits_for_the_first_to_age() {
        let tries = Tries::default();
        let start = datetime!(2026-01-02 03:00 UTC);
        for second in 0..5 {
            let now = start + Duration::seconds(second);
            assert_eq!(tries.allow("lan", 5, now), Ok(()));
            tries.failed("lan", now);
        }
        assert_eq!(tries.allow("lan", 5, start + Duration::seconds(60)), Err(840));
        assert_eq!(tries.allow("minh", 5, start), Ok(()));
        assert_eq!(tries.allow("lan", 5, start + WINDOW), Ok(()));
        tries.succeeded("lan");
        assert_eq!(tries.allow("lan", 5, start), Ok(()));
    }
}
