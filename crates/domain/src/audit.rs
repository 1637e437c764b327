//! The journal (nhật ký): one entry per change, in an append-only Merkle tree that anyone can check offline.
//!
//! Tree hashes follow RFC 6962 section 2.1 (SHA-256, leaf prefix 0, node prefix 1), checkpoints the C2SP forms
//! `tlog-checkpoint` and `signed-note`. Inclusion proofs are checked as RFC 9162 section 2.1.3.2 says, consistency proofs
//! as 2.1.4.2 does. Nothing here stores or signs: the store keeps nodes, the server signs the checkpoint's text.

mod consistency;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::codes::codes;
use crate::digest::Digest;
use crate::ids::{AttemptId, DeviceId, DocumentId, PersonId};
use crate::people::{Actor, Client};
pub use consistency::{Consistency, consistency_parts};

codes! {
    /// What happened, in the past tense.
    Event "event" {
        /// A bundle was taken in.
        DocumentDrafted = "document.drafted",
        /// The drafter replaced content after a return.
        DocumentRevised = "document.revised",
        /// Put on its chain.
        DocumentSubmitted = "document.submitted",
        /// A checker gave an opinion.
        OpinionGiven = "document.opinion_given",
        /// The number drawn into a new base.
        NumberDrawn = "document.number_drawn",
        /// The signer changed the urgency.
        UrgencyDecided = "document.urgency_decided",
        /// The leader opened it.
        DocumentRead = "document.read",
        /// The leader approved.
        DocumentApproved = "document.approved",
        /// A signature was embedded.
        DocumentSigned = "document.signed",
        /// Given back to the drafting unit.
        DocumentReturned = "document.returned",
        /// Taken back by who submitted it.
        DocumentWithdrawn = "document.withdrawn",
        /// The leader refused to sign.
        DocumentRejected = "document.rejected",
        /// A return, withdrawal or rejection waits for a running attempt.
        WishNoted = "document.wish_noted",
        /// A number was taken and the seal prepared.
        SealPrepared = "document.seal_prepared",
        /// A number was made void.
        NumberVoided = "register.number_voided",
        /// The organisation signed.
        DocumentSealed = "document.sealed",
        /// Released to its recipients.
        DocumentReleased = "document.released",
        /// A recall was asked for.
        RecallAsked = "document.recall_asked",
        /// Replaced or corrected by another document.
        DocumentSuperseded = "document.superseded",
        /// A receiver's receipt arrived.
        ReceiptArrived = "copy.receipt_arrived",
        /// A copy was handed to its channel.
        CopyHanded = "copy.handed",
        /// A copy cannot go on by itself for now, or not at all.
        CopyHindered = "copy.hindered",
        /// The clerk had a copy sent once more, perhaps to a corrected address.
        CopySentAgain = "copy.sent_again",
        /// A receiver was asked to give a copy back.
        CopyAskedBack = "copy.asked_back",
        /// A signature was prepared.
        AttemptPrepared = "attempt.prepared",
        /// An enrolment was approved on the device.
        AttemptApproved = "attempt.approved",
        /// Reached the head of its queue.
        AttemptHeads = "attempt.heads_queue",
        /// About to be asked of the SIM.
        AttemptSending = "attempt.sending",
        /// Acknowledged by the MSSP.
        AttemptAccepted = "attempt.accepted",
        /// Nobody knows whether the SIM was asked.
        AttemptIndeterminate = "attempt.indeterminate",
        /// A raw signature arrived.
        AttemptSigned = "attempt.signed",
        /// The signature verified and stands in a CMS.
        AttemptVerified = "attempt.verified",
        /// Time-stamped.
        AttemptStamped = "attempt.stamped",
        /// Came to its end (an enrolment's statement was kept).
        AttemptEmbedded = "attempt.embedded",
        /// Came to nothing.
        AttemptEnded = "attempt.ended",
        /// A late signature is kept, unused.
        AttemptHeld = "attempt.held",
        /// The leader decided that a late signature shall count.
        AttemptAdopted = "attempt.adopted",
        /// The leader gave a late signature up, and it was destroyed.
        AttemptVoided = "attempt.voided",
        /// Somebody signed in.
        SignedIn = "session.opened",
        /// Somebody failed to.
        SignInFailed = "session.refused",
        /// A session was ended.
        SignedOut = "session.closed",
        /// A device was enrolled.
        DeviceEnrolled = "device.enrolled",
        /// A device was barred.
        DeviceRevoked = "device.revoked",
        /// People, offices or settings were changed.
        Administered = "admin.changed",
        /// The gate refused to raise a prompt.
        GateRefused = "gate.refused",
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A person, with what they held.
    Person {
        /// Who.
        person: PersonId,
        /// The enrolled device, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<DeviceId>,
        /// Which kind of program.
        client: Client,
    },
    /// One of our own processes: `serve`, `work`, `gate`, `admin`.
    Process(String),
}

impl From<&Actor> for By {
    fn from(actor: &Actor) -> Self {
        Self::Person { person: actor.person, device: actor.device, client: actor.client }
    }
}

impl By {
    /// One of our own processes.
    pub fn process(name: &str) -> Self {
        Self::Process(name.to_owned())
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, UTC with microseconds.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who.
    pub by: By,
    /// What happened.
    pub event: Event,
    /// To which document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentId>,
    /// To which attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// What else is worth proving later; never a secret, a phone number or a document's words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
}

impl Entry {
    /// An entry with nothing but who, what and when.
    pub fn new(event: Event, by: impl Into<By>, at: OffsetDateTime) -> Self {
        Self { at, by: by.into(), event, document: None, attempt: None, detail: BTreeMap::new() }
    }

    /// About a document.
    #[must_use]
    pub fn about(mut self, document: DocumentId) -> Self {
        self.document = Some(document);
        self
    }

    /// About an attempt.
    #[must_use]
    pub fn of_attempt(mut self, attempt: AttemptId) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.detail.insert(key.to_owned(), value.to_string());
        self
    }

    /// The bytes that are kept and hashed: JSON with members in this type's order and sorted details.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_else(|error| unreachable!("an entry is plain data: {error}"))
    }

    /// The entry in kept bytes.
    ///
    /// # Errors
    /// When the bytes are no entry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// The hash of a leaf: `SHA-256(0x00 || entry)` (RFC 6962 section 2.1).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: Digest, right: Digest) -> Digest {
    Digest(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// A complete subtree: `2^level` leaves starting at leaf `position * 2^level`. Level 0 is the leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Height above the leaves.
    pub level: u8,
    /// Place among the nodes of its level.
    pub position: u64,
}

/// The complete subtrees that make up a tree of `size` leaves, largest (leftmost) first.
pub fn roots(size: u64) -> Vec<Node> {
    let mut start = 0;
    (0..64u8)
        .rev()
        .filter(|level| size >> level & 1 == 1)
        .map(|level| {
            let node = Node { level, position: start >> level };
            start += 1 << level;
            node
        })
        .collect()
}

/// The tree's root from the hashes of [`roots`], in the same order; of no leaves it is the hash of nothing.
pub fn root_of(hashes: &[Digest]) -> Digest {
    let mut rightmost_first = hashes.iter().rev().copied();
    match rightmost_first.next() {
        None => Digest::of(&[]),
        Some(last) => rightmost_first.fold(last, |right, left| node_hash(left, right)),
    }
}

/// The nodes that become complete when leaf `index` is appended with `hash`, leaf first; `left` gives the hash of an
/// already complete node to the left, and a miss means the tree is damaged.
///
/// # Errors
/// What `left` fails with.
pub fn completed<E>(
    index: u64,
    hash: Digest,
    mut left: impl FnMut(Node) -> Result<Digest, E>,
) -> Result<Vec<(Node, Digest)>, E> {
    let mut node = Node { level: 0, position: index };
    let mut hash = hash;
    let mut done = vec![(node, hash)];
    while node.position & 1 == 1 {
        hash = node_hash(left(Node { position: node.position - 1, ..node })?, hash);
        node = Node { level: node.level + 1, position: node.position >> 1 };
        done.push((node, hash));
    }
    Ok(done)
}

/// What an inclusion proof of leaf `index` in a tree of `size` leaves is made of, leaf upwards: each part is a list of
/// complete subtrees whose [`root_of`] is one hash of the proof. `None` when the leaf is not in the tree.
pub fn proof_parts(index: u64, size: u64) -> Option<Vec<Vec<Node>>> {
    if index >= size {
        return None;
    }
    let mut parts = Vec::new();
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let split = low + largest_power_below(high - low);
        if index < split {
            parts.push(span(split, high));
            high = split;
        } else {
            parts.push(span(low, split));
            low = split;
        }
    }
    parts.reverse();
    Some(parts)
}

