//! Which statements have run (debug builds only), so that a test can name those that never did.

use std::collections::BTreeSet;
use std::sync::Mutex;

static SEEN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

pub(crate) fn note(sql: &'static str) {
    if let Ok(mut seen) = SEEN.lock() {
        seen.insert(sql);
    }
}

/// The statements run so far in this process.
pub fn statements_run() -> BTreeSet<&'static str> {
    SEEN.lock().map(|seen| seen.clone()).unwrap_or_default()
}
