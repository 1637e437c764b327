//! CMS signatures (RFC 5652) in the shape of PAdES baseline (ETSI EN 319 142-1, EN 319 122-1): made from a raw
//! signature value, checked before anything is embedded, and read leniently from files of others.
//!
//! ```text
//! signed_attributes(digest, certificate) ── dtbs_digest() ──> SIM or token ──> SignatureValue
//!            └────────────── assemble ──────────────────────────────────────────┘
//!                                └─> check ──> CheckedCms ── add_timestamp ──> CheckedCms ──> embed
//! parse (BER, foreign) ──> SignedMessage ── Signer::inspect ──> SignerChecks (one answer per question)
//! ```
//!
//! Two policies, on purpose in two places. [`check`] is for what *we* put into a file: DER only, one signer, no
//! content, exactly three signed attributes, the very certificate that was pinned. [`parse()`] and
//! [`Signer::inspect`] read what others made and report, without deciding.
//! Structures are our own `der` derives: raw signed attributes, BER and UUID identifiers are what other crates lack.

mod assemble;
mod attributes;
mod check;
mod ess;
mod inspect;
mod parse;
mod signature_value;
mod timestamp;
mod types;

pub use assemble::{AssembleError, assemble, estimated_length};
pub use attributes::{SignedAttributes, signed_attributes};
pub use check::{CheckedCms, CheckedStatement, CmsRefused, check, check_statement};
pub use ess::EssCheck;
pub use inspect::{Finding, SignerChecks};
pub use parse::{CmsMalformed, SignedMessage, Signer, SignerId, parse};
pub use signature_value::{SignatureValue, SignatureValueError};
pub use timestamp::{TimestampRefused, check_stamped};

use crate::asn1::Oid;

/// The content type of a PDF signature: id-data.
pub const ID_DATA: Oid = crate::oid::DATA;

/// The content type of a Trình Ký enrolment statement: 2.25.(UUID 9c1f6d0e-52d4-4b1f-8a57-3f6a0a4f2c61).
///
/// Never id-data, so that an enrolment signed by a SIM can never pass as the signature of a document.
pub const ID_ENROLMENT: Oid = Oid::from_uuid(0x9c1f_6d0e_52d4_4b1f_8a57_3f6a_0a4f_2c61);
