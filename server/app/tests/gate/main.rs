//! The gate before the real counterparts: the world's signature service over mutual TLS in a process of its own, rows in
//! SQLite. The same through phone and PDF is the concern of `tests/flows`.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod rig;
mod rows;
mod service;
