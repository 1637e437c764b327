//! What is asked of a provider, in words that belong to no provider.
//!
//! Requests carry no credentials and no time: those are added by whoever writes the bytes, so that a
//! stored attempt never holds a password. [`crate::ts102204::write`] is the first writer.

use crate::{
    digest::DtbsDigest,
    display::DisplayText,
    ids::{ApTransId, Msisdn, MsspTransId},
};

/// What an attempt hands out to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Ask the SIM. Sent at most once per attempt.
    Signature(SignatureRequest),
    /// Ask how a transaction stands. Sent as often as the schedule says.
    Status(StatusQuery),
}

/// Ask the SIM for one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureRequest {
    /// Our name for the attempt.
    pub ap_trans_id: ApTransId,
    /// Whose SIM.
    pub msisdn: Msisdn,
    /// What is signed.
    pub digest: DtbsDigest,
    /// What the prompt says.
    pub display: DisplayText,
    /// How long the provider keeps the prompt alive.
    pub timeout_seconds: u16,
}

/// Ask how a transaction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusQuery {
    /// The name of the attempt it belongs to (copied, with a new instant, as `FiCom` 2.1 says).
    pub ap_trans_id: ApTransId,
    /// The provider's handle from the acknowledgement.
    pub mssp_trans_id: MsspTransId,
}

/// Ask for the certificates on a SIM (`MSS_Registration` in the Vietnamese profile; success is 408).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateQuery {
    /// A fresh name; no attempt has it.
    pub ap_trans_id: ApTransId,
    /// Whose SIM.
    pub msisdn: Msisdn,
}

/// Ask which signature profiles a SIM has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileQuery {
    /// A fresh name; no attempt has it.
    pub ap_trans_id: ApTransId,
    /// Whose SIM.
    pub msisdn: Msisdn,
}

/// Show a closing text on the phone ("done"), once per signature, best effort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRequest {
    /// The name of the attempt it belongs to.
    pub ap_trans_id: ApTransId,
    /// The provider's handle of the finished transaction.
    pub mssp_trans_id: MsspTransId,
    /// Whose SIM.
    pub msisdn: Msisdn,
    /// What the phone shows.
    pub message: DisplayText,
}
