//! What the server remembers of a signature it prepared, in the attempt's row: enough to go on after any restart, and to
//! compare every claim of the decision with.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use trinhky_domain::Digest;
use trinhky_domain::ids::AttemptId;
use trinhky_pades::cms::{ID_DATA, ID_ENROLMENT, SignedAttributes, signed_attributes};
use trinhky_pades::prepare::Prepared;
use trinhky_protos::Base64Bytes;
use trinhky_protos::signing::CodeKind;
use trinhky_store::Tx;

use crate::error::{ApiError, ApiResult};
use crate::pdfs::pades;

/// How long a prepared signature may wait for its decision.
pub const GOOD_FOR: Duration = Duration::minutes(10);

/// What was prepared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dossier {
    /// Single-use, goes into the claims.
    pub challenge: String,
    /// No decision is taken after this.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// What the SIM will show, with `%%VC%%`.
    pub display_text: String,
    /// How the code is made.
    pub code_kind: CodeKind,
    /// The pinned certificate, DER.
    pub certificate: Base64Bytes,
    /// Its issuers without the anchor, leaf's issuer first, DER.
    pub chain: Vec<Base64Bytes>,
    /// What is signed.
    pub work: Work,
}

/// What is signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A revision of a document.
    Document {
        /// The revision, its gap still empty.
        prepared: Box<Prepared>,
        /// SHA-256 of the tail that was shown to the device.
        tail: Digest,
        /// SHA-256 of the device's decision before, if any.
        previous: Option<Digest>,
        /// The audit checkpoint it was told, if any.
        checkpoint: Option<String>,
    },
    /// The statement that a device is the leader's.
    Enrolment {
        /// Its exact bytes.
        statement: Base64Bytes,
    },
}

impl Dossier {
    /// The dossier of an attempt.
    ///
    /// # Errors
    /// Not found, or not one that this version wrote.
    pub async fn of(tx: &mut Tx, attempt: AttemptId) -> ApiResult<Self> {
        let text = tx.dossier(attempt).await?.ok_or(trinhky_store::Error::NotFound("dossier"))?;
        serde_json::from_str(&text).map_err(ApiError::internal)
    }

    /// Keeps it in the attempt's row.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keep(&self, tx: &mut Tx, attempt: AttemptId) -> ApiResult<()> {
        let text = serde_json::to_string(self).map_err(ApiError::internal)?;
        Ok(tx.set_dossier(attempt, &text).await?)
    }

    /// The digest that the signed attributes carry.
    pub fn content(&self) -> trinhky_pades::Digest {
        match &self.work {
            Work::Document { prepared, .. } => prepared.digest,
            Work::Enrolment { statement } => pades(Digest::of(&statement.0)),
        }
    }

    /// What the SIM signs.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub fn attributes(&self) -> ApiResult<SignedAttributes> {
        let content_type = match &self.work {
            Work::Document { .. } => ID_DATA,
            Work::Enrolment { .. } => ID_ENROLMENT,
        };
        signed_attributes(&self.content(), &self.certificate.0, content_type).map_err(ApiError::internal)
    }
}
