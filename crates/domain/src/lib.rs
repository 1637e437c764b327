//! What is true, whoever asks: people and offices, documents and their life, signatures asked for, registers,
//! policy profiles and audit entries.
//!
//! Pure rules: no socket, no clock, no random source, no SQL, no async. Time, chance and ids are arguments. An operation
//! reads like its sentence: load, ask the domain, store, commit.
//!
//! ```text
//! document.awaiting(&actor)?                       right state, right person          → Awaiting (a proof)
//!         .approve(&actor, appointed, &terms, …)?  right bytes, capacity, device      → Change
//! tx.apply(&change).await?                         every row guarded by its version, with the journal entry
//! ```
//!
//! Rules that follow a regulation carry its R-number (`R1` … `R141`) in their documentation.

pub mod audit;
pub mod calendar;
mod change;
mod codes;
pub mod dates;
mod digest;
pub mod document;
pub mod edge;
pub mod email;
pub mod ids;
pub mod note;
pub mod paper;
pub mod people;
pub mod policy;
mod refused;
pub mod register;
pub mod release;
pub mod seal;
pub mod signing;

pub use change::{Change, Notice, NoticeKind, Write};
pub use codes::UnknownWord;
pub use digest::{Digest, NotADigest};
pub use document::{Document, Version};
pub use edge::Edge;
pub use refused::Refused;
