//! Every path from a leaf to an anchor, depth first, most likely issuers first, within a budget.
//!
//! Links are made by name, and preferred by key identifier; signatures are checked here already, so that an impostor
//! with the right name costs one check and no path.

use std::collections::HashMap;

use super::Validation;
use crate::x509::{Certificate, Name};

/// Longest chain that is tried, anchors included.
const MAX_LENGTH: usize = 24;
/// Most signature checks in one search.
const MAX_CHECKS: usize = 400;
/// Most complete paths offered.
const MAX_PATHS: usize = 64;
/// Most links followed: authorities that all certify each other have more chains than can be counted, few of them complete.
const MAX_STEPS: usize = 2000;

/// How a search ended.
pub(super) struct Search {
    /// The budget ran out.
    pub(super) exhausted: bool,
    /// The longest partial chain seen.
    pub(super) longest: Vec<Certificate>,
}

/// Offers each complete chain (leaf first, anchor last) to `take`, until it returns true.
pub(super) fn paths(
    leaf: &Certificate,
    validation: Validation<'_>,
    take: impl FnMut(&[Certificate]) -> bool,
) -> Search {
    let candidates = validation.inputs.candidates;
    let mut by_subject: HashMap<&Name, Vec<&Certificate>> = HashMap::new();
    for candidate in candidates {
        by_subject.entry(candidate.subject()).or_default().push(candidate);
    }
    let mut builder = Builder {
        validation,
        by_subject,
        take,
        chain: vec![leaf.clone()],
        longest: vec![leaf.clone()],
        checked: HashMap::new(),
        steps: 0,
        offered: 0,
        exhausted: !validation.effort.spend(1 + candidates.len() / 8),
    };
    builder.extend();
    Search { exhausted: builder.exhausted, longest: builder.longest }
}

struct Builder<'a, F> {
    validation: Validation<'a>,
    by_subject: HashMap<&'a Name, Vec<&'a Certificate>>,
    take: F,
    chain: Vec<Certificate>,
    longest: Vec<Certificate>,
    /// Signature checks done: (subject, issuer's key) -> holds.
    checked: HashMap<(Certificate, Vec<u8>), bool>,
    steps: usize,
    offered: usize,
    exhausted: bool,
}

impl<F: FnMut(&[Certificate]) -> bool> Builder<'_, F> {
    /// Continues the chain at its end; true when the search is over.
    fn extend(&mut self) -> bool {
        let Some(last) = self.chain.last().cloned() else { return true };
        self.steps += 1;
        self.exhausted |= self.steps > MAX_STEPS || !self.validation.effort.spend(2);
        if self.exhausted {
            return true;
        }
        if self.chain.len() > self.longest.len() {
            self.longest.clone_from(&self.chain);
        }
        if self.validation.inputs.anchors.contains(&last) && self.offer() {
            return true;
        }
        if self.chain.len() >= MAX_LENGTH {
            return false;
        }
        for anchor in self.validation.inputs.anchors.named(last.issuer()) {
            if *anchor != last && self.signed(&last, anchor) {
                self.chain.push(anchor.clone());
                let over = self.offer();
                self.chain.pop();
                if over {
                    return true;
                }
            }
        }
        for issuer in self.issuers(&last) {
            if self.exhausted {
                return true;
            }
            if self.signed(&last, &issuer) {
                self.chain.push(issuer);
                let over = self.extend();
                self.chain.pop();
                if over {
                    return true;
                }
            }
        }
        self.exhausted
    }

    fn offer(&mut self) -> bool {
        self.offered += 1;
        if self.chain.len() > self.longest.len() {
            self.longest.clone_from(&self.chain);
        }
        if (self.take)(&self.chain) {
            return true;
        }
        self.exhausted |= self.offered >= MAX_PATHS;
        self.exhausted
    }

    /// Candidates with the right name that are not in the chain yet (by name and key: RFC 4158 5.2).
    fn issuers(&self, last: &Certificate) -> Vec<Certificate> {
        let key_id = last.extensions().authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
        let is_new = |candidate: &Certificate| {
            let same =
                |link: &Certificate| link.subject() == candidate.subject() && link.spki() == candidate.spki();
            !self.chain.iter().any(same) && !self.validation.inputs.anchors.contains(candidate)
        };
        let named = self.by_subject.get(last.issuer()).map(Vec::as_slice).unwrap_or_default();
        if !self.validation.effort.spend(named.len() * (1 + self.chain.len() / 8)) {
            return Vec::new();
        }
        let mut found: Vec<Certificate> = named.iter().filter(|one| is_new(one)).copied().cloned().collect();
        found.sort_by_key(|candidate| {
            let its_id = candidate.extensions().subject_key_id.as_ref();
            let other_key = key_id.is_some() && its_id.is_some() && key_id != its_id;
            (
                other_key,
                !candidate.is_valid_at(self.validation.inputs.at),
                std::cmp::Reverse(candidate.not_after()),
            )
        });
        found.dedup();
        found
    }

    fn signed(&mut self, subject: &Certificate, issuer: &Certificate) -> bool {
        if !self.validation.effort.spend(1 + issuer.spki().len() / 256) {
            return false;
        }
        let key = (subject.clone(), issuer.spki().to_vec());
        if let Some(known) = self.checked.get(&key) {
            return *known;
        }
        if self.checked.len() >= MAX_CHECKS {
            self.exhausted = true;
            return false;
        }
        let holds = self.validation.is_signed(subject, issuer);
        self.checked.insert(key, holds);
        holds
    }
}
