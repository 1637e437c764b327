//! How often one name may be tried: a sliding quarter of an hour, kept in memory.
//!
//! A try counts from its beginning, so that many at once are not more than many one after another; success wipes the
//! slate. Names are counted known or not, so that it tells nothing about which exist, and by their digest, so that a long
//! one takes no more room. A restart forgets them: Argon2id makes each try dear enough that this is no hole worth a row.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::{Duration, OffsetDateTime};
use trinhky_domain::Digest;

const WINDOW: Duration = Duration::minutes(15);
/// Beyond this many names some are forgotten: memory is bounded, whoever asks.
const MOST_NAMES: usize = 10_000;

/// Tries that did not succeed, by name.
#[derive(Debug, Default)]
pub struct Tries(Mutex<HashMap<Digest, Vec<OffsetDateTime>>>);

impl Tries {
    /// Begins a try with `name`, when fewer than `most` were begun lately.
    ///
    /// # Errors
    /// The seconds after which one more try is allowed.
    pub fn begin(&self, name: &str, most: u32, now: OffsetDateTime) -> Result<(), u32> {
        let mut tries = self.lock();
        let name = Digest::of(name.as_bytes());
        if tries.len() >= MOST_NAMES && !tries.contains_key(&name) {
            make_room(&mut tries, now);
        }
        let times = tries.entry(name).or_default();
        times.retain(|time| now - *time < WINDOW);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if let Some(oldest) = times.len().checked_sub(most).and_then(|index| times.get(index)) {
            return Err(u32::try_from((*oldest + WINDOW - now).whole_seconds().max(1)).unwrap_or(1));
        }
        times.push(now);
        Ok(())
    }

    /// A try with `name` succeeded.
    pub fn succeeded(&self, name: &str) {
        self.lock().remove(&Digest::of(name.as_bytes()));
    }

    /// The try begun at `then` came to nothing for a reason that is not the person's.
    pub fn not_made(&self, name: &str, then: OffsetDateTime) {
        if let Some(times) = self.lock().get_mut(&Digest::of(name.as_bytes()))
            && let Some(place) = times.iter().position(|time| *time == then)
        {
            times.remove(place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Vec<OffsetDateTime>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets old tries, then names that were tried once: a crowd of invented names must not wipe the slate of one that is
/// being guessed at.
fn make_room(tries: &mut HashMap<Digest, Vec<OffsetDateTime>>, now: OffsetDateTime) {
    tries.retain(|_, times| times.last().is_some_and(|time| now - *time < WINDOW));
    if tries.len() >= MOST_NAMES {
        tries.retain(|_, times| times.len() > 1);
    }
    if tries.len() >= MOST_NAMES {
        tries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const START: OffsetDateTime = datetime!(2026-01-02 03:00 UTC);

    #[test]
    fn the_sixth_try_waits_for_the_first_to_age() {
        let tries = Tries::default();
        for second in 0..5 {
            assert_eq!(tries.begin("lan", 5, START + Duration::seconds(second)), Ok(()));
        }
        assert_eq!(tries.begin("lan", 5, START + Duration::seconds(60)), Err(840));
        assert_eq!(tries.begin("minh", 5, START), Ok(()));
        assert_eq!(tries.begin("lan", 5, START + WINDOW), Ok(()));
        tries.succeeded("lan");
        assert_eq!(tries.begin("lan", 5, START + WINDOW), Ok(()));
    }

    #[test]
    fn tries_at_the_same_moment_count_before_any_of_them_has_failed() {
        let tries = Tries::default();
        let begun = (0..100).filter(|_| tries.begin("lan", 5, START).is_ok()).count();
        assert_eq!(begun, 5);
    }

    #[test]
    fn a_try_that_failed_for_our_reasons_does_not_count() {
        let tries = Tries::default();
        for second in 0..50 {
            let now = START + Duration::seconds(second);
            assert_eq!(tries.begin("lan", 1, now), Ok(()));
            tries.not_made("lan", now);
        }
    }

    #[test]
    fn a_crowd_of_invented_names_does_not_wipe_the_slate_of_one_that_is_guessed_at() {
        let tries = Tries::default();
        for _ in 0..5 {
            tries.begin("lan", 5, START).expect("allowed");
        }
        for n in 0..2 * MOST_NAMES {
            tries.begin(&format!("nobody{n}"), 5, START).expect("allowed");
        }
        assert!(tries.begin("lan", 5, START).is_err());
        assert!(tries.lock().len() <= MOST_NAMES);
    }
}
