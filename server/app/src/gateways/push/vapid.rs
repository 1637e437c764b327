//! Who sends the push: a short JWT signed with the server's own P-256 key (RFC 8292).

use std::path::Path;

use anyhow::Context;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Url;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use time::{Duration, OffsetDateTime};

/// RFC 8292 section 2 allows 24 hours.
const LIFETIME: Duration = Duration::hours(12);

pub(super) struct Key {
    signing: EncodingKey,
    public: String,
    subject: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("public", &self.public).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: String,
    exp: i64,
    sub: &'a str,
}

impl Key {
    pub(super) fn read(path: &Path, subject: &str) -> anyhow::Result<Self> {
        let said = || format!("[push] vapid_key {}", path.display());
        let pem = std::fs::read(path).with_context(said)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).with_context(said)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der())
            .map_err(|_| anyhow::anyhow!("not a P-256 key in PKCS#8"))
            .with_context(said)?;
        Ok(Self {
            signing: EncodingKey::from_ec_pem(&pem).with_context(said)?,
            public: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
            subject: subject.to_owned(),
        })
    }

    pub(super) fn public(&self) -> &str {
        &self.public
    }

    /// The `Authorization` header for this push service. The audience is its origin, port included.
    pub(super) fn authorization(&self, endpoint: &Url, now: OffsetDateTime) -> anyhow::Result<String> {
        let claims = Claims {
            aud: endpoint.origin().ascii_serialization(),
            exp: (now + LIFETIME).unix_timestamp(),
            sub: &self.subject,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.signing)?;
        Ok(format!("vapid t={token}, k={}", self.public))
    }
}
