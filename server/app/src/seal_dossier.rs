//! What the server remembers of a seal it prepared: the revision, and, once the clerk's token signed, the CMS while it
//! waits for its time stamp.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use trinhky_domain::ids::{DocumentId, SealId};
use trinhky_pades::prepare::Prepared;
use trinhky_protos::Base64Bytes;
use trinhky_protos::seal::FilledFieldView;
use trinhky_store::Tx;

use crate::error::{ApiError, ApiResult};

/// How long a prepared seal may wait for the token.
pub const GOOD_FOR: Duration = Duration::hours(2);

/// What was prepared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SealDossier {
    /// The revision, its gap still empty.
    pub prepared: Box<Prepared>,
    /// The organisation's certificate, DER.
    pub certificate: Base64Bytes,
    /// Its issuers without the anchor, DER.
    pub chain: Vec<Base64Bytes>,
    /// What the revision fills into declared fields.
    pub fills: Vec<FilledFieldView>,
    /// Prepared again after this.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// The organisation's CMS, once it is here.
    pub cms: Option<Base64Bytes>,
    /// The same with its time stamp, as embedded.
    #[serde(default)]
    pub stamped: Option<Base64Bytes>,
    /// What it waits for though no person must act: `timestamp`, `revocation`, `long_term`.
    pub waiting_for: Option<String>,
}

impl SealDossier {
    /// The dossier of a prepared seal.
    ///
    /// # Errors
    /// Not found, or not one that this version wrote.
    pub async fn of(tx: &mut Tx, seal: SealId) -> ApiResult<Self> {
        let text = tx.seal_dossier(seal).await?.ok_or(trinhky_store::Error::NotFound("dossier"))?;
        serde_json::from_str(&text).map_err(ApiError::internal)
    }

    /// Keeps it beside the prepared seal.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keep(&self, tx: &mut Tx, seal: SealId) -> ApiResult<()> {
        let text = serde_json::to_string(self).map_err(ApiError::internal)?;
        Ok(tx.set_seal_dossier(seal, &text).await?)
    }

    /// What the document's seal waits for, if anything.
    ///
    /// # Errors
    /// What the store says.
    pub async fn waiting_for(tx: &mut Tx, document: DocumentId) -> ApiResult<Option<String>> {
        match tx.seal_task_of(document).await? {
            Some(task) => Ok(Self::of(tx, task.id).await?.waiting_for),
            None => Ok(None),
        }
    }

    /// Notes what the seal waits for; nothing is written when that is known already.
    ///
    /// # Errors
    /// What the store says.
    pub async fn note_waiting(tx: &mut Tx, seal: SealId, what: Option<&str>) -> ApiResult<()> {
        let mut dossier = Self::of(tx, seal).await?;
        if dossier.waiting_for.as_deref() != what {
            dossier.waiting_for = what.map(str::to_owned);
            dossier.keep(tx, seal).await?;
        }
        Ok(())
    }
}
