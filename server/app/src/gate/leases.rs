//! The leases this gate holds, renewed together: one write for all of them, however many prompts are open.
//!
//! A lease that could not be renewed in time passes to another gate. Nothing here notices; the next write does, since it
//! names its lease.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use trinhky_domain::ids::AttemptId;
use trinhky_store::Store;

use crate::ambient::Clock;

/// Every lease that is held, by its attempt; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases(Arc<Mutex<HashMap<AttemptId, String>>>);

/// The lease of one attempt, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    id: AttemptId,
    leases: Leases,
}

impl Leases {
    /// From now on the lease of `id` under `token` is renewed. None when this gate drives the attempt already: its renewal
    /// was late and nobody else was there, so whoever drives it goes on, under the new token.
    pub(super) fn hold(&self, id: AttemptId, token: String) -> Option<Lease> {
        let driven = self.held().insert(id, token).is_some();
        (!driven).then(|| Lease { id, leases: self.clone() })
    }

    /// Renews what is held, for ever.
    pub(super) async fn keep(self, store: Store, clock: Arc<dyn Clock>, lease: Duration) {
        loop {
            tokio::time::sleep(lease / 3).await;
            let held: Vec<String> = self.held().values().cloned().collect();
            if held.is_empty() {
                continue;
            }
            if let Err(error) = renew(&store, &held, clock.now() + lease).await {
                tracing::warn!(%error, leases = held.len(), "leases could not be renewed");
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<AttemptId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// What every write of the holder names.
    pub(super) fn token(&self) -> String {
        self.leases.held().get(&self.id).cloned().unwrap_or_default()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.leases.held().remove(&self.id);
    }
}

async fn renew(store: &Store, held: &[String], until: time::OffsetDateTime) -> trinhky_store::Result<()> {
    let mut tx = store.begin().await?;
    tx.renew_attempts(held, until).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_attempt_is_driven_once_in_a_process_however_often_it_is_claimed() {
        let id = AttemptId::at(datetime!(2026-08-20 03:00 UTC), 1);
        let leases = Leases::default();
        let lease = leases.hold(id, "first".into()).expect("nobody drives it");
        assert!(leases.hold(id, "second".into()).is_none());
        assert_eq!(lease.token(), "second", "whoever drives it writes under the newer claim");
        drop(lease);
        assert!(leases.hold(id, "third".into()).is_some());
    }
}
