//! The ready line: where everything is, in the shape that tests and the demo read.

use serde::Serialize;

use crate::province::people::Person;

/// What the ready line says: where everything is.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// Always `world`.
    pub ready: &'static str,
    /// The world's folder.
    pub dir: String,
    /// The trust anchor.
    pub roots_pem: String,
    /// Issuing CA of organisations, time stamps and the seal.
    pub org_ca_pem: String,
    /// Issuing CA of people.
    pub people_ca_pem: String,
    /// Both issuing CAs.
    pub chain_pem: String,
    /// RFC 3161 over HTTP.
    pub tsa_url: String,
    /// RFC 6960 over HTTP.
    pub ocsp_url: String,
    /// CRLs: append `root.crl`, `people.crl` or `org.crl`.
    pub crl_url: String,
    /// Base of the MSSP's ports.
    pub mssp_url: String,
    /// CA of the MSSP's TLS certificate.
    pub mssp_ca_pem: String,
    /// The application provider's client certificate.
    pub ap_cert_pem: String,
    /// Its key.
    pub ap_key_pem: String,
    /// `AP_ID`.
    pub ap_id: String,
    /// File with `AP_PWD`.
    pub ap_password_file: String,
    /// Message submission with STARTTLS.
    pub smtp_url: String,
    /// Message submission with TLS from the first byte.
    pub smtps_url: String,
    /// CA of the mail server's TLS certificate.
    pub mail_ca_pem: String,
    /// The office's mailbox, and the name to sign in with.
    pub mail_from: String,
    /// File with its password.
    pub mail_password_file: String,
    /// Base of push endpoints.
    pub push_base: String,
    /// The page with the virtual phones.
    pub page_url: String,
    /// Base of the control calls.
    pub control_url: String,
    /// Unix socket that tells the world's time.
    pub clock: String,
    /// Every leader's SIM.
    pub sims: Vec<SimInfo>,
    /// SIMs that always behave in one way.
    pub magic: Vec<SimInfo>,
    /// Certificates to be refused.
    pub fixtures: Vec<Fixture>,
    /// The organisation's seal, to be imported into a token.
    pub seal: Seal,
    /// PNG of the seal.
    pub seal_image: String,
    /// For `trinhky admin import`.
    pub import_toml: String,
    /// A one-page decision in the layout of Nghị định 30/2020.
    pub demo_pdf: String,
    /// Who can sign in, one line per person and role.
    pub accounts: Vec<AccountInfo>,
}

/// A SIM of the ready line.
#[derive(Debug, Clone, Serialize)]
pub struct SimInfo {
    /// Number, `84…`.
    pub msisdn: String,
    /// Holder, or the name of the behaviour for a magic number.
    pub name: String,
    /// Path of its certificate.
    pub certificate_pem: String,
    /// `accept`, `manual`, or the name of a magic behaviour.
    pub outcome: String,
}

/// An account of the import file.
#[derive(Debug, Clone, Serialize)]
pub struct AccountInfo {
    /// `drafter`, `checker`, `clerk`, `leader` or `admin`.
    pub role: String,
    /// Name to sign in with.
    pub username: String,
    /// Demo password.
    pub password: String,
    /// Base32 secret of the authenticator.
    pub totp_secret: String,
    /// Họ và tên.
    pub full_name: String,
    /// A leader's number.
    pub msisdn: Option<String>,
}

/// A certificate that must be refused.
#[derive(Debug, Clone, Serialize)]
pub struct Fixture {
    /// `revoked`, `expired`, `not-yet-valid`, `other-person`, `wrong-ca`.
    pub name: String,
    /// Why, in Vietnamese.
    pub why: String,
    /// Path of the certificate.
    pub certificate_pem: String,
    /// Path of its key (PKCS#8, PEM).
    pub key_p8: String,
}

/// The organisation's seal.
#[derive(Debug, Clone, Serialize)]
pub struct Seal {
    /// Path of the certificate.
    pub certificate_pem: String,
    /// Path of the key (PKCS#8, PEM), as `softhsm2-util --import` takes it.
    pub key_p8: String,
    /// Path of its issuing CA and root.
    pub chain_pem: String,
}

impl AccountInfo {
    pub(crate) fn of(person: &Person) -> impl Iterator<Item = Self> {
        person.roles.iter().map(|role| Self {
            role: role.word().into(),
            username: person.username.clone(),
            password: person.password(),
            totp_secret: person.totp_secret(),
            full_name: person.name.clone(),
            msisdn: person.sim.as_ref().map(|(msisdn, _)| msisdn.clone()),
        })
    }
}
