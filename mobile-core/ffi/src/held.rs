//! Signatures that came after their wish was withdrawn: seen, adopted, or given up.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::Mutex;
use trinhky_mobile_core as core;
use trinhky_protos::held::HeldSignatureView;

use crate::errors::CoreError;
use crate::objects::{Asked, Reviewed, Session, used};
use crate::records::{DeclaredField, Progress};

/// A late signature that waits for this person's decision.
#[derive(Debug, Clone, uniffi::Record)]
pub struct HeldSignature {
    /// The attempt it came of.
    pub attempt: String,
    /// The document.
    pub document: String,
    /// Trích yếu.
    pub subject: String,
    /// Where the document stands now.
    pub state: String,
    /// Why it was given back.
    pub reason: Option<String>,
    /// Since when it is held.
    pub held_at: SystemTime,
    /// Whether it can still be adopted; if not, it can only be given up.
    pub adoptable: bool,
}

impl From<HeldSignatureView> for HeldSignature {
    fn from(view: HeldSignatureView) -> Self {
        Self {
            attempt: view.attempt.to_string(),
            document: view.document.to_string(),
            subject: view.subject,
            state: view.state.name,
            reason: view.state.reason,
            held_at: view.held_at.into(),
            adoptable: view.adoptable,
        }
    }
}

/// What the leader consents to when adopting.
#[derive(Debug, Clone, uniffi::Record)]
pub struct HeldConsent {
    /// The document.
    pub document: String,
    /// The attempt.
    pub attempt: String,
    /// The text that the SIM showed, code and all.
    pub sim_showed: String,
    /// SHA-256 of the signed attributes: what the SIM signed.
    pub dtbs: String,
    /// Thẩm quyền ký.
    pub capacity: String,
    /// What the clerk will fill in, and where.
    pub fields: Vec<DeclaredField>,
}

#[uniffi::export(async_runtime = "tokio")]
impl Session {
    /// Late signatures that wait for a decision, oldest first.
    pub async fn held(&self) -> Result<Vec<HeldSignature>, CoreError> {
        Ok(self.0.held().await?.into_iter().map(HeldSignature::from).collect())
    }

    /// Examines what the SIM signed then against what was reviewed now.
    pub async fn check_held(
        &self,
        reviewed: Arc<Reviewed>,
        attempt: String,
    ) -> Result<Arc<HeldChecked>, CoreError> {
        let checked = self.0.check_held(&reviewed.0, &attempt).await?;
        let consent = HeldConsent {
            document: checked.document().id.to_string(),
            attempt: checked.attempt().to_string(),
            sim_showed: checked.sim_showed(),
            dtbs: checked.dtbs().to_string(),
            capacity: checked.capacity().to_owned(),
            fields: checked.fields().iter().map(DeclaredField::from).collect(),
        };
        Ok(Arc::new(HeldChecked { consent, step: Mutex::new(Some(checked)) }))
    }

    /// Gives a late signature up, with the reason: it is destroyed.
    pub async fn void_held(&self, attempt: String, reason: String) -> Result<Progress, CoreError> {
        let attempt = self.0.void_held(&attempt, &reason).await?;
        Ok(core::Progress { attempt, handed_in: false }.into())
    }
}

/// A late signature that may be adopted, once.
#[derive(uniffi::Object)]
pub struct HeldChecked {
    consent: HeldConsent,
    step: Mutex<Option<core::HeldChecked>>,
}

#[uniffi::export(async_runtime = "tokio")]
impl HeldChecked {
    /// What to show before asking for consent.
    pub fn consent(&self) -> HeldConsent {
        self.consent.clone()
    }

    /// The leader said yes: the device key signs the decision, and the signature goes into the document.
    pub async fn adopt(&self) -> Result<Arc<Asked>, CoreError> {
        let step = self.step.lock().await.take().ok_or_else(used)?;
        Ok(Asked::of(step.adopt().await?))
    }
}
