//! Every durable write of the main job, and where the document must be found when the process is killed right there.
//!
//! Debug builds of the server stop at the edge named by `TRINHKY_STOP_AT`; the crash test walks [`Edge::ALL`], kills,
//! restarts, waits for quiet, and compares with [`Edge::expected_end`], whose `match` has no default: an edge without
//! an end does not compile.

use crate::codes::codes;
use crate::document::StateName;
use crate::signing::AttemptStateName;

codes! {
    /// A place between two durable writes. `…Written` is after a file and before its row, `…Committed` after a commit.
    Edge "edge" {
        /// Step 1: the bundle's files are on disk, no row names them.
        UploadWritten = "upload_written",
        /// Step 1: the draft is stored.
        DraftCommitted = "draft_committed",
        /// Step 2: on its chain.
        SubmitCommitted = "submit_committed",
        /// Step 2, `before_sign`: the number is taken, not yet drawn.
        NumberReserved = "number_reserved",
        /// Step 2, `before_sign`: the base with the number is on disk.
        NumberedBaseWritten = "numbered_base_written",
        /// Step 3: the push is noted, not yet handed over.
        DeliveryCommitted = "delivery_committed",
        /// Step 5: the tail is on disk.
        TailWritten = "tail_written",
        /// Step 5: the attempt is prepared.
        PreparedCommitted = "prepared_committed",
        /// Step 7: decision and approval are stored.
        ApprovedCommitted = "approved_committed",
        /// Step 8: `Sending` is stored, the socket not yet open.
        SendingCommitted = "sending_committed",
        /// Step 8: the request left, the acknowledgement not yet stored.
        RequestLeft = "request_left",
        /// Step 9: the MSSP's transaction is stored.
        AcceptedCommitted = "accepted_committed",
        /// Step 9: the raw signature arrived, not yet stored.
        SignatureArrived = "signature_arrived",
        /// Step 9: the raw signature is stored.
        SignedRawCommitted = "signed_raw_committed",
        /// Step 10: the CMS is stored.
        VerifiedCommitted = "verified_committed",
        /// Step 11: the time stamp is stored.
        StampedCommitted = "stamped_committed",
        /// Step 11: the signed tail is on disk.
        SignedWritten = "signed_written",
        /// Step 11: the signature is embedded.
        SignedCommitted = "signed_committed",
        /// Step 12: the seal's tail is on disk, the number not yet taken.
        SealTailWritten = "seal_tail_written",
        /// Step 12: number and prepared seal are stored.
        SealPreparedCommitted = "seal_prepared_committed",
        /// Step 12: the sealed tail is on disk.
        SealedWritten = "sealed_written",
        /// Step 12: sealed.
        SealedCommitted = "sealed_committed",
        /// Step 13: released, copies queued.
        ReleasedCommitted = "released_committed",
        /// Step 13: a copy left, not yet noted as handed.
        CopyLeft = "copy_left",
        /// Step 14: a receipt is stored.
        ReceiptCommitted = "receipt_committed",
    }
}

/// Where everything stands once a restarted server has come to rest without any further human act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The document's state; `None`: there is no document, and its files are swept.
    pub document: Option<StateName>,
    /// The attempt's state, where one is kept.
    pub attempt: Option<AttemptStateName>,
    /// How many requests the MSSP may have seen at most.
    pub sim_requests: u8,
    /// Whether a number has been taken.
    pub numbered: bool,
}

impl Edge {
    /// The end state of a document under `after_sign` with one signer and no checkers, killed at this edge and
    /// restarted; the SIM's holder answers a prompt that is showing. The two edges of `before_sign` name its own.
    pub fn expected_end(self) -> End {
        use AttemptStateName as Attempt;
        use StateName as State;
        let at =
            |document, attempt, sim_requests, numbered| End { document, attempt, sim_requests, numbered };
        match self {
            Self::UploadWritten => End { document: None, attempt: None, sim_requests: 0, numbered: false },
            Self::DraftCommitted => at(Some(State::Draft), None, 0, false),
            Self::SubmitCommitted | Self::DeliveryCommitted | Self::TailWritten => {
                at(Some(State::AwaitingSignature), None, 0, false)
            }
            Self::NumberReserved | Self::NumberedBaseWritten => {
                at(Some(State::AwaitingSignature), None, 0, true)
            }
            Self::PreparedCommitted => at(Some(State::AwaitingSignature), Some(Attempt::Prepared), 0, false),
            // The approval is in the row and nothing was asked: the gate goes on by itself.
            Self::ApprovedCommitted
            | Self::AcceptedCommitted
            | Self::SignatureArrived
            | Self::SignedRawCommitted
            | Self::VerifiedCommitted
            | Self::StampedCommitted
            | Self::SignedWritten
            | Self::SignedCommitted
            | Self::SealTailWritten => at(Some(State::AwaitingNumber), Some(Attempt::Embedded), 1, false),
            // Nobody knows whether the SIM was asked: the row waits and never asks twice.
            Self::SendingCommitted => at(Some(State::Signing), Some(Attempt::Indeterminate), 0, false),
            Self::RequestLeft => at(Some(State::Signing), Some(Attempt::Indeterminate), 1, false),
            Self::SealPreparedCommitted => at(Some(State::Sealing), Some(Attempt::Embedded), 1, true),
            // The organisation's CMS was kept before anything was done with it: a job goes on, no PIN is asked twice.
            Self::SealedWritten | Self::SealedCommitted => {
                at(Some(State::Sealed), Some(Attempt::Embedded), 1, true)
            }
            Self::ReleasedCommitted | Self::CopyLeft | Self::ReceiptCommitted => {
                at(Some(State::Released), Some(Attempt::Embedded), 1, true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_edge_lets_the_sim_be_asked_twice() {
        assert!(Edge::ALL.iter().all(|edge| edge.expected_end().sim_requests <= 1));
    }

    #[test]
    fn what_was_numbered_stays_numbered() {
        let mut numbered = false;
        for edge in Edge::ALL {
            if matches!(edge, Edge::NumberReserved | Edge::NumberedBaseWritten) {
                continue;
            }
            let end = edge.expected_end();
            assert!(end.numbered || !numbered, "{edge}");
            numbered = end.numbered;
        }
    }
}
