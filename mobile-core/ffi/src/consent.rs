//! The step from what was read to what is signed: the check, and the consent it alone makes possible.

use std::sync::Arc;

use tokio::sync::Mutex;
use trinhky_mobile_core as core;

use crate::errors::CoreError;
use crate::objects::{Asked, Reviewed, Session, used};
use crate::records::{Consent, DeclaredField};

#[uniffi::export(async_runtime = "tokio")]
impl Session {
    /// Has a signature prepared and checks that it only adds this signature to what was reviewed.
    pub async fn check(&self, reviewed: Arc<Reviewed>) -> Result<Arc<Checked>, CoreError> {
        let checked = self.0.check(&reviewed.0).await?;
        let consent = consent(&checked);
        Ok(Arc::new(Checked { consent, step: Mutex::new(Some(checked)) }))
    }
}

/// What the leader may consent to, once.
#[derive(uniffi::Object)]
pub struct Checked {
    consent: Consent,
    step: Mutex<Option<core::Checked>>,
}

#[uniffi::export(async_runtime = "tokio")]
impl Checked {
    /// What to show before asking for consent.
    pub fn consent(&self) -> Consent {
        self.consent.clone()
    }

    /// The leader said yes: the device key signs the decision, the server is asked to ask the SIM.
    pub async fn decide(&self) -> Result<Arc<Asked>, CoreError> {
        let step = self.step.lock().await.take().ok_or_else(used)?;
        Ok(Asked::of(step.decide().await?))
    }
}

fn consent(checked: &core::Checked) -> Consent {
    Consent {
        document: checked.document().id.to_string(),
        attempt: checked.attempt().to_string(),
        code: checked.code().map(str::to_owned),
        without_code: checked.without_code().map(str::to_owned),
        sim_shows: checked.sim_shows(),
        display_text: checked.display_text().to_owned(),
        dtbs: checked.dtbs().to_string(),
        certificate: checked.certificate().sha256().to_string(),
        capacity: checked.capacity().to_owned(),
        fields: checked.fields().iter().map(DeclaredField::from).collect(),
        expires_at: checked.expires_at().into(),
    }
}
