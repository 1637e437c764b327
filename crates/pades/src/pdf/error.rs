//! Why a file, or a part of it, cannot be read.

use thiserror::Error;

use crate::source::SourceError;

/// A file that cannot be read as a PDF, or a part that breaks the rules of ISO 32000.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PdfError {
    /// The medium failed or was shorter than it said.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no `%PDF-` header within the first 1,024 bytes.
    #[error("this is not a PDF file: it has no %PDF- header")]
    NoHeader,
    /// Neither the cross-reference chain nor a scan of the whole file leads to a catalog with pages.
    #[error("no document was found in the file: {0}")]
    NoDocument(&'static str),
    /// An object or a token does not follow the grammar.
    #[error("malformed at byte {at}: {what}")]
    Malformed {
        /// Absolute offset in the file, or offset in the decoded stream for objects within one.
        at: u64,
        /// What was expected or found.
        what: &'static str,
    },
    /// The bytes end before the object does.
    #[error("the file ends in the middle of an object at byte {at}")]
    Truncated {
        /// Absolute offset of the object.
        at: u64,
    },
    /// An object is not of the kind that its place requires.
    #[error("{0} is missing or of the wrong kind")]
    Wrong(&'static str),
    /// A stream's data does not decode.
    #[error("a stream does not decode: {0}")]
    Filter(&'static str),
    /// One of the [`Limits`](super::Limits) was reached.
    #[error("the file exceeds a limit: {0}")]
    Limit(&'static str),
}
