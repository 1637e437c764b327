//! A raw signature value, brought into the form that CMS carries (RFC 8017 8.2.1, RFC 5480/SEC1 C.5).
//!
//! SIM applets and tokens differ: some strip leading zeros of an RSA value, most return ECDSA as r||s.

use thiserror::Error;

use crate::asn1::{Raw, RawSeq, sequence, wrap};
use crate::crypto::{CryptoError, HashAlgorithm, PublicKey, SignatureAlgorithm};
use crate::x509::{Certificate, CertificateError};

/// A signature value with the algorithm that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureValue {
    algorithm: SignatureAlgorithm,
    bytes: Vec<u8>,
}

/// Why a raw value cannot be one of this key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignatureValueError {
    /// The certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] CryptoError),
    /// A kind of key that signatures are checked with, but not made ([`PublicKey::may_sign`]).
    #[error("no signatures are made with this kind of key")]
    NotForSigning,
    /// Longer than the modulus, or neither r||s nor DER.
    #[error("{length} bytes cannot be a signature value of this key")]
    Length {
        /// Bytes given.
        length: usize,
    },
}

impl SignatureValue {
    /// A value as a SIM or token returned it, over a SHA-256 digest: PKCS#1 v1.5 for RSA keys, ECDSA for P-256 and P-384.
    ///
    /// # Errors
    /// [`SignatureValueError`] if it cannot be a value of the key in `signer_certificate` (DER).
    pub fn from_raw(raw: &[u8], signer_certificate: &[u8]) -> Result<Self, SignatureValueError> {
        let certificate = Certificate::from_der(signer_certificate)?;
        let key = certificate.public_key()?;
        let bytes = match key {
            PublicKey::Rsa { modulus, .. } => pad_left(raw, modulus.len()),
            PublicKey::P256(_) => ecdsa_der(raw, 32),
            PublicKey::P384(_) => ecdsa_der(raw, 48),
            PublicKey::P521(_) | PublicKey::Ed25519(_) => return Err(SignatureValueError::NotForSigning),
        };
        let bytes = bytes.ok_or(SignatureValueError::Length { length: raw.len() })?;
        Ok(Self { algorithm: key.default_algorithm(HashAlgorithm::Sha256), bytes })
    }

    /// An RSASSA-PSS value over a SHA-256 digest with 32 bytes of salt.
    ///
    /// # Errors
    /// [`SignatureValueError`] if it cannot be a value of the key in `signer_certificate` (DER).
    pub fn from_raw_pss(raw: &[u8], signer_certificate: &[u8]) -> Result<Self, SignatureValueError> {
        let certificate = Certificate::from_der(signer_certificate)?;
        let PublicKey::Rsa { modulus, .. } = certificate.public_key()? else {
            return Err(CryptoError::WrongKey.into());
        };
        let bytes = pad_left(raw, modulus.len());
        let bytes = bytes.ok_or(SignatureValueError::Length { length: raw.len() })?;
        let algorithm = SignatureAlgorithm::RsaPss { hash: HashAlgorithm::Sha256, salt_length: 32 };
        Ok(Self { algorithm, bytes })
    }

    /// The bytes as CMS carries them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How it was made.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

fn pad_left(raw: &[u8], length: usize) -> Option<Vec<u8>> {
    let missing = length.checked_sub(raw.len())?;
    if raw.is_empty() {
        return None;
    }
    let mut padded = vec![0; missing];
    padded.extend_from_slice(raw);
    Some(padded)
}

/// `Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }` from r||s, or checked if it is that already.
fn ecdsa_der(raw: &[u8], half: usize) -> Option<Vec<u8>> {
    if raw.len() == 2 * half {
        let (r, s) = raw.split_at_checked(half)?;
        return Some(sequence(&[&unsigned(r), &unsigned(s)]));
    }
    let parts = Raw::only(raw).ok()?.parse::<RawSeq<'_>>().ok()?.items().ok()?;
    let [r, s] = parts.as_slice() else { return None };
    for part in [r, s] {
        let value = part.parse::<der::asn1::UintRef<'_>>().ok()?;
        if value.as_bytes().len() > half {
            return None;
        }
    }
    Some(raw.to_vec())
}

fn unsigned(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let mut content = number.get(start..).unwrap_or_default().to_vec();
    if content.first().is_none_or(|byte| byte & 0x80 != 0) {
        content.insert(0, 0);
    }
    wrap(0x02, &content)
}

#[cfg(test)]
mod tests {
    use super::{ecdsa_der, pad_left, unsigned};

    #[test]
    fn stripped_zeros_come_back() {
        assert_eq!(pad_left(&[7, 8], 4).unwrap(), [0, 0, 7, 8]);
        assert_eq!(pad_left(&[1; 5], 4), None);
        assert_eq!(pad_left(&[], 4), None);
    }

    #[test]
    fn halves_become_integers() {
        assert_eq!(unsigned(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[0, 0]), [2, 1, 0]);
        let mut raw = vec![0; 64];
        raw[31] = 5;
        raw[32] = 0x81;
        let der = ecdsa_der(&raw, 32).unwrap();
        assert_eq!(der[..6], [0x30, 38, 2, 1, 5, 2]);
        // What is DER already stays as it is; other lengths are refused.
        assert_eq!(ecdsa_der(&der, 32).unwrap(), der);
        assert_eq!(ecdsa_der(&raw[1..], 32), None);
        assert_eq!(ecdsa_der(&der, 31), None);
    }
}
