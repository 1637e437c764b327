//! What the window holds: the examined documents, the open token, the count. All of it in memory, all of it forgotten.
//!
//! The token stays logged in only while the page is there and seals: it is closed after `login_minutes` without a
//! seal, and after a minute without the page. The PIN itself is never held.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use trinhky_mobile_core::Server;
use trinhky_protos::ids::DocumentId;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::error::Error;
use crate::seal::Reviewed;
use crate::token::{Module, PinState, SealKey};

/// The window's state.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) server: Server,
    module: Mutex<Option<Module>>,
    key: Mutex<Option<Held>>,
    reviewed: Mutex<VecDeque<Arc<Examined>>>,
    seen: Mutex<Instant>,
    sealed: AtomicU32,
    closing: Arc<Notify>,
}

/// The logged-in key, and when it last sealed.
struct Held {
    key: SealKey,
    since: Instant,
}

/// A document that may be sealed, with the bytes that would be: the base and the appended revision.
pub(super) struct Examined {
    pub(super) reviewed: Reviewed,
    pub(super) shown: Arc<Vec<u8>>,
}

impl Desk {
    pub(super) fn new(config: Config, server: Server) -> Self {
        Self {
            config,
            server,
            module: Mutex::new(None),
            key: Mutex::new(None),
            reviewed: Mutex::new(VecDeque::new()),
            seen: Mutex::new(Instant::now()),
            sealed: AtomicU32::new(0),
            closing: Arc::new(Notify::new()),
        }
    }

    /// The page is still there.
    pub(super) fn page_was_seen(&self) {
        *lock(&self.seen) = Instant::now();
    }

    /// How many were sealed at this window.
    pub(super) fn sealed(&self) -> u32 {
        self.sealed.load(Ordering::Relaxed)
    }

    /// One more.
    pub(super) fn count_sealed(&self) {
        self.sealed.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps what was examined: the one on the screen and the one that comes next.
    pub(super) fn keep(&self, reviewed: Reviewed) -> Arc<Examined> {
        let shown = [reviewed.base.as_slice(), &reviewed.sealable.task.tail.0].concat();
        let id = reviewed.sealable.task.document;
        let examined = Arc::new(Examined { reviewed, shown: Arc::new(shown) });
        let mut kept = lock(&self.reviewed);
        kept.retain(|other| other.reviewed.sealable.task.document != id);
        kept.push_back(Arc::clone(&examined));
        while kept.len() > KEPT {
            kept.pop_front();
        }
        examined
    }

    /// What was examined of this document, if it is still held.
    pub(super) fn examined(&self, id: DocumentId) -> Option<Arc<Examined>> {
        lock(&self.reviewed).iter().find(|kept| kept.reviewed.sealable.task.document == id).cloned()
    }

    /// Forgets one document.
    pub(super) fn forget(&self, id: DocumentId) {
        lock(&self.reviewed).retain(|kept| kept.reviewed.sealable.task.document != id);
    }

    /// What the token says of its PIN; finds the module again if it was not there. Blocks.
    pub(super) fn token(&self) -> Result<PinState, Error> {
        self.with_module(|module| module.token(&self.config.token.label).map(|token| token.pin))
    }

    /// Whether a seal needs no PIN now.
    pub(super) fn logged_in(&self) -> bool {
        lock(&self.key).is_some()
    }

    /// Runs `act` with the organisation's key, logging in with `pin` unless that has been done. Blocks.
    pub(super) fn with_key<T>(
        &self,
        pin: Option<Zeroizing<String>>,
        act: impl FnOnce(&mut SealKey) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut held = lock(&self.key);
        if held.is_none() {
            let pin = pin.filter(|pin| !pin.is_empty()).ok_or(Error::PinMissing)?;
            let settings = &self.config.token;
            let key = self.with_module(|module| {
                let token = module.token(&settings.label)?;
                if token.pin == PinState::Locked {
                    Err(Error::PinLocked)
                } else {
                    token.open(pin, &settings.key_label)
                }
            })?;
            *held = Some(Held { key, since: Instant::now() });
        }
        let done = held.as_mut().ok_or(Error::PinMissing).and_then(|held| {
            held.since = Instant::now();
            act(&mut held.key)
        });
        // A token that failed was pulled out, or wants its PIN anew; some keys want it for every signature.
        let failed = matches!(
            done,
            Err(Error::TokenFailed(_)
                | Error::KeyMismatch(_)
                | Error::PinWrong(_)
                | Error::PinLocked
                | Error::PinMissing)
        );
        let used_up = held.as_ref().is_some_and(|held| held.key.wants_pin());
        if failed || used_up || self.config.token.login_minutes == 0 {
            *held = None;
        }
        done
    }

    /// Closes the token.
    pub(super) fn log_out(&self) {
        *lock(&self.key) = None;
    }

    /// Ends the window.
    pub(super) fn close(&self) {
        self.log_out();
        self.closing.notify_one();
    }

    /// Resolves when the window is closed.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let closing = Arc::clone(&self.closing);
        async move {
            tokio::select! {
                () = closing.notified() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
    }

    /// Closes the token when nobody seals, and forgets the documents when nobody looks.
    pub(super) async fn forget_when_idle(self: Arc<Self>) {
        let patience = Duration::from_mins(u64::from(self.config.token.login_minutes));
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let gone = lock(&self.seen).elapsed() > PAGE_IS_GONE_AFTER;
            let idle = lock(&self.key).as_ref().is_some_and(|held| held.since.elapsed() > patience);
            if gone || idle {
                self.log_out();
            }
            if gone {
                lock(&self.reviewed).clear();
            }
        }
    }

    fn with_module<T>(&self, act: impl FnOnce(&Module) -> Result<T, Error>) -> Result<T, Error> {
        let mut module = lock(&self.module);
        if module.is_none() {
            *module = Some(Module::load(&self.config.token.module)?);
        }
        match module.as_ref() {
            Some(module) => act(module),
            None => Err(Error::TokenMissing("the module is gone".into())),
        }
    }
}

/// A panic in another request must not lock the clerk out; every value behind these locks is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const KEPT: usize = 2;
const LOOK_EVERY: Duration = Duration::from_secs(5);
const PAGE_IS_GONE_AFTER: Duration = Duration::from_mins(1);
