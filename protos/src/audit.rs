//! The journal as devices witness it: that it only grows.
//!
//! ```text
//! GET /v1/audit/consistency?from=A&to=B  ─► ConsistencyView   the log of B entries begins with the log of A entries
//! ```

use serde::{Deserialize, Serialize};
/// The log at one moment, and the proof, for callers that know no other crate of ours.
pub use trinhky_domain::audit::{Checkpoint, Consistency};

use crate::bytes::HexDigest;

/// A consistency proof (RFC 6962 section 2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsistencyView {
    /// Entries of the earlier log.
    pub from: u64,
    /// Entries of the later log.
    pub to: u64,
    /// The hashes, leaf upwards.
    pub path: Vec<HexDigest>,
}

impl From<Consistency> for ConsistencyView {
    fn from(proof: Consistency) -> Self {
        let path = proof.path.into_iter().map(|hash| HexDigest(hash.0)).collect();
        Self { from: proof.first, to: proof.second, path }
    }
}

impl From<ConsistencyView> for Consistency {
    fn from(view: ConsistencyView) -> Self {
        let path = view.path.into_iter().map(|hash| trinhky_domain::Digest(hash.0)).collect();
        Self { first: view.from, second: view.to, path }
    }
}
