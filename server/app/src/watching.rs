//! Who watches which attempt, so that a thousand long polls cost one look at the rows and not a thousand.
//!
//! ```text
//! GET …?wait ─► seat ─┐              ┌─► seats whose attempt has moved wake up
//! GET …?wait ─► seat ─┼─► one beat ──┤
//! GET …?wait ─► seat ─┘  (100 ms)    └─► every five seconds: these devices are watching (architecture, step 10)
//! ```
//!
//! Gate and workers are other processes, so the rows are the only place where a change is seen. The beat runs while there
//! is a seat. It is a convenience: whoever waits looks at the row again when its time is over, whatever became of the beat.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;
use trinhky_domain::ids::AttemptId;

use crate::app::App;
use crate::error::ApiResult;

/// Everybody who watches, in this process.
#[derive(Default)]
pub struct Watching(Mutex<Room>);

#[derive(Default)]
struct Room {
    /// The newest version the beat has seen, for whoever sits there.
    versions: HashMap<AttemptId, watch::Sender<u64>>,
    /// Signers' own devices.
    devices: HashMap<AttemptId, Presence>,
    beats: bool,
}

struct Presence {
    seat: Weak<()>,
    /// When the rows were last told.
    told: Option<OffsetDateTime>,
}

/// A place at an attempt, for one long poll.
pub struct Seat {
    version: watch::Receiver<u64>,
    _presence: Option<Arc<()>>,
}

impl Seat {
    /// Takes a seat; that the signer's own device has one is told to the rows with the next beat.
    pub fn take(app: &App, id: AttemptId, own_device: bool) -> Self {
        let mut room = app.watching.room();
        let version = room.versions.entry(id).or_insert_with(|| watch::Sender::new(0)).subscribe();
        let presence = own_device.then(|| room.presence(id));
        if !room.beats {
            room.beats = true;
            tokio::spawn(beat(app.clone()));
        }
        Self { version, _presence: presence }
    }

    /// Waits until the attempt is beyond version `seen`.
    pub async fn beyond(mut self, seen: u64) {
        if self.version.wait_for(|version| *version > seen).await.is_err() {
            // The sender lives as long as there is a seat.
            std::future::pending::<()>().await;
        }
    }
}

async fn beat(app: App) {
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let now = app.clock.now();
        let Some(round) = app.watching.room().round(now) else { return };
        if let Err(error) = look(&app, &round, now).await {
            tracing::warn!(?error, "watchers wait for the next look");
        }
    }
}

async fn look(app: &App, round: &Round, now: OffsetDateTime) -> ApiResult<()> {
    if !round.present.is_empty() {
        let mut tx = app.store.begin().await?;
        tx.watch_all(&round.present, now).await?;
        tx.commit().await?;
        app.watching.room().told(&round.present, now);
    }
    if !round.watched.is_empty() {
        let versions = app.store.read().await?.attempt_versions(&round.watched).await?;
        let room = app.watching.room();
        for (id, version) in versions {
            let Some(sender) = room.versions.get(&id) else { continue };
            let version = u64::from(version);
            sender.send_if_modified(|known| std::mem::replace(known, version) != version);
        }
    }
    Ok(())
}

/// What one beat is to do.
struct Round {
    watched: Vec<AttemptId>,
    present: Vec<AttemptId>,
}

impl Room {
    fn presence(&mut self, id: AttemptId) -> Arc<()> {
        let presence = self.devices.entry(id).or_insert(Presence { seat: Weak::new(), told: None });
        presence.seat.upgrade().unwrap_or_else(|| {
            let seat = Arc::new(());
            presence.seat = Arc::downgrade(&seat);
            seat
        })
    }

    /// None, and no further beat, when the room is empty and everything was told.
    fn round(&mut self, now: OffsetDateTime) -> Option<Round> {
        self.versions.retain(|_, sender| sender.receiver_count() > 0);
        let is_fresh =
            |told: Option<OffsetDateTime>| told.is_some_and(|at| at <= now && now - at < TELL_AGAIN);
        // Whoever has left was told of once and need not be told of again.
        self.devices.retain(|_, device| {
            device.told.is_none() || device.seat.strong_count() > 0 || is_fresh(device.told)
        });
        let present: Vec<_> =
            self.devices.iter().filter(|(_, device)| !is_fresh(device.told)).map(|(id, _)| *id).collect();
        if self.versions.is_empty() && present.is_empty() {
            self.devices.clear();
            self.beats = false;
            return None;
        }
        Some(Round { watched: self.versions.keys().copied().collect(), present })
    }

    fn told(&mut self, ids: &[AttemptId], now: OffsetDateTime) {
        for id in ids {
            if let Some(device) = self.devices.get_mut(id) {
                device.told = Some(now);
            }
        }
    }
}

impl Watching {
    /// What is in the room is right after every statement, so a panic elsewhere does not spoil it.
    fn room(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Between two looks at the rows.
const BEAT: Duration = Duration::from_millis(100);
/// Well within the time a device counts as watching.
const TELL_AGAIN: time::Duration = time::Duration::seconds(5);

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-08-20 03:00 UTC);

    #[test]
    fn a_device_is_told_of_at_once_then_every_five_seconds_while_it_stays() {
        let id = AttemptId::at(NOW, 1);
        let mut room = Room::default();
        let seat = room.versions.entry(id).or_insert_with(|| watch::Sender::new(0)).subscribe();
        let presence = room.presence(id);
        let seconds = time::Duration::seconds;
        assert_eq!(room.round(NOW).expect("somebody sits").present, [id]);
        assert_eq!(room.round(NOW).expect("somebody sits").present, [id], "it was not told yet");
        room.told(&[id], NOW);
        assert!(room.round(NOW + seconds(4)).expect("somebody sits").present.is_empty());
        assert_eq!(room.round(NOW + seconds(5)).expect("somebody sits").present, [id]);
        drop(presence);
        let round = room.round(NOW + seconds(6)).expect("somebody else sits");
        assert!(round.present.is_empty() && round.watched == [id], "the device has left");
        drop(seat);
        assert!(room.round(NOW + seconds(6)).is_none() && room.versions.is_empty());
    }

    #[test]
    fn a_device_that_looked_in_is_told_of_though_it_has_left() {
        let id = AttemptId::at(NOW, 1);
        let mut room = Room::default();
        drop(room.presence(id));
        assert_eq!(room.round(NOW).expect("one is to be told").present, [id]);
        room.told(&[id], NOW);
        assert!(room.round(NOW).is_none());
    }
}
