//! Certificate policies (RFC 5280 6.1.2 to 6.1.5), as a graph by depth instead of a tree (RFC 9618): each policy appears
//! once per depth, so a hostile chain cannot make it grow exponentially.

use std::collections::{BTreeMap, BTreeSet};

use super::Constraint;
use crate::asn1::Oid;
use crate::oid::ANY_POLICY;
use crate::x509::Certificate;

/// Most policies at one depth.
const MAX_NODES: usize = 1024;

/// The policy inputs of a validation (RFC 5280 6.1.1 c, e, f, g).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyInputs {
    /// user-initial-policy-set; empty for any-policy.
    pub acceptable: Vec<Oid>,
    /// initial-explicit-policy: the path must be valid for one of them.
    pub require_explicit: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any: bool,
}

pub(super) struct PolicyState {
    /// The valid policies at the current depth, each with the policies of the next certificate that continue it; empty is
    /// the NULL tree.
    nodes: BTreeMap<Oid, BTreeSet<Oid>>,
    /// For each depth so far the policies that were valid there, each with those above it that it continues.
    parents: Vec<BTreeMap<Oid, Vec<Oid>>>,
    explicit: usize,
    mapping: usize,
    inhibit_any: usize,
}

impl PolicyState {
    pub(super) fn new(length: usize, inputs: &PolicyInputs) -> Self {
        let start = |now: bool| if now { 0 } else { length + 1 };
        Self {
            nodes: BTreeMap::from([(ANY_POLICY, BTreeSet::from([ANY_POLICY]))]),
            parents: Vec::new(),
            explicit: start(inputs.require_explicit),
            mapping: start(inputs.inhibit_mapping),
            inhibit_any: start(inputs.inhibit_any),
        }
    }

    /// 6.1.3 (d) to (f).
    pub(super) fn process(&mut self, certificate: &Certificate, is_leaf: bool) -> Result<(), Constraint> {
        let above = std::mem::take(&mut self.nodes);
        let mut continued: BTreeMap<Oid, Vec<Oid>> = BTreeMap::new();
        for (parent, expected) in &above {
            for policy in expected {
                continued.entry(*policy).or_default().push(*parent);
            }
        }
        let mut valid: BTreeMap<Oid, Vec<Oid>> = BTreeMap::new();
        if let Some(policies) = &certificate.extensions().policies {
            for policy in policies.iter().filter(|policy| **policy != ANY_POLICY) {
                if let Some(parents) = continued.get(policy) {
                    valid.insert(*policy, parents.clone());
                } else if above.contains_key(&ANY_POLICY) {
                    valid.insert(*policy, vec![ANY_POLICY]);
                }
            }
            let any_allowed = self.inhibit_any > 0 || (!is_leaf && certificate.is_self_issued());
            if any_allowed && policies.contains(&ANY_POLICY) {
                for (policy, parents) in continued {
                    valid.insert(policy, parents);
                }
            }
        }
        self.nodes = valid.keys().map(|policy| (*policy, BTreeSet::from([*policy]))).collect();
        self.parents.push(valid);
        if self.nodes.len() > MAX_NODES || (self.explicit == 0 && self.nodes.is_empty()) {
            return Err(Constraint::Policy);
        }
        Ok(())
    }

    /// 6.1.4 (a), (b), (h), (i), (j).
    pub(super) fn prepare(&mut self, certificate: &Certificate) -> Result<(), Constraint> {
        let extensions = certificate.extensions();
        let mut mapped: BTreeMap<Oid, BTreeSet<Oid>> = BTreeMap::new();
        for (issuer, subject) in &extensions.policy_mappings {
            if *issuer == ANY_POLICY || *subject == ANY_POLICY {
                return Err(Constraint::Policy);
            }
            mapped.entry(*issuer).or_default().insert(*subject);
        }
        for (policy, to) in mapped {
            if self.mapping == 0 {
                self.nodes.remove(&policy);
            } else if let Some(expected) = self.nodes.get_mut(&policy) {
                *expected = to;
            } else if self.nodes.contains_key(&ANY_POLICY) {
                self.nodes.insert(policy, to);
                if let Some(valid) = self.parents.last_mut() {
                    valid.insert(policy, vec![ANY_POLICY]);
                }
            }
        }
        if !certificate.is_self_issued() {
            self.explicit = self.explicit.saturating_sub(1);
            self.mapping = self.mapping.saturating_sub(1);
            self.inhibit_any = self.inhibit_any.saturating_sub(1);
        }
        let limit = |count: &mut usize, limit: Option<u32>| {
            let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
            *count = (*count).min(limit);
        };
        let constraints = extensions.policy_constraints;
        limit(&mut self.explicit, constraints.and_then(|c| c.require_explicit));
        limit(&mut self.mapping, constraints.and_then(|c| c.inhibit_mapping));
        limit(&mut self.inhibit_any, extensions.inhibit_any_policy);
        Ok(())
    }

    /// 6.1.5: the policies the path is valid for, seen from the relying party.
    pub(super) fn finish(
        &mut self,
        leaf: &Certificate,
        inputs: &PolicyInputs,
    ) -> Result<Vec<Oid>, Constraint> {
        self.explicit = self.explicit.saturating_sub(1);
        if leaf.extensions().policy_constraints.is_some_and(|c| c.require_explicit == Some(0)) {
            self.explicit = 0;
        }
        let reached = self.origins();
        let any_acceptable = inputs.acceptable.is_empty() || inputs.acceptable.contains(&ANY_POLICY);
        let valid: Vec<Oid> = if any_acceptable {
            reached.into_iter().collect()
        } else if reached.contains(&ANY_POLICY) {
            inputs.acceptable.clone()
        } else {
            inputs.acceptable.iter().filter(|policy| reached.contains(policy)).copied().collect()
        };
        if self.explicit == 0 && valid.is_empty() { Err(Constraint::Policy) } else { Ok(valid) }
    }

    /// Where the branches of what is valid at the end leave anyPolicy: policies in the domain of the relying party. Found
    /// from the end up, each policy once per depth: chains of mappings offer more branches than can be counted.
    fn origins(&self) -> BTreeSet<Oid> {
        let mut origins = BTreeSet::new();
        let mut branches: BTreeSet<Oid> = self.nodes.keys().copied().collect();
        for valid in self.parents.iter().rev() {
            let mut above = BTreeSet::new();
            for policy in branches {
                for parent in valid.get(&policy).into_iter().flatten() {
                    if *parent == ANY_POLICY {
                        origins.insert(policy);
                    } else {
                        above.insert(*parent);
                    }
                }
            }
            branches = above;
        }
        origins
    }
}
