//! Proofs of existence, and the baseline level that a sound signature has reached (ETSI EN 319 142-1, 6): counted by
//! what the file itself holds, whatever else the verifier was given.

use time::OffsetDateTime;

use super::{
    Revocation, VerifyPolicy,
    material::Material,
    report::Level,
    trust::{self, Held, Subject},
};
use crate::x509::path::Evidence;

/// The document time stamps that passed: all before each existed at its time.
#[derive(Debug, Default)]
pub(crate) struct Proofs(Vec<(usize, OffsetDateTime)>);

impl Proofs {
    /// A time stamp in `revision` that passed.
    pub(super) fn add(&mut self, revision: usize, time: OffsetDateTime) {
        self.0.push((revision, time));
    }

    /// The earliest time at which what `revision` brought demonstrably existed.
    pub(super) fn of(&self, revision: usize) -> Option<OffsetDateTime> {
        self.0.iter().filter(|(proof, _)| *proof > revision).map(|(_, time)| *time).min()
    }

    /// The newest stamp over `revision`.
    fn newest_over(&self, revision: usize) -> Option<usize> {
        self.0.iter().map(|(proof, _)| *proof).filter(|proof| *proof > revision).max()
    }
}

/// The level of a signature in `revision` that passed and has a proven time: B-T, B-LT if chain and revocation of the
/// signer and of the authority that stamped it are in the file, B-LTA if a document time stamp covers these.
pub(super) fn reached(
    believed: &[Subject],
    revision: usize,
    held: &Held<'_>,
    policy: &VerifyPolicy<'_>,
) -> Level {
    let material = held.material;
    if !material.has_store {
        return Level::BT;
    }
    let held_since = |material: &Material| held_since(believed, &Held { material, ..*held }, policy);
    let newest = held.proofs.newest_over(revision);
    let held = held_since(material);
    if held.is_none() && !material.has_foreign() && policy.revocation != Revocation::Off {
        return Level::BT;
    }
    let Some(stamp) = newest else {
        let complete = held.is_some() || held_since(&material.as_of(usize::MAX)).is_some();
        return if complete { Level::BLt } else { Level::BT };
    };
    // What is newest need not be what was archived: an older answer may do as well.
    let archived = |since: usize| since <= stamp;
    if held.is_some_and(archived) || held_since(&material.as_of(stamp)).is_some() {
        Level::BLta
    } else if held.is_some() || held_since(&material.as_of(usize::MAX)).is_some() {
        Level::BLt
    } else {
        Level::BT
    }
}

/// By which revision the file holds everything that was believed.
fn held_since(believed: &[Subject], held: &Held<'_>, policy: &VerifyPolicy<'_>) -> Option<usize> {
    let mode = Revocation::IfAvailable;
    let evidence: Vec<Evidence> = believed
        .iter()
        .flat_map(|subject| trust::certificate(subject, held, policy, mode).evidence)
        .collect();
    held.material.held_since(&evidence)
}
