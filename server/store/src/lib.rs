//! Rows and files of Trình Ký on SQLite or PostgreSQL.
//!
//! One set of portable statements through sqlx's `Any`: columns are text, bigint and blob, and nothing else. The rules
//! are `trinhky-domain`'s: a changed row arrives as a [`Change`](trinhky_domain::Change), and [`Tx::apply`] writes it
//! under the version it was decided on, with its journal entry, or answers [`Error::Conflict`].
//!
//! ```text
//! let mut tx = store.begin().await?;
//! let document = tx.document(id).await?;
//! let change = document.awaiting(&actor)?.approve(…)?;
//! tx.apply(&change).await?;                 // rows and journal entry
//! tx.enqueue(&job).await?;                  // the job commits with them
//! tx.commit().await?;
//! ```
//!
//! To add a noun: a table in both migration folders, a file with its `statements!`, a line in [`all_statements`], a test in
//! `tests/`. SQLite: WAL, `synchronous=FULL`, foreign keys, one writer that begins IMMEDIATE. PostgreSQL: read
//! committed, since every guard is in a `WHERE` and every sequence is taken under its row's lock. [`blobs`] keeps the
//! bytes: written and synced before the row that names them.

mod apply;
mod attempts;
mod audit;
pub mod blobs;
mod copies;
mod credentials;
mod decisions;
mod devices;
mod documents;
mod error;
mod files;
mod gate;
mod gate_due;
mod idempotency;
mod jobs;
mod open;
mod people;
mod registers;
mod seals;
#[cfg(debug_assertions)]
mod seen;
mod sessions;
mod sql;
mod tx;
mod under_way;

pub use attempts::Signature;
pub use audit::{JournalLine, Tree};
pub use credentials::{Account, OrgSeal, Sim};
pub use devices::{Delivery, Device, DeviceState, Push};
pub use documents::InboxCount;
pub use error::{Error, Result};
pub use files::{Layout, Segment, StoredFile};
pub use idempotency::{Kept, Seen};
pub use jobs::{Job, NewJob};
pub use open::Store;
pub use registers::Line;
#[cfg(debug_assertions)]
pub use seen::statements_run;
pub use sessions::Session;
pub use sql::all_statements;
pub use tx::{Backend, Cursor, NotACursor, Page, Tx};
