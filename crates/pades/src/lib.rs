//! PDF signing engine: revisions, CMS, time stamps, verification; bytes in, bytes out.
//!
//! Pure: no socket, no clock, no chance. Files are read through [`source::Source`]; time, ids and randomness are
//! arguments; whatever is kept between steps is plain data that can be stored.
//!
//! ```text
//! ingest ─▶ provision ─▶ prepare ─▶ (signer) ─▶ cms::check ─▶ complete ─▶ prepare … ─▶ prepare_dss ─▶ verify
//!   hash      fields,      one         SIM,        the only      same base,    seal with      long-term
//!   once      manifest     tail        token       way in        next tail     number, date   data
//! ```
//!
//! [`Upgrade`] raises what is signed, by whomever, to B-T, B-LT and B-LTA, and renews the archive: it says what it needs
//! (a status, a list, a time stamp) and takes the answers.
//!
//! The base is never copied again after provisioning: a revision is a tail, and only the tail is hashed
//! ([`Midstate`]). `examples/` holds whole programs.

pub mod asn1;
pub mod changes;
pub mod cms;
pub mod complete;
pub mod crl;
pub mod crypto;
pub mod digest;
pub mod document_timestamp;
pub mod dss;
mod form_version;
pub mod index;
pub mod intake;
pub mod intake_check;
pub mod look;
pub mod manifest;
pub mod mark;
pub mod ocsp;
mod oid;
pub mod pdf;
pub mod place;
pub mod prepare;
pub mod protection;
pub mod provision;
mod rewrite;
pub mod source;
mod survey;
pub mod tsp;
pub mod upgrade;
pub mod urgency;
pub mod verify;
pub mod x509;

pub use complete::{CompleteError, SignedTail};
pub use digest::{Digest, Midstate, hash_source, resume};
pub use document_timestamp::{PreparedTimestamp, prepare_timestamp};
pub use dss::{DssContent, DssTail, prepare_dss};
pub use form_version::FormVersion;
pub use index::BaseIndex;
pub use intake::{Finding, Ingested, IntakeReport, Refusal, ingest};
pub use intake_check::{SignedRefused, intake_check};
pub use look::PreparedImage;
pub use manifest::{Declared, FieldKind, Manifest};
pub use mark::{CopyForm, Mark};
pub use place::signature_place;
pub use prepare::{Fill, PrepareError, Prepared, SignRequest, prepare};
pub use protection::{Permission, Protection};
pub use provision::{PagePlace, ProvisionPlan, Provisioned, SealPlan, SignerPlan, TextPlan, provision};
pub use source::{Concat, Source, SourceError};
pub use upgrade::{Need, Step, Target, Upgrade, UpgradeRefused, Upgraded};
pub use urgency::{Urgency, UrgencyStamp};