/// The complete subtrees of leaves `low..high`, where `low` is a multiple of a power of two not below the length.
fn span(low: u64, high: u64) -> Vec<Node> {
    roots(high - low)
        .into_iter()
        .map(|node| Node { position: node.position + (low >> node.level), ..node })
        .collect()
}

fn largest_power_below(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Proof that an entry is in the log at a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// Which leaf.
    pub index: u64,
    /// Size of the tree of the checkpoint.
    pub size: u64,
    /// The hashes, leaf upwards.
    pub path: Vec<Digest>,
}

impl Inclusion {
    /// Whether the proof leads from the entry's bytes to the root (RFC 9162 section 2.1.3.2).
    pub fn proves(&self, entry: &[u8], root: Digest) -> bool {
        if self.index >= self.size {
            return false;
        }
        let (mut node, mut last) = (self.index, self.size - 1);
        let mut hash = leaf_hash(entry);
        for part in &self.path {
            if last == 0 {
                return false;
            }
            if node & 1 == 1 || node == last {
                hash = node_hash(*part, hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(hash, *part);
            }
            node >>= 1;
            last >>= 1;
        }
        last == 0 && hash == root
    }
}

/// The log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log, for instance `trinhky.example.vn/audit`.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree.
    pub root: Digest,
}

