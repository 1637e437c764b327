//! The manifest policy for documents that we provisioned: every revision behind the base does one of the things it was
//! made for, on exactly the declared objects, in order, once.
//!
//! ```text
//! base ── Signer1 ── … ── SignerN ── {number, date, seal} ── security store and time stamps ──
//! ```
//!
//! Everything else fails, even where ISO 32000 and the generic policy would allow it.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{AnalysisLimits, Fact, Step, steps_after};
use crate::{
    digest::hash_source,
    manifest::{FieldKind, Manifest},
    pdf::File,
    source::{Source, SourceError},
};

/// How a file departs from its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestBroken {
    /// The base is not the first revision, or has other bytes.
    #[error("the file does not begin with the provisioned base")]
    OtherBase,
    /// A revision does something the manifest does not name.
    #[error("revision {revision} does more than the manifest allows: {what}")]
    NotDeclared {
        /// From 1.
        revision: usize,
        /// A sentence, Vietnamese then English.
        what: String,
    },
    /// A field is signed or filled out of turn, or a second time.
    #[error("revision {revision} signs or fills {field} out of turn")]
    OutOfTurn {
        /// From 1.
        revision: usize,
        /// The field.
        field: String,
    },
    /// The medium failed.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl ManifestBroken {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherBase => "manifest_other_base",
            Self::NotDeclared { .. } => "manifest_not_declared",
            Self::OutOfTurn { .. } => "manifest_out_of_turn",
            Self::Source(_) => "unreadable",
        }
    }
}

/// What of the manifest has happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Signed fields, in the order of signing.
    pub signed: Vec<String>,
    /// Filled fields.
    pub filled: BTreeSet<String>,
}

/// Holds a file against its manifest.
///
/// Reads the base once to digest it. Signatures are not verified here: [`verify`](crate::verify).
///
/// # Errors
/// [`ManifestBroken`] for the first revision that departs from it.
pub fn check_manifest(file: &File<'_>, manifest: &Manifest) -> Result<Progress, ManifestBroken> {
    let base = manifest.base_len;
    let ends = |end: u64| file.revisions().iter().position(|revision| revision.end == end);
    let index = ends(base).ok_or(ManifestBroken::OtherBase)?;
    let digest = hash_source(&Prefix { whole: file.source(), len: base })?.0;
    if digest != manifest.base_sha256 || index != 0 {
        return Err(ManifestBroken::OtherBase);
    }
    let mut progress = Progress::default();
    for step in steps_after(file, index, &AnalysisLimits::default()) {
        follow(&step, manifest, &mut progress)?;
    }
    Ok(progress)
}

fn follow(step: &Step, manifest: &Manifest, progress: &mut Progress) -> Result<(), ManifestBroken> {
    let revision = step.revision + 1;
    let out_of_turn = |field: &str| ManifestBroken::OutOfTurn { revision, field: field.to_owned() };
    let mut allowed = BTreeSet::new();
    let mut sealing = false;
    let mut filling = BTreeSet::new();
    for fact in &step.facts {
        let undeclared = || ManifestBroken::NotDeclared { revision, what: fact.words() };
        match fact {
            Fact::Signed { field, new_field: false, object, .. } => {
                let declared =
                    manifest.field(field).filter(|d| d.id.number == *object).ok_or_else(undeclared)?;
                let next = signatures(manifest).nth(progress.signed.len());
                if next != Some(field.as_str()) {
                    return Err(out_of_turn(field));
                }
                sealing = declared.kind == FieldKind::Seal;
                progress.signed.push(field.clone());
                allowed.insert(*object);
            }
            Fact::Filled { field, object, .. } => {
                let declared = manifest.field(field).filter(|d| d.id.number == *object && d.kind.is_text());
                let declared = declared.ok_or_else(undeclared)?;
                if declared.text.is_some() || !progress.filled.insert(field.clone()) {
                    return Err(out_of_turn(field));
                }
                filling.insert(field.clone());
                allowed.insert(*object);
            }
            Fact::SecurityStore | Fact::Stamped { visible: false, .. } => {
                allowed.extend([
                    manifest.root.number,
                    manifest.acroform.number,
                    manifest.fields_array.number,
                ]);
                allowed.extend(manifest.fields.iter().map(|declared| declared.annots.number));
            }
            _ => return Err(undeclared()),
        }
    }
    // Number and date belong to the seal's revision, or to that of the only signature there is.
    let last = signatures(manifest).count() == progress.signed.len();
    if let Some(field) = filling.first().filter(|_| !(sealing || last)) {
        return Err(out_of_turn(field));
    }
    allowed.insert(manifest.acroform.number); // /SigFlags
    match step.replaced.iter().find(|number| !allowed.contains(number)) {
        Some(number) => Err(ManifestBroken::NotDeclared { revision, what: format!("{number} 0 R") }),
        None => Ok(()),
    }
}

/// Names of the signature fields in the order of signing.
fn signatures(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.fields.iter().filter(|field| !field.kind.is_text()).map(|field| field.name.as_str())
}

/// The first bytes of a source.
struct Prefix<'a> {
    whole: &'a dyn Source,
    len: u64,
}

impl Source for Prefix<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        let len = buf.len() as u64;
        if at.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(SourceError::OutOfRange { at, len, total: self.len });
        }
        self.whole.read_at(at, buf)
    }
}
