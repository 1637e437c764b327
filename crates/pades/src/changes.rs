//! Difference analysis: what the revisions after a signature did, and whether that may be.
//!
//! A later revision must explain every object it touches. The analysis walks from the trailer down the few places
//! where a signed document may still grow (form fields, security store, document information) and notes what it
//! finds as [`Fact`]s; whatever is left over is a forbidden change. Three policies read the facts:
//!
//! * *generic* ([`judge`]) for documents of others: the allow-list of ISO 32000-2, 12.8.2 as PAdES uses it, stricter
//!   than the usual one: the drawn text must be the value, no `/NeedAppearances` flip, no annotations, no value
//!   without its appearance;
//! * *manifest* ([`check_manifest`]) for documents that we provisioned: exactly the declared fields, in order, once;
//! * *tail* ([`check_tail`]) for one appended revision before it is signed: on the phone and at the seal.
//!
//! What it is not: a comparison of pictures. No revision is accepted because it looks the same.

mod appearance;
mod drawn;
mod dss;
pub(crate) mod fields;
mod manifest;
mod marks;
mod pages;
mod place;
mod policy;
mod references;
mod step;
pub(crate) mod strings;
mod structure;
mod tail;
mod words;
pub(crate) mod xmp;

use serde::Serialize;

pub use self::{
    manifest::{ManifestBroken, Progress, check_manifest},
    policy::{Lock, Restriction, judge},
    step::{AnalysisLimits, Step, steps_after},
    tail::{DeclaredField, TailExpectation, TailRefused, TailReview, check_places, check_tail},
};

/// What kind of change it is, in the words of the public report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A form field got a value.
    FormFill,
    /// Another signature, or an empty field for one.
    Signature,
    /// Material for long-term verification: security store, document time stamp.
    LtaUpdate,
    /// An annotation that is not a form field.
    Annotation,
    /// Anything else.
    Other,
}

/// One change after a signature, for people and for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The revision that made it, from 1.
    pub revision: usize,
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// Whether the signature allows it.
    pub allowed: bool,
    /// Stable code.
    pub code: &'static str,
    /// A sentence: Vietnamese, then English.
    pub what: String,
}

/// Something that a revision did, before anybody judges it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A signature field that was there received its signature.
    Signed {
        /// Full field name.
        field: String,
        /// Whether the field came with this revision.
        new_field: bool,
        /// Whether the field's widget has an area.
        visible: bool,
        /// Object number of the field.
        object: u32,
    },
    /// A document time stamp was added.
    Stamped {
        /// Full field name.
        field: String,
        /// Whether its widget has an area.
        visible: bool,
    },
    /// An empty signature field was added.
    NewSignatureField {
        /// Full field name.
        field: String,
        /// Whether its widget has an area.
        visible: bool,
    },
    /// A field's value was set; what is drawn is the value.
    Filled {
        /// Full field name.
        field: String,
        /// The value as text.
        value: String,
        /// Object number of the field.
        object: u32,
    },
    /// The security store grew or was replaced.
    SecurityStore,
    /// The security store, or what it holds for one signature, was taken away.
    SecurityStoreLost {
        /// Index of the first revision that had it: signatures from there on saw it.
        since: usize,
    },
    /// Document information or XMP metadata changed.
    Information,
    /// The catalog's version or extensions were raised.
    Version,
    /// Objects were written that nothing refers to.
    Unreferenced {
        /// How many.
        count: usize,
    },
    /// Something no signature allows.
    Forbidden {
        /// In which class of the report it falls.
        kind: ChangeKind,
        /// Stable code.
        code: &'static str,
        /// What it is about: a field name, an object, a key.
        subject: String,
    },
}