impl Checkpoint {
    /// The text that is signed: origin, size, root in base64, each on its line (C2SP `tlog-checkpoint`).
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Reads the text; lines after the third are extensions and are left aside.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let origin = lines.next().filter(|line| !line.is_empty())?.to_owned();
        let size = lines.next()?;
        let root = STANDARD.decode(lines.next()?).ok()?;
        let canonical = size == "0" || !size.starts_with('0') && size.bytes().all(|b| b.is_ascii_digit());
        let size = canonical.then(|| size.parse().ok()).flatten()?;
        Some(Self { origin, size, root: Digest(root.try_into().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use time::macros::datetime;

    /// RFC 6962 section 2.1, word for word.
    pub(super) fn tree_hash(leaves: &[Vec<u8>]) -> Digest {
        match leaves {
            [] => Digest::of(&[]),
            [one] => leaf_hash(one),
            many => {
                let (left, right) =
                    many.split_at(usize::try_from(largest_power_below(many.len() as u64)).expect("fits"));
                node_hash(tree_hash(left), tree_hash(right))
            }
        }
    }

    pub(super) fn grow(leaves: &[Vec<u8>]) -> HashMap<Node, Digest> {
        let mut nodes = HashMap::new();
        for (index, leaf) in leaves.iter().enumerate() {
            let done = completed(index as u64, leaf_hash(leaf), |node| nodes.get(&node).copied().ok_or(()));
            nodes.extend(done.expect("the left side is complete"));
        }
        nodes
    }

    #[test]
    fn the_root_of_nothing_is_the_hash_of_nothing() {
        assert_eq!(
            root_of(&[]).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn the_tree_of_the_certificate_transparency_vectors_has_their_root() {
        let hex = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let leaves: Vec<Vec<u8>> = hex
            .iter()
            .map(|text| {
                (0..text.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
                    .collect()
            })
            .collect();
        let nodes = grow(&leaves);
        let hashes: Vec<_> = roots(8).iter().map(|node| nodes[node]).collect();
        assert_eq!(
            root_of(&hashes).to_string(),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    proptest! {
        #[test]
        fn every_leaf_is_provable_and_nothing_else_is(
            leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 1..70),
            pick: prop::sample::Index,
            other in proptest::collection::vec(any::<u8>(), 9..12),
            spoil: prop::sample::Index,
        ) {
            let nodes = grow(&leaves);
            let size = leaves.len() as u64;
            let root = root_of(&roots(size).iter().map(|node| nodes[node]).collect::<Vec<_>>());
            prop_assert_eq!(root, tree_hash(&leaves));
            let index = pick.index(leaves.len());
            let parts = proof_parts(index as u64, size).expect("in the tree");
            let path: Vec<_> = parts
                .iter()
                .map(|part| root_of(&part.iter().map(|node| nodes[node]).collect::<Vec<_>>()))
                .collect();
            let proof = Inclusion { index: index as u64, size, path };
            prop_assert!(proof.proves(&leaves[index], root));
            prop_assert!(!proof.proves(&other, root));
            if !proof.path.is_empty() {
                let mut spoilt = proof.clone();
                let at = spoil.index(spoilt.path.len());
                spoilt.path[at].0[0] ^= 1;
                prop_assert!(!spoilt.proves(&leaves[index], root));
                let mut short = proof.clone();
                short.path.pop();
                prop_assert!(!short.proves(&leaves[index], root));
            }
            let beyond = Inclusion { index: size, ..proof };
            prop_assert!(!beyond.proves(&leaves[index], root));
        }

        #[test]
        fn a_checkpoint_survives_text(size: u64, root: [u8; 32]) {
            let checkpoint = Checkpoint { origin: "trinhky.example.vn/audit".to_owned(), size, root: Digest(root) };
            prop_assert_eq!(Checkpoint::parse(&checkpoint.text()), Some(checkpoint));
        }

        #[test]
        fn any_text_is_a_checkpoint_or_not(text in ".{0,120}") {
            let _ = Checkpoint::parse(&text);
        }
    }

    #[test]
    fn an_entry_survives_its_bytes() {
        let at = datetime!(2026-08-20 03:00:00.000001 UTC);
        let entry = Entry::new(Event::DocumentApproved, By::process("gate"), at)
            .about(DocumentId::at(at, 1))
            .with("head", Digest::of(b"x"));
        let bytes = entry.to_bytes();
        assert_eq!(Entry::from_bytes(&bytes).expect("reads back"), entry);
        assert_eq!(Entry::from_bytes(&bytes).expect("reads back").to_bytes(), bytes);
    }
}
