//! PDF signing engine: revisions, CMS, time stamps, verification; bytes in, bytes out.
//!
//! Pure: no socket, no clock, no chance. Files are read through [`source::Source`]; time, ids and randomness are
//! arguments; whatever is kept between steps is plain data that can be stored.

pub mod asn1;
pub mod cms;
pub mod crl;
pub mod crypto;
pub mod digest;
pub mod ocsp;
mod oid;
pub mod pdf;
pub mod source;
pub mod tsp;
pub mod x509;

pub use digest::{Digest, Midstate, hash_source, resume};
pub use source::{Concat, Source, SourceError};
