//! Proof that the log at one checkpoint begins with the log at an earlier one (RFC 6962 section 2.1.2, checked as RFC 9162
//! section 2.1.4.2 says): nothing that was in it has been changed, left out or moved.

use serde::{Deserialize, Serialize};

use super::{Checkpoint, Node, largest_power_below, node_hash, root_of, span};
use crate::digest::Digest;

/// The hashes that lead from both roots to what the trees share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    /// Size of the earlier tree.
    pub first: u64,
    /// Size of the later tree.
    pub second: u64,
    /// The hashes, leaf upwards; none when the trees are one, or the earlier is empty.
    pub path: Vec<Digest>,
}

/// What a consistency proof between trees of `first` and `second` leaves is made of, leaf upwards: each part is a list of
/// complete subtrees whose [`root_of`](super::root_of) is one hash of the proof. `None` when the second is shorter.
pub fn consistency_parts(first: u64, second: u64) -> Option<Vec<Vec<Node>>> {
    if first > second {
        return None;
    }
    let mut parts = Vec::new();
    let (mut low, mut high, mut shared) = (0, second, first);
    // Every tree begins with the empty one.
    while shared != 0 && shared != high - low {
        let half = largest_power_below(high - low);
        if shared <= half {
            parts.push(span(low + half, high));
            high = low + half;
        } else {
            parts.push(span(low, low + half));
            low += half;
            shared -= half;
        }
    }
    // A left edge that is the whole earlier tree is its root, which the reader has.
    if low != 0 {
        parts.push(span(low, high));
    }
    parts.reverse();
    Some(parts)
}

impl Consistency {
    /// Whether the later log begins with the earlier one: one origin, and the proof leads to both roots.
    pub fn proves(&self, earlier: &Checkpoint, later: &Checkpoint) -> bool {
        earlier.origin == later.origin
            && (self.first, self.second) == (earlier.size, later.size)
            && self.leads_to(earlier.root, later.root)
    }

    fn leads_to(&self, earlier: Digest, later: Digest) -> bool {
        if self.first >= self.second {
            return self.path.is_empty() && self.first == self.second && earlier == later;
        }
        if self.first == 0 {
            return self.path.is_empty() && earlier == root_of(&[]);
        }
        let whole = self.first.is_power_of_two().then_some(earlier);
        let mut path = whole.into_iter().chain(self.path.iter().copied());
        let Some(seed) = path.next() else { return false };
        let shift = (self.first - 1).trailing_ones();
        let (mut node, mut last) = ((self.first - 1) >> shift, (self.second - 1) >> shift);
        let (mut left, mut right) = (seed, seed);
        for part in path {
            if last == 0 {
                return false;
            }
            if node & 1 == 1 || node == last {
                left = node_hash(part, left);
                right = node_hash(part, right);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                right = node_hash(right, part);
            }
            node >>= 1;
            last >>= 1;
        }
        last == 0 && left == earlier && right == later
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::tests::{grow, tree_hash};

    fn checkpoint(leaves: &[Vec<u8>]) -> Checkpoint {
        Checkpoint { origin: "here/journal".into(), size: leaves.len() as u64, root: tree_hash(leaves) }
    }

    fn prove(leaves: &[Vec<u8>], first: usize) -> Consistency {
        let nodes = grow(leaves);
        let second = leaves.len() as u64;
        let parts = consistency_parts(first as u64, second).expect("no longer than the later one");
        let hash = |part: &Vec<Node>| root_of(&part.iter().map(|node| nodes[node]).collect::<Vec<_>>());
        Consistency { first: first as u64, second, path: parts.iter().map(hash).collect() }
    }

    fn leaves(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
    }

    #[test]
    fn the_proofs_of_the_rfc_have_as_many_hashes() {
        // RFC 6962 section 2.1.3: PROOF(3, D[7]) = [c, d, g, l], PROOF(4, D[7]) = [l], PROOF(6, D[7]) = [i, j, k].
        let seven = leaves(7);
        for (first, hashes) in [(3, 4), (4, 1), (6, 3), (7, 0), (0, 0)] {
            assert_eq!(prove(&seven, first).path.len(), hashes, "{first}");
        }
        assert_eq!(consistency_parts(8, 7), None);
    }

    #[test]
    fn every_beginning_is_proven() {
        for second in 0..70 {
            let all = leaves(second);
            for first in 0..=second {
                let proof = prove(&all, first);
                assert!(proof.proves(&checkpoint(&all[..first]), &checkpoint(&all)), "{first} of {second}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_log_that_was_changed_shortened_or_renamed_has_no_proof(
            count in 1usize..70,
            cut: prop::sample::Index,
            changed: prop::sample::Index,
            spoil: prop::sample::Index,
        ) {
            let (all, first) = (leaves(count), cut.index(count) + 1);
            let (earlier, later) = (checkpoint(&all[..first]), checkpoint(&all));
            let mut forked = all.clone();
            forked[changed.index(first)] = b"another".to_vec();
            prop_assert!(!prove(&forked, first).proves(&earlier, &checkpoint(&forked)));
            prop_assert!(!prove(&all, first).proves(&earlier, &checkpoint(&forked)));
            let renamed = Checkpoint { origin: "there/journal".into(), ..later.clone() };
            prop_assert!(!prove(&all, first).proves(&earlier, &renamed));
            if first < count {
                prop_assert!(!prove(&all, first).proves(&later, &earlier));
            }
            let mut spoilt = prove(&all, first);
            if !spoilt.path.is_empty() {
                let at = spoil.index(spoilt.path.len());
                spoilt.path[at].0[0] ^= 1;
                prop_assert!(!spoilt.proves(&earlier, &later));
                let mut short = prove(&all, first);
                short.path.pop();
                prop_assert!(!short.proves(&earlier, &later));
            }
            let mut long = prove(&all, first);
            long.path.push(later.root);
            prop_assert!(!long.proves(&earlier, &later));
        }

        #[test]
        fn any_proof_is_one_or_not(first: u64, second: u64, path in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
            let at = |size| Checkpoint { origin: "x".into(), size, root: Digest([0; 32]) };
            let path = path.into_iter().map(Digest).collect();
            let _ = Consistency { first, second, path }.proves(&at(first), &at(second));
        }
    }
}
