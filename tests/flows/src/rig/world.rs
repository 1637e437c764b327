//! What the imaginary province says of itself when it is ready.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::clerk::Account;

/// What the world says when it is ready, as far as flows need it.
#[derive(Debug, Clone, Deserialize)]
pub struct WorldView {
    /// PEM of the trust anchors.
    pub roots_pem: PathBuf,
    /// PEM of the issuing authorities below them.
    pub chain_pem: PathBuf,
    /// Where time-stamp requests go.
    pub tsa_url: String,
    /// The OCSP responder.
    pub ocsp_url: String,
    /// Base of the mobile signature service.
    pub mssp_url: String,
    /// PEM behind its TLS certificate.
    pub mssp_ca_pem: PathBuf,
    /// Our TLS client certificate there.
    pub ap_cert_pem: PathBuf,
    /// Its key.
    pub ap_key_pem: PathBuf,
    /// Our identifier there.
    pub ap_id: String,
    /// File with our password there.
    pub ap_password_file: PathBuf,
    /// Message submission with STARTTLS.
    pub smtp_url: String,
    /// Message submission with TLS from the first byte.
    pub smtps_url: String,
    /// PEM behind the mail server's TLS certificate.
    pub mail_ca_pem: PathBuf,
    /// The office's mailbox, and the name to sign in with.
    pub mail_from: String,
    /// File with its password.
    pub mail_password_file: PathBuf,
    /// The push service.
    pub push_base: String,
    /// The page with the virtual phones.
    pub page_url: String,
    /// Where the world tells its time.
    pub clock: String,
    /// What tests tell the world.
    pub control_url: String,
    /// The organisation's seal.
    pub seal: SealMaterial,
    /// PNG of the seal.
    pub seal_image: PathBuf,
    /// What `trinhky admin import` reads.
    pub import_toml: PathBuf,
    /// A document that looks as NĐ 30/2020 wants it.
    pub demo_pdf: PathBuf,
    /// Certificates that must be refused, each with its key.
    pub fixtures: Vec<FixtureView>,
    /// Who can sign in.
    pub accounts: Vec<AccountView>,
}

/// The organisation's certificate and key.
#[derive(Debug, Clone, Deserialize)]
pub struct SealMaterial {
    /// Certificate, PEM.
    pub certificate_pem: PathBuf,
    /// Key, PKCS#8 PEM, to be imported into a token.
    pub key_p8: PathBuf,
    /// Issuers, PEM.
    pub chain_pem: PathBuf,
}

/// A certificate that must be refused.
#[derive(Debug, Clone, Deserialize)]
pub struct FixtureView {
    /// `expired`, `revoked` and so on.
    pub name: String,
    /// Certificate, PEM.
    pub certificate_pem: PathBuf,
    /// Its key, PKCS#8 PEM.
    pub key_p8: PathBuf,
}

/// One account of the province.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountView {
    /// What it may do.
    pub role: String,
    /// Name to sign in with.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Base32 secret of its authenticator.
    pub totp_secret: String,
    /// Họ và tên.
    pub full_name: String,
    /// A leader's number.
    #[serde(default)]
    pub msisdn: Option<String>,
}

impl WorldView {
    /// The `nth` account with a role, from 0.
    ///
    /// # Errors
    /// There is none.
    pub fn account(&self, role: &str, nth: usize) -> Result<Account> {
        let found = self.accounts.iter().filter(|account| account.role == role).nth(nth);
        let found = found.with_context(|| format!("the province has no {role} number {nth}"))?;
        Ok(Account {
            username: found.username.clone(),
            password: found.password.clone(),
            totp_secret: found.totp_secret.clone(),
        })
    }
}
