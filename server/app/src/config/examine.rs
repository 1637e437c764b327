//! What the settings name is read as it will be used, before anything starts: a seal whose picture cannot be drawn is found
//! at the start and not at the first document.

use anyhow::Context;
use trinhky_domain::policy::Profile;
use trinhky_pades::look::PreparedImage;
use trinhky_pades::x509::certificates_from_pem;

use super::Config;

impl Config {
    /// Reads the policy profile and the seal.
    ///
    /// # Errors
    /// The section and key that names something unusable.
    pub fn examine(&self) -> anyhow::Result<()> {
        Profile::named(&self.policy.profile).context("[policy] profile")?;
        let Some(seal) = &self.seal else { return Ok(()) };
        let path = || format!("[seal] certificate {}", seal.certificate.display());
        let pem = std::fs::read_to_string(&seal.certificate).with_context(path)?;
        let found = certificates_from_pem(&pem).with_context(path)?;
        anyhow::ensure!(
            !found.is_empty(),
            "{} holds no certificate; give the organisation's, as PEM",
            path()
        );
        if let Some(image) = &seal.image {
            let path = || format!("[seal] image {}", image.display());
            let png = std::fs::read(image).with_context(path)?;
            PreparedImage::from_png(&png).with_context(path)?;
        }
        Ok(())
    }
}
