//! Private keys of everybody in the province: RSA-2048 and P-256, made, stored as PKCS#8 and used.
//!
//! A test crate: the product never holds a signer's private key. Signatures follow RFC 8017 (PKCS#1 v1.5) and FIPS 186-5.

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::Engine as _;

use crate::der;

/// Which algorithm a key is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// RSA with 2048 bits and exponent 65537: what SIMs in the field hold.
    Rsa2048,
    /// ECDSA on NIST P-256.
    P256,
}

/// A private key with its PKCS#8 form.
pub(crate) struct Key {
    kind: KeyKind,
    pkcs8: Vec<u8>,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    /// The same key twice: once answering DER, once `r || s`.
    Ec {
        asn1: EcdsaKeyPair,
        fixed: EcdsaKeyPair,
    },
}

impl Key {
    /// Makes a fresh key.
    pub(crate) fn generate(kind: KeyKind) -> Result<Self> {
        let pkcs8 = match kind {
            KeyKind::Rsa2048 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)
                    .map_err(|_| anyhow!("RSA key generation failed"))?;
                let document: aws_lc_rs::encoding::Pkcs8V1Der<'_> =
                    pair.as_der().map_err(|_| anyhow!("RSA key cannot be written"))?;
                document.as_ref().to_vec()
            }
            KeyKind::P256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
                    .map_err(|_| anyhow!("P-256 key generation failed"))?
                    .as_ref()
                    .to_vec()
            }
        };
        Self::from_pkcs8(kind, pkcs8)
    }

    /// Reads a key stored earlier.
    pub(crate) fn from_pkcs8(kind: KeyKind, pkcs8: Vec<u8>) -> Result<Self> {
        let pair = match kind {
            KeyKind::Rsa2048 => Pair::Rsa(RsaKeyPair::from_pkcs8(&pkcs8).context("stored RSA key")?),
            KeyKind::P256 => Pair::Ec {
                asn1: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8)
                    .context("stored P-256 key")?,
                fixed: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)
                    .context("stored P-256 key")?,
            },
        };
        Ok(Self { kind, pkcs8, pair })
    }

    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8)
    }

    /// `subjectPublicKey` without its BIT STRING: what OCSP's issuerKeyHash and key identifiers are made over.
    pub(crate) fn public_key(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::Ec { asn1, .. } => asn1.public_key().as_ref(),
        }
    }

    /// `SubjectPublicKeyInfo`.
    pub(crate) fn spki(&self) -> Vec<u8> {
        let algorithm = match self.kind {
            KeyKind::Rsa2048 => der::seq(&[der::oid("1.2.840.113549.1.1.1"), der::null()]),
            KeyKind::P256 => der::seq(&[der::oid("1.2.840.10045.2.1"), der::oid("1.2.840.10045.3.1.7")]),
        };
        der::seq(&[algorithm, der::bits(self.public_key())])
    }

    /// SHA-1 of the public key (RFC 5280 4.2.1.2 method 1).
    pub(crate) fn identifier(&self) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.public_key()).as_ref().to_vec()
    }

    /// `AlgorithmIdentifier` of the signatures that [`Key::sign`] makes.
    pub(crate) fn signature_algorithm(&self) -> Vec<u8> {
        match self.kind {
            KeyKind::Rsa2048 => der::seq(&[der::oid("1.2.840.113549.1.1.11"), der::null()]),
            KeyKind::P256 => der::seq(&[der::oid("1.2.840.10045.4.3.2")]),
        }
    }

    /// SHA-256 signature over a message, in the form that X.509 and CMS want.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| anyhow!("RSA signing failed"))?;
                Ok(signature)
            }
            Pair::Ec { asn1, .. } => Ok(asn1
                .sign(&random, message)
                .map_err(|_| anyhow!("ECDSA signing failed"))?
                .as_ref()
                .to_vec()),
        }
    }

    /// What the SIM does with a SHA-256 digest: RSA pads the `DigestInfo` around it (PKCS#1 v1.5), ECDSA answers `r || s`.
    pub(crate) fn sign_digest(&self, sha256: &[u8; 32]) -> Result<Vec<u8>> {
        let imported = digest::Digest::import_less_safe(sha256, &digest::SHA256).context("digest length")?;
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &imported, &mut signature)
                    .map_err(|_| anyhow!("RSA signing failed"))?;
                Ok(signature)
            }
            Pair::Ec { fixed, .. } => Ok(fixed
                .sign_digest(&imported)
                .map_err(|_| anyhow!("ECDSA signing failed"))?
                .as_ref()
                .to_vec()),
        }
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// SHA-1: OCSP's `CertID` and key identifiers only.
pub(crate) fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut out = [0; N];
    aws_lc_rs::rand::fill(&mut out).map_err(|_| anyhow!("no randomness from the operating system"))?;
    Ok(out)
}

/// PEM armour.
pub(crate) fn pem(label: &str, bytes: &[u8]) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The first PEM block of a text.
pub(crate) fn from_pem(text: &str) -> Result<Vec<u8>> {
    let body: String = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    base64::engine::general_purpose::STANDARD.decode(body.trim()).context("PEM body")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_digest_signature_verifies_over_the_message() {
        let message = b"trinh ky";
        let rsa = Key::generate(KeyKind::Rsa2048).unwrap();
        let signature = rsa.sign_digest(&sha256(message)).unwrap();
        assert_eq!(signature.len(), 256);
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa.public_key())
            .verify(message, &signature)
            .unwrap();

        let ec = Key::generate(KeyKind::P256).unwrap();
        let signature = ec.sign_digest(&sha256(message)).unwrap();
        assert_eq!(signature.len(), 64);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, ec.public_key())
            .verify(message, &signature)
            .unwrap();
    }

    #[test]
    fn keys_survive_their_pem_form() {
        let key = Key::generate(KeyKind::P256).unwrap();
        let again = Key::from_pkcs8(KeyKind::P256, from_pem(&key.pem()).unwrap()).unwrap();
        assert_eq!(key.public_key(), again.public_key());
    }
}
